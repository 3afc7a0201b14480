import type { DeliveryFacts, IncomingNotification, IncomingRequest, RPCReply } from '@oslo-messaging/core/driver'
import type { Incoming } from './listener-links.ts'
import type { Message } from '../client/client.ts'
import type { OutgoingMessage } from '../wire/encode-message.ts'
import { decodeMessage, encodeReply } from '../wire/message.ts'

/** Sends one message to a client's reply address. Resolves true when it left, false when it was given up (and reported). */
export type ReplySender = (message: OutgoingMessage) => Promise<boolean>

/** What core makes of a request. Throws SerializationError when it cannot be read. */
export function incomingRequest(incoming: Incoming, send: ReplySender): IncomingRequest {
  const { message: raw } = incoming
  const { message, context, callMonitorTimeout } = decodeMessage(raw.body)
  const replyTo = typeof raw.reply_to === 'string' ? raw.reply_to : undefined
  const correlationId: unknown = raw['message_id']
  return {
    message,
    context,
    callMonitorTimeout,
    expectsReply: replyTo !== undefined,
    ...factsOf(raw),
    get signal() {
      return incoming.signal
    },
    acknowledge: incoming.accept,
    requeue: incoming.release,
    async reply(reply: RPCReply) {
      if (replyTo === undefined) return
      await send({ to: replyTo, correlation_id: correlationId, body: encodeReply(reply) })
    },
    async heartbeat() {
      if (replyTo === undefined) return false
      const ttl = callMonitorTimeout === null ? undefined : Math.ceil(callMonitorTimeout * 1000)
      return await send({ to: replyTo, correlation_id: correlationId, ttl, body: undefined })
    },
  }
}

/** What core makes of a notification. Throws SerializationError when it cannot be read. */
export function incomingNotification(incoming: Incoming): IncomingNotification {
  const { message, context } = decodeMessage(incoming.message.body)
  return {
    message,
    context,
    ...factsOf(incoming.message),
    get signal() {
      return incoming.signal
    },
    acknowledge: incoming.accept,
    requeue: incoming.release,
  }
}

/** A count of zero says nothing: brokers do not count what was released. */
function factsOf(message: Message): DeliveryFacts {
  const { delivery_count: deliveryCount = 0, application_properties: properties } = message
  const redelivery = deliveryCount > 0 ? { deliveryCount, redelivered: true } : undefined
  if (properties === undefined) return { ...redelivery }
  const headers = Object.fromEntries(
    Object.entries(properties as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
  return { ...redelivery, ...(Object.keys(headers).length === 0 ? {} : { headers }) }
}
