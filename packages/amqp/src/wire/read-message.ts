import { isUtf8 } from 'node:buffer'
import { SerializationError } from '@oslo-messaging/core/driver'
import { SECTION } from './message-sections.ts'
import { ValueReader } from './read-value.ts'

/** More application properties than this nobody means. */
const MAX_PROPERTIES = 1_000

/** A message that came in: what this driver looks at of its head, and its bytes. */
export interface ReceivedMessage {
  readonly bytes: Buffer
  /** Milliseconds. */
  readonly ttl: number | undefined
  readonly deliveryCount: number
  /** False: somebody has had it before, or its sender says so; undefined: not said. */
  readonly isFirstAcquirer: boolean | undefined
  /** With its type as it was written, so that it can be given back so. */
  readonly messageId: Buffer | undefined
  readonly replyTo: string | undefined
  readonly subject: string | undefined
  /** Undefined: there is none, or it is no string, which none of ours is. */
  readonly correlationId: string | undefined
  /** Those that are strings; undefined: there are none. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Where the body begins. */
  readonly bodyAt: number
}

/** Reads the head of a message. Throws SerializationError when it is none. Source: AMQP 1.0, part 3.2. */
export function readMessage(bytes: Buffer): ReceivedMessage {
  const reader = new ValueReader(bytes)
  let header = NO_HEADER
  let properties = NO_PROPERTIES
  let headers: Readonly<Record<string, string>> | undefined
  if (reader.isAtEnd) throw new SerializationError('The message is empty')
  let bodyAt = 0
  while (!reader.isAtEnd) {
    bodyAt = reader.at
    const code = reader.descriptor()
    if (code === SECTION.header) header = readHeader(reader)
    else if (code === SECTION.properties) properties = readProperties(reader)
    else if (code === SECTION.applicationProperties) headers = readHeaders(reader)
    else if (code === SECTION.deliveryAnnotations || code === SECTION.messageAnnotations) reader.skip()
    else break
    bodyAt = reader.at
  }
  return { bytes, ...header, ...properties, headers, bodyAt }
}

/** The text of a body: a string value, or data sections of UTF-8. Null: a null value; undefined: there is no body.
 *  Throws SerializationError for anything else. */
export function bodyOf({ bytes, bodyAt }: ReceivedMessage): string | null | undefined {
  const reader = new ValueReader(bytes, bodyAt)
  if (reader.isAtEnd) return undefined
  const code = reader.descriptor()
  if (code === SECTION.footer) return undefined
  const parts = [code === SECTION.data || code === SECTION.value ? valueAt(reader) : undefined]
  while (!reader.isAtEnd) {
    const next = reader.descriptor()
    if (next === SECTION.footer) reader.skip()
    else if (code === SECTION.data && next === SECTION.data) parts.push(valueAt(reader))
    else throw new SerializationError('The message has more than one body')
  }
  const [first] = parts
  if (first === null && code === SECTION.value) return null
  if (typeof first === 'string' && code === SECTION.value) return first
  if (!parts.every((part) => Buffer.isBuffer(part)))
    throw new SerializationError('The body is neither a string nor data')
  const data = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  if (!isUtf8(data)) throw new SerializationError('The body is not UTF-8')
  return data.toString('utf8')
}

/** A null, a string or a binary; undefined for what nobody looks into. */
function valueAt(reader: ValueReader): unknown {
  const kind = reader.peek()
  if (kind === 0x40 || kind >>> 4 === 0xa || kind >>> 4 === 0xb) return reader.read()
  reader.skip()
  return undefined
}

const NO_HEADER = {
  ttl: undefined as number | undefined,
  isFirstAcquirer: undefined as boolean | undefined,
  deliveryCount: 0,
}

/** Shape: [durable, priority, ttl, first-acquirer, delivery-count]. */
function readHeader(reader: ValueReader): typeof NO_HEADER {
  const fields = readFields(reader, 5, (index) => (index >= 2 ? reader.read() : reader.skip()))
  const [, , ttl, first, count] = fields
  return {
    ttl: typeof ttl === 'number' ? ttl : undefined,
    isFirstAcquirer: typeof first === 'boolean' ? first : undefined,
    deliveryCount: typeof count === 'number' ? count : 0,
  }
}

const NO_PROPERTIES = {
  messageId: undefined as Buffer | undefined,
  replyTo: undefined as string | undefined,
  subject: undefined as string | undefined,
  correlationId: undefined as string | undefined,
}

/** Shape: [message-id, user-id, to, subject, reply-to, correlation-id, ...]. */
function readProperties(reader: ValueReader): typeof NO_PROPERTIES {
  const fields = readFields(reader, 6, (index) => (index >= 3 ? reader.read() : reader.skip()))
  const [messageId, , , subject, replyTo, correlationId] = fields
  const text = (field: unknown): string | undefined => (typeof field === 'string' ? field : undefined)
  return {
    messageId: Buffer.isBuffer(messageId) && messageId[0] !== 0x40 ? messageId : undefined,
    replyTo: text(replyTo),
    subject: text(subject),
    correlationId: text(correlationId),
  }
}

function readHeaders(reader: ValueReader): Readonly<Record<string, string>> | undefined {
  const { count, end } = reader.map()
  if (count % 2 !== 0 || count > 2 * MAX_PROPERTIES)
    throw new SerializationError(`The message has ${count / 2} application properties`)
  const headers: [string, string][] = []
  for (let index = 0; index < count; index += 2) {
    const name = reader.read()
    const value = reader.read()
    if (typeof name === 'string' && typeof value === 'string') headers.push([name, value])
  }
  reader.at = end
  return headers.length === 0 ? undefined : Object.fromEntries(headers)
}

/** The first fields of a list, each read by `take`; the others are left out. */
function readFields(reader: ValueReader, most: number, take: (index: number) => unknown): unknown[] {
  const { count, end } = reader.list()
  const fields: unknown[] = []
  for (let index = 0; index < count && index < most; index += 1) fields.push(take(index))
  if (reader.at > end) throw new SerializationError('Not readable as AMQP 1.0: a list is larger than it says')
  reader.at = end
  return fields
}
