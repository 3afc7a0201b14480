import {
  decodeJson,
  type MessageContext,
  type RPCReply,
  SerializationError,
  unwrapEnvelope,
} from '@oslo-messaging/core/driver'

/** What a request and a notification hold: `{"context": {...}, "message": {...}}`, in an envelope or not. */
export interface Body {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
}

/** Throws SerializationError when the text holds no message. */
export function readBody(text: string | undefined): Body {
  const { context, message } = unwrapEnvelope(decodeJson(text ?? ''))
  if (!isObject(context)) throw new SerializationError('The body has no context object')
  if (!isObject(message)) throw new SerializationError('The body has no message object')
  return { context, message }
}

/** Throws SerializationError when the text holds no reply. */
export function readReply(text: string | undefined): RPCReply {
  const body = decodeJson(text ?? '')
  if (!isObject(body)) throw new SerializationError('The reply is no JSON object')
  const { result = null, failure = null } = body
  if (typeof failure === 'string') return { result: null, failure }
  if (failure !== null) throw new SerializationError('The failure of the reply is no text')
  return { result, failure }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
