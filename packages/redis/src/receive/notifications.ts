import { randomUUID } from 'node:crypto'
import {
  Deadline,
  type DriverContext,
  FAILURE_HEADERS,
  failureFacts,
  type NotificationSource,
  type NotifyListenOptions,
} from '@oslo-messaging/core/driver'
import type { Link } from '../client/link.ts'
import { MOVE_DUE } from '../client/scripts.ts'
import type { RedisOptions } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { keptBy, type Sender } from '../send/sender.ts'
import type { Names } from '../topology/names.ts'
import { FIELDS, writeHeaders } from '../wire/fields.ts'
import { Delivery } from './delivery.ts'
import type { Taken } from './intake.ts'
import { StreamListener } from './listener.ts'

/** Longest time for a copy among the dead letters or of a later attempt. */
const COPY_MS = 30_000

/** What a listener needs of its driver. */
export interface NotificationParts {
  readonly connection: Connection
  readonly sender: Sender
  readonly names: Names
  readonly context: DriverContext<RedisOptions>
  /** It is closed. */
  readonly onClose: () => void
}

/** A listener of some topics and priorities, or of a pool of them. */
export function listenForNotifications(
  sources: readonly NotificationSource[],
  options: NotifyListenOptions,
  parts: NotificationParts,
): StreamListener {
  const { connection, sender, names, context, onClose } = parts
  const { clock, logger } = context
  const group = names.group(options.pool)
  const maxAgeMs = context.options.stream_max_age === 0 ? null : context.options.stream_max_age * 1000
  const priorities = new Map<string, string>()
  const streams = sources.map(({ target, priority }) => {
    const key = names.notification(target.with({ topic: `${target.topic}.${priority}` }))
    priorities.set(key, priority)
    // A pool begins with what comes next; the listeners without one have all that is kept.
    const start = options.pool === null ? ('0' as const) : ('$' as const)
    return { key, group, start, isOwn: false, expiresInMs: null, maxAgeMs }
  })
  const terms = () => ({ deadline: Deadline.after(COPY_MS, { clock }), retries: null, makes: true })

  const bury = async ({ stream, entry }: Taken, headers: Readonly<Record<string, string>>): Promise<void> => {
    const fields = {
      ...entry.fields,
      ...writeHeaders({ ...headers, [FAILURE_HEADERS.origin]: stream.key }),
      [FIELDS.failedIn]: group,
    }
    await sender.add({ stream: names.deadLetters(stream.key), fields }, { ...terms(), trim: keptBy(maxAgeMs) })
  }

  const moveDue = (link: Link, key: string): void => {
    const asked = link.ask('EVAL', MOVE_DUE, 2, key, names.delayed(key), Math.floor(link.serverTime))
    asked.catch((error: unknown) => logger.warn('Later attempts could not be moved', { key, error }))
  }

  const repeat = async (
    { stream, entry }: Taken,
    delayMs: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const fields = { ...entry.fields, ...writeHeaders(headers), [FIELDS.only]: group }
    const { deadline } = terms()
    const link = await connection.ready(deadline, { phase: 'connect', delivery: 'not-sent' })
    const member = JSON.stringify([randomUUID(), ...Object.entries(fields).flat()])
    const asked = link.ask('ZADD', names.delayed(stream.key), Math.ceil(link.serverTime + delayMs), member)
    try {
      await deadline.race(asked, { phase: 'confirm', delivery: 'unknown' })
    } catch (error) {
      throw mapError(error, link.host)
    }
    clock.setTimeout(() => {
      const { link: now } = connection
      if (now !== undefined) moveDue(now, stream.key)
    }, delayMs + 1)
  }

  const deliver = (taken: Taken): void => {
    const priority = priorities.get(taken.stream.key) ?? ''
    options.onMessage(
      new Delivery(taken, priority, listener.intake.signal, {
        settle: (isDone) => void listener.intake.settle(taken, isDone),
        bury: (headers) => bury(taken, headers),
        repeat: (delayMs, headers) => repeat(taken, delayMs, headers),
        isOpen: () => listener.intake.isHeld(taken),
      }),
    )
  }

  const most = context.options.max_deliveries
  const buryUnsettled = async (taken: Taken): Promise<void> => {
    try {
      if ((await listener.intake.deliveriesOf(taken)) <= most) return deliver(taken)
      const error = new Error(`Delivered ${most} times, and never settled (max_deliveries)`)
      await bury(taken, failureFacts(most, error).headers)
      listener.intake.settle(taken, true)
    } catch (error) {
      logger.warn('A notification could not be buried and is delivered once more', { error })
      deliver(taken)
    }
  }

  const listener: StreamListener = new StreamListener({
    name: options.pool ?? sources.map(({ target, priority }) => `${target.topic}.${priority}`).join(' '),
    streams,
    prefetch: options.prefetch,
    connection,
    context,
    onClose,
    onTick: (link) => {
      for (const { key } of streams) moveDue(link, key)
    },
    onTaken: (taken) => {
      const only = taken.entry.fields[FIELDS.only]
      if (only !== undefined && only !== group) listener.intake.settle(taken, true)
      else if (most > 0 && taken.redelivered) void buryUnsettled(taken)
      else deliver(taken)
    },
  })
  return listener
}
