import type { IncomingNotification } from '../driver/messages.ts'
import { isPromiseLike, type Serializer } from '../serializer/serializer.ts'
import type { NotificationDelivery, ReceivedNotification } from './endpoint.ts'

/** What a listener makes of a message: something for endpoints, or nothing they could take. */
export type Reception =
  | { readonly kind: 'notification'; readonly priority: string; readonly notification: ReceivedNotification }
  | { readonly kind: 'unreadable'; readonly error: unknown }

/** Reads a delivered message: context first, then the payload with the deserialized context (Z4). Missing fields become null. Never rejects.
 *  Source: WIRE 4.3. */
export async function receive(incoming: IncomingNotification, serializer: Serializer): Promise<Reception> {
  const { message } = incoming
  try {
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      throw new TypeError('The message is not an object')
    const context = serializer.deserializeContext(incoming.context)
    const ctxt = isPromiseLike(context) ? await context : context
    const entity = serializer.deserializeEntity(ctxt, message['payload'] ?? null)
    return {
      kind: 'notification',
      priority: (textOf(message['priority']) ?? '').toLowerCase(),
      notification: {
        ctxt,
        publisherId: textOf(message['publisher_id']),
        eventType: textOf(message['event_type']),
        payload: isPromiseLike(entity) ? await entity : entity,
        metadata: { message_id: textOf(message['message_id']), timestamp: textOf(message['timestamp']) },
        delivery: deliveryOf(incoming),
      },
    }
  } catch (error) {
    return { kind: 'unreadable', error }
  }
}

/** Endpoints are promised text or null. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function deliveryOf(incoming: IncomingNotification): NotificationDelivery {
  const { redelivered, deliveryCount, uniqueId, headers, signal } = incoming
  return {
    ...(redelivered === undefined ? {} : { redelivered }),
    ...(deliveryCount === undefined ? {} : { deliveryCount }),
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(headers === undefined ? {} : { headers }),
    ...(signal === undefined ? {} : { signal }),
  }
}
