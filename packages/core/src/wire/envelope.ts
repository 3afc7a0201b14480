import { SerializationError } from '../errors.ts'
import { decodeJson, encodeJson } from './json.ts'

export const VERSION_KEY = 'oslo.version'
export const MESSAGE_KEY = 'oslo.message'
export const ENVELOPE_VERSION = '2.0'

/** Wraps the JSON text of a message. Shape: { "oslo.version": "2.0", "oslo.message": "<JSON text>" }; the inner value is a string, not an object. */
export function wrapEnvelope(messageText: string): string {
  return `{"${VERSION_KEY}": "${ENVELOPE_VERSION}", "${MESSAGE_KEY}": ${encodeJson(messageText)}}`
}

/** The message inside a parsed body: of an envelope, or the body itself when it is none (format 1.0). Being completed: version check. */
export function unwrapEnvelope(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new SerializationError('The body is not a JSON object')
  const record = body as Record<string, unknown>
  if (!(VERSION_KEY in record && MESSAGE_KEY in record)) return record
  return unwrapEnvelope(decodeJson(String(record[MESSAGE_KEY])))
}
