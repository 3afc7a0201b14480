import {
  type MessageContext,
  type OutgoingNotification,
  readEnvelope,
  SerializationError,
  writeEnvelope,
} from '@oslo-messaging/core/driver'
import type { FetchedRecord, OutgoingRecord } from '../port/client-port.ts'

/** The context travels inside the message, unlike rabbit's `_context_*` keys. Source: WIRE 8. */
const CONTEXT_KEY = '_context'

/** The value of a Kafka record.
 *  Shape:  envelope 2.0 whose message ends in `"_context": {...}`; UTF-8. Format 1.0 does not exist on Kafka.
 *  Throws: SerializationError when payload or context cannot be JSON.
 *  Source: impl_kafka.py, pack_message. */
export function encodeRecord(notification: OutgoingNotification): Buffer {
  return writeEnvelope({ ...notification.message, [CONTEXT_KEY]: notification.context })
}

/** The headers of a record as they are stored, for a copy of it: bytes that are no text, and every value of a name. */
export function storedHeaders({ headers, rawHeaders }: FetchedRecord): NonNullable<OutgoingRecord['headers']> {
  if (rawHeaders === undefined) return headers ?? {}
  const names = [...new Set(rawHeaders.map(([name]) => name))]
  return Object.fromEntries(
    names.map((name) => [name, rawHeaders.flatMap(([each, value]) => (each === name ? [value] : []))]),
  )
}

export interface DecodedRecord {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
}

/** Reads what `encodeRecord` and Python write, and more kindly than Python: a message without `_context` has an empty
 *  one, and a bare message without envelope is taken as it is. Throws: SerializationError for what is no JSON object or
 *  an envelope of another version. */
export function decodeRecord(value: Buffer | null): DecodedRecord {
  if (value === null) throw new SerializationError('The record has no value')
  const message = readEnvelope(value.toString('utf8'))
  const context = message[CONTEXT_KEY]
  // It was read just now and is nobody else's. Its writers put this key last, and taking back the last key is what an
  // engine does without a copy, which took a tenth of the time of reading.
  Reflect.deleteProperty(message, CONTEXT_KEY)
  return { message, context: isObject(context) ? context : {} }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
