import {
  decodeJson,
  encodeJson,
  type IncomingRequest,
  type MessageContext,
  type OutgoingNotification,
  type OutgoingRequest,
  type RPCReply,
  SerializationError,
  unwrapEnvelope,
  wrapEnvelope,
} from '@oslo-messaging/core/driver'

/** Bodies are an amqp-value with a string of JSON; no application properties but trace headers. Source: WIRE 7.4. */

/** Shape: { "request": <message>, "context": {...}, "call_monitor_timeout": <seconds, when monitored> } */
export function encodeRequest(request: OutgoingRequest, callMonitorTimeout: number | null): string {
  const monitored = callMonitorTimeout === null ? {} : { call_monitor_timeout: callMonitorTimeout }
  return encodeJson({ request: request.message, context: request.context, ...monitored })
}

/** Shape: { "request": <message or envelope>, "context": {...} } */
export function encodeNotification(notification: OutgoingNotification, version: '1.0' | '2.0'): string {
  if (version === '1.0') return encodeJson({ request: notification.message, context: notification.context })
  // The envelope is JSON text already; it is put in as it is instead of being parsed and written again.
  return `{"request": ${wrapEnvelope(encodeJson(notification.message))}, "context": ${encodeJson(notification.context)}}`
}

/** Shape: { "response": value } or { "failure": "<JSON text>" } */
export function encodeReply(reply: RPCReply): string {
  return reply.failure === null ? encodeJson({ response: reply.result }) : encodeJson({ failure: reply.failure })
}

export interface DecodedMessage {
  readonly message: IncomingRequest['message']
  readonly context: MessageContext
  readonly callMonitorTimeout: number | null
}

function asObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new SerializationError(`${what} is not an object`)
}

/** Throws SerializationError when it is no message of this library. */
export function decodeMessage(body: string | null | undefined): DecodedMessage {
  if (typeof body !== 'string') throw new SerializationError('There is no body')
  const parsed = asObject(decodeJson(body), 'The body')
  const monitor = parsed['call_monitor_timeout']
  return {
    message: unwrapEnvelope(parsed['request']),
    context: asObject(parsed['context'] ?? {}, 'The context'),
    callMonitorTimeout: typeof monitor === 'number' ? monitor : null,
  }
}

/** A reply, or `heartbeat` for a message without a body. Throws SerializationError when it cannot be read. */
export function decodeReply(body: string | null | undefined): RPCReply | 'heartbeat' {
  if (body === undefined || body === null) return 'heartbeat'
  const parsed = asObject(decodeJson(body), 'The reply')
  const failure = parsed['failure']
  if (typeof failure === 'string' && failure !== '') return { result: null, failure }
  return { result: parsed['response'] ?? null, failure: null }
}
