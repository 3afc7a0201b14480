import {
  type DeliveryFacts,
  failedAttemptsOf,
  type FailureFacts,
  type IncomingNotification,
  type IncomingRequest,
  type RPCReply,
} from '@oslo-messaging/core/driver'
import type { Incoming } from './listener-links.ts'
import type { EncodableMessage } from '../wire/encode-message.ts'
import { bodyOf } from '../wire/read-message.ts'
import { decodeMessage, encodeReply } from '../wire/message.ts'

/** Sends one message to a client's reply address. Resolves true when it left, false when it was given up (and
 *  reported). */
export type ReplySender = (message: EncodableMessage) => Promise<boolean>

/** What core makes of a request. Throws SerializationError when it cannot be read. */
export function incomingRequest(incoming: Incoming, send: ReplySender): IncomingRequest {
  const { message: raw } = incoming
  const { message, context, callMonitorTimeout } = decodeMessage(bodyOf(raw))
  const { replyTo, messageId: correlationId } = raw
  return {
    message,
    context,
    callMonitorTimeout,
    expectsReply: replyTo !== undefined,
    ...(raw.ttl === undefined || replyTo === undefined ? {} : { expiresInMs: raw.ttl }),
    ...factsOf(incoming),
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

/** Stores a dead letter with the peer; resolves when it has it. */
export type Bury = (incoming: Incoming, failure: FailureFacts) => Promise<void>

/** What core makes of a notification. */
export function incomingNotification(incoming: Incoming, bury: Bury): IncomingNotification {
  const failedAttempts = failedAttemptsOf(incoming.message.headers)
  return {
    ...contentOf(incoming),
    ...factsOf(incoming),
    ...(failedAttempts === 0 ? {} : { failedAttempts }),
    get signal() {
      return incoming.signal
    },
    acknowledge: incoming.accept,
    requeue: incoming.release,
    discard: incoming.reject,
    async bury(failure) {
      await bury(incoming, failure)
      incoming.accept()
    },
  }
}

function contentOf(incoming: Incoming): Pick<IncomingNotification, 'message' | 'context' | 'unreadable'> {
  try {
    const { message, context } = decodeMessage(bodyOf(incoming.message))
    return { message, context }
  } catch (error) {
    return { message: {}, context: {}, unreadable: { error } }
  }
}

/** A count of zero says nothing: brokers do not count what was released. */
function factsOf({ message: { deliveryCount, headers }, isRepeated, isSettled }: Incoming): DeliveryFacts {
  const redelivery =
    deliveryCount > 0 ? { deliveryCount, redelivered: true } : isRepeated ? { redelivered: true } : undefined
  const settled = isSettled ? { isSettled } : undefined
  return { ...redelivery, ...settled, ...(headers === undefined ? {} : { headers }) }
}
