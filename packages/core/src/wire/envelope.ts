import { SerializationError } from '../errors.ts'
import { errorText } from '../util/text.ts'
import { decodeJson, encodeJson } from './json.ts'
import { quoteJson } from './nested-json.ts'
import { LEAST_BYTES, readNested } from './nested-reader.ts'
import { writeNested } from './nested-writer.ts'
import { readUtf8 } from './utf8.ts'

export const VERSION_KEY = 'oslo.version'
export const MESSAGE_KEY = 'oslo.message'
/** Version of the envelope that `wrapEnvelope` writes, the value of `oslo.version`. */
export const ENVELOPE_VERSION = '2.0'

/** As Python writes it too. */
const HEAD = `{"${VERSION_KEY}": "${ENVELOPE_VERSION}", "${MESSAGE_KEY}": `

/** Wraps the JSON text of a message (made by `encodeJson`) in the 2.0 envelope; nothing is encoded twice but the text
 *  itself.
 *  Shape: { "oslo.version": "2.0", "oslo.message": "<JSON text>" }; the inner value is a string, not an object.
 *  Source: oslo_messaging/_drivers/common.py, serialize_msg. */
export function wrapEnvelope(messageText: string): string {
  return `${HEAD}${quoteJson(messageText)}}`
}

/** The bytes of a message in its envelope, in UTF-8: those of `wrapEnvelope(encodeJson(message))`, in one pass.
 *  `allocate` gives the memory; default: `Buffer.allocUnsafe`. Throws as `encodeJson` does. */
export function writeEnvelope(
  message: Readonly<Record<string, unknown>>,
  allocate: (bytes: number) => Buffer = allocateBuffer,
): Buffer {
  let body: Buffer | undefined
  try {
    body = writeNested(message, HEAD, '}', allocate)
  } catch (error) {
    // A getter of the application threw.
    throw new SerializationError(`Cannot encode the value: ${errorText(error)}`, { cause: error })
  }
  return body ?? Buffer.from(wrapEnvelope(encodeJson(message)))
}

const allocateBuffer = (bytes: number): Buffer => Buffer.allocUnsafe(bytes)

/** The message in a body, given as JSON text or as its bytes: what `unwrapEnvelope(decodeJson(text))` gives, for less
 *  where the text is long.
 *  Throws as these two do, and SerializationError for bytes that are not UTF-8. */
export function readEnvelope(body: string | Uint8Array): Readonly<Record<string, unknown>> {
  const message = typeof body === 'string' || body.length < LEAST_BYTES ? undefined : readMessage(body)
  if (message !== undefined) return asObject(decodeJson(message), `${MESSAGE_KEY} of the envelope`)
  const text = typeof body === 'string' ? body : readUtf8(body)
  return unwrapEnvelope(text.startsWith(HEAD) ? parseOuter(text) : decodeJson(text))
}

const HEAD_BYTES = Buffer.from(HEAD)
const CLOSING_BRACE = 0x7d

/** The text of the message in a body of oslo's own form, where it is quick to find. */
function readMessage(body: Uint8Array): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const end = bytes.length - 1
  if (bytes[end] !== CLOSING_BRACE || !bytes.subarray(0, HEAD.length).equals(HEAD_BYTES)) return undefined
  return readNested(bytes.subarray(HEAD.length, end))
}

/** Of an envelope only the message and the version are used: numbers beside them may be rounded. */
function parseOuter(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return decodeJson(text)
  }
}

/** The message inside a decoded body: of an envelope, or the body itself when it is none (format 1.0). Keys beside the
 *  envelope's two are ignored.
 *  Throws: SerializationError when the body or the message is no JSON object, or the envelope's version is not one that
 *  2.0 can read: same major, and neither minor nor revision above it. Source: deserialize_msg. */
export function unwrapEnvelope(body: unknown): Readonly<Record<string, unknown>> {
  const envelope = asObject(body, 'The body')
  if (!(Object.hasOwn(envelope, VERSION_KEY) && Object.hasOwn(envelope, MESSAGE_KEY))) return envelope
  const version = envelope[VERSION_KEY]
  const text = envelope[MESSAGE_KEY]
  if (version !== ENVELOPE_VERSION && !canRead(version)) {
    const given = typeof version === 'string' ? version.slice(0, 20) : `of type ${typeof version}`
    throw new SerializationError(`Envelope version ${given} cannot be read; ${ENVELOPE_VERSION} is understood`)
  }
  if (typeof text !== 'string') throw new SerializationError(`${MESSAGE_KEY} of the envelope is not a JSON text`)
  return asObject(decodeJson(text), `${MESSAGE_KEY} of the envelope`)
}

/** Whether a reader of 2.0 takes the version: `2.0`, `2.0.0`. */
function canRead(version: unknown): boolean {
  if (typeof version !== 'string') return false
  const parts = /^(\d+)\.(\d+)(?:\.(\d+))?$/.exec(version)
  return parts !== null && Number(parts[1]) === 2 && Number(parts[2]) === 0 && Number(parts[3] ?? 0) === 0
}

function asObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new SerializationError(`${what} is not a JSON object`)
}
