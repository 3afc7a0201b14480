import type { DeliveryFacts, IncomingNotification, IncomingRequest, RPCReply } from '@oslo-messaging/core/driver'
import type { Incoming } from './attachment.ts'
import { type Message, NO_BODY } from './client.ts'
import { decodeMessage, encodeReply } from './message.ts'

/** Sends one message to a client's reply address. Resolves true when it left, false when it was given up (and reported). */
export type ReplySender = (address: string, message: object, body: string) => Promise<boolean>

/** What core makes of a request. Throws SerializationError when it cannot be read. */
export function incomingRequest(incoming: Incoming, send: ReplySender): IncomingRequest {
  const { message: raw } = incoming
  const { message, context, callMonitorTimeout } = decodeMessage(raw.body)
  const replyTo = typeof raw.reply_to === 'string' ? raw.reply_to : undefined
  const common = { to: replyTo, correlation_id: raw.message_id }
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
      const body = encodeReply(reply)
      await send(replyTo, { ...common, body }, body)
    },
    async heartbeat() {
      if (replyTo === undefined) return false
      const ttl = callMonitorTimeout === null ? {} : { ttl: Math.ceil(callMonitorTimeout * 1000) }
      return await send(replyTo, { ...common, body: NO_BODY, ...ttl }, '')
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

/** Trace context travels in application properties; peers that do not look for it see the same message. */
export function headersOf(headers: Readonly<Record<string, string>> | undefined): object {
  return headers === undefined || Object.keys(headers).length === 0 ? {} : { application_properties: headers }
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
