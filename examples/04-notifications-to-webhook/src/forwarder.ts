import type { MessageServer, Messaging } from '@oslo-messaging/core'
import { onNotification, type OpenStackNotification, PayloadMismatch } from '@oslo-messaging/openstack'
import { cloudEvent } from './cloud-event.ts'

/** The pool of this program: it gets a copy of each notification, whoever else listens. */
export const POOL = 'webhook'

/** The receiver refuses this very notification: it would again. */
class Refused extends Error {
  override readonly name = 'Refused'
}

/** A listener that acknowledges a notification when the webhook has confirmed it, and not before. A webhook that fails
 *  is tried again; what nobody can take is kept as a dead letter. */
export function createForwarder(
  messaging: Messaging,
  { webhook, backoffMs = 1000 }: { readonly webhook: string; readonly backoffMs?: number },
): MessageServer {
  const forward = async (payload: object, notification: OpenStackNotification): Promise<void> => {
    const limit = AbortSignal.timeout(10_000)
    const { signal } = notification.delivery
    const answer = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      body: cloudEvent(payload, notification),
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    })
    await answer.arrayBuffer()
    if (answer.ok) return
    const message = `${new URL(webhook).host} answers ${answer.status}`
    const willMend = answer.status >= 500 || answer.status === 408 || answer.status === 429
    throw willMend ? new Error(message) : new Refused(message)
  }
  return messaging.listener(
    [
      { exchange: 'nova', topic: 'versioned_notifications' },
      { exchange: 'neutron', topic: 'notifications' },
    ],
    [
      onNotification(['instance.create.end', 'instance.delete.end'], forward),
      onNotification(['network.create.end', 'floatingip.create.end', 'floatingip.delete.end'], forward),
    ],
    {
      pool: POOL,
      onFailure: {
        attempts: 4,
        backoff: { initialMs: backoffMs },
        retryIf: (error) => !(error instanceof Refused || error instanceof PayloadMismatch),
        then: 'dead-letter',
      },
    },
  )
}
