import type { IncomingNotification } from '../driver/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { isPromiseLike } from '../util/promise.ts'
import type { NotificationDelivery, ReceivedNotification } from './endpoint.ts'

/** What a listener makes of a message: something for endpoints, or nothing they could take. */
export type Reception =
  | { readonly kind: 'notification'; readonly priority: string; readonly notification: ReceivedNotification }
  | { readonly kind: 'unreadable'; readonly error: unknown }

/** Reads a delivered message: context first, then the payload with the deserialized context. Missing fields become
 *  null.
 *  Gives a promise only when the serializer does. Neither throws nor rejects. */
export function receive(incoming: IncomingNotification, serializer: Serializer): Reception | Promise<Reception> {
  const { message, unreadable } = incoming
  if (unreadable !== undefined) return { kind: 'unreadable', error: unreadable.error }
  try {
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      throw new TypeError('The message is not an object')
    const ctxt = serializer.deserializeContext(incoming.context)
    if (isPromiseLike(ctxt)) return receiveLater(incoming, serializer, ctxt)
    const payload = serializer.deserializeEntity(ctxt, message['payload'] ?? null)
    if (isPromiseLike(payload)) return receiveLater(incoming, serializer, ctxt, payload)
    return received(incoming, ctxt, payload)
  } catch (error) {
    return { kind: 'unreadable', error }
  }
}

/** For serializers that take their time. */
async function receiveLater(
  incoming: IncomingNotification,
  serializer: Serializer,
  context: object | PromiseLike<object>,
  entity?: PromiseLike<unknown>,
): Promise<Reception> {
  try {
    const ctxt = await context
    const payload = await (entity ?? serializer.deserializeEntity(ctxt, incoming.message['payload'] ?? null))
    return received(incoming, ctxt, payload)
  } catch (error) {
    return { kind: 'unreadable', error }
  }
}

function received(incoming: IncomingNotification, ctxt: object, payload: unknown): Reception {
  const { message } = incoming
  return {
    kind: 'notification',
    priority: (textOf(message['priority']) ?? '').toLowerCase(),
    notification: {
      ctxt,
      publisherId: textOf(message['publisher_id']),
      eventType: textOf(message['event_type']),
      payload,
      metadata: { message_id: textOf(message['message_id']), timestamp: textOf(message['timestamp']) },
      delivery: deliveryOf(incoming),
    },
  }
}

/** Endpoints are promised text or null. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One assignment for each fact: spreading an object for each took a tenth of the time of a listener. */
function deliveryOf(incoming: IncomingNotification): NotificationDelivery {
  const { redelivered, deliveryCount, failedAttempts, uniqueId, headers, signal } = incoming
  const delivery: Mutable<NotificationDelivery> = {}
  if (redelivered !== undefined) delivery.redelivered = redelivered
  if (deliveryCount !== undefined) delivery.deliveryCount = deliveryCount
  if (failedAttempts !== undefined) delivery.failedAttempts = failedAttempts
  if (uniqueId !== undefined) delivery.uniqueId = uniqueId
  if (headers !== undefined) delivery.headers = headers
  if (signal !== undefined) delivery.signal = signal
  return delivery
}
