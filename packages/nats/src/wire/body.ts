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

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws SerializationError when the bytes hold no message. */
export function readBody(bytes: Uint8Array): Body {
  const { context, message } = unwrapEnvelope(decodeJson(textOf(bytes)))
  if (!isObject(context)) throw new SerializationError('The body has no context object')
  if (!isObject(message)) throw new SerializationError('The body has no message object')
  return { context, message }
}

/** Throws SerializationError when the bytes hold no reply. */
export function readReply(bytes: Uint8Array): RPCReply {
  const body = decodeJson(textOf(bytes))
  if (!isObject(body)) throw new SerializationError('The reply is no JSON object')
  const { result = null, failure = null } = body
  if (typeof failure === 'string') return { result: null, failure }
  if (failure !== null) throw new SerializationError('The failure of the reply is no text')
  return { result, failure }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new SerializationError('The body is not UTF-8', { cause })
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
