import { setTimeout as after } from 'node:timers/promises'
import { type MessageServer, type Messaging, NotificationResult } from '@oslo-messaging/core'
import { onNotification, PayloadMismatch } from '@oslo-messaging/openstack'
import type { HostsFile } from './hosts-file.ts'

/** The pool of this program: it gets a copy of each notification, whoever else listens. */
export const POOL = 'dns-updater'

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/** No name that a DNS can have: another attempt changes nothing. */
class InvalidName extends Error {
  override readonly name = 'InvalidName'
}

export interface SinkOptions {
  readonly zone: string
  readonly records: HostsFile
  /** Whether somebody else works on the zone now. */
  readonly isFrozen: () => Promise<boolean>
  /** How long a frozen zone is left alone before the notification goes back to the broker. */
  readonly patienceMs?: number
  readonly backoffMs?: number
  /** Told what was done, a line each. */
  readonly log: (line: string) => void
}

/** A listener that keeps one record for each address of an instance. While the zone is frozen, notifications go back to
 *  the broker; a file that cannot be written is tried again; what cannot be done at all is kept as a dead letter. */
export function createSink(messaging: Messaging, options: SinkOptions): MessageServer {
  const { zone, records, isFrozen, patienceMs = 1000, backoffMs = 1000, log } = options
  const unlessFrozen = async (host: string | null, change: () => Promise<void>): Promise<'handled' | 'requeue'> => {
    if (await isFrozen()) {
      await after(patienceMs)
      log(`returned ${host}`)
      return NotificationResult.REQUEUE
    }
    await change()
    return NotificationResult.HANDLED
  }
  return messaging.listener(
    [{ exchange: 'nova', topic: 'versioned_notifications' }],
    [
      onNotification('instance.create.end', ({ uuid, host_name: host, ip_addresses: addresses }) =>
        unlessFrozen(host, async () => {
          if (host === null || !LABEL.test(host)) throw new InvalidName(`${JSON.stringify(host)} is no name for a DNS`)
          await records.set(
            uuid,
            `${host}.${zone}`,
            addresses.map(({ address }) => address),
          )
          log(`set ${host}`)
        }),
      ),
      onNotification('instance.delete.end', ({ uuid, host_name: host }) =>
        unlessFrozen(host, async () => {
          await records.remove(uuid)
          log(`removed ${host}`)
        }),
      ),
    ],
    {
      pool: POOL,
      allowRequeue: true,
      onFailure: {
        attempts: 4,
        backoff: { initialMs: backoffMs },
        retryIf: (error) => !(error instanceof InvalidName || error instanceof PayloadMismatch),
        then: 'dead-letter',
      },
    },
  )
}
