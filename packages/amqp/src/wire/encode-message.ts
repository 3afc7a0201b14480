/** A message as this driver sends it. */
export interface EncodableMessage {
  readonly to: string
  /** JSON text; null: a null value; undefined: no body section at all, which is a sign of life. */
  readonly body: string | null | undefined
  readonly message_id?: string
  readonly reply_to?: string
  /** Or, with its type as it was written, what a client chose for its request. */
  readonly correlation_id?: string | Buffer | undefined
  /** Milliseconds. */
  readonly ttl?: number | undefined
  readonly durable?: boolean
  readonly application_properties?: Readonly<Record<string, string>> | undefined
  /** The whole message as it is to be written, nothing above counts then: one that somebody else has sent before. */
  readonly encoded?: Buffer
}

// Constructors of the specification, part 1.6 and 3.2.
const DESCRIBED = 0x00
const SMALL_ULONG = 0x53
const HEADER = 0x70
const PROPERTIES = 0x73
const APPLICATION_PROPERTIES = 0x74
const AMQP_VALUE = 0x77
const NULL = 0x40
const TRUE = 0x41
const UINT = 0x70
const STRING_8 = 0xa1
const STRING_32 = 0xb1
const LIST_8 = 0xc0
const LIST_32 = 0xd0
const MAP_32 = 0xd1
const DESCRIPTOR_BYTES = 3
const COMPOUND_32_BYTES = 9

/** The places of the properties in their list; user-id and subject are never there. */
type Fields = readonly [
  messageId: string | undefined,
  userId: undefined,
  to: string,
  subject: undefined,
  replyTo: string | undefined,
  correlationId: string | Buffer | undefined,
]

/** The sections of a message in one buffer.
 *  Shape: header (durable, ttl), properties, application properties (strings), and the body as an amqp-value. Source:
 *  AMQP 1.0, part 3.2; WIRE 7.4. */
export function encodeMessage(message: EncodableMessage): Buffer {
  if (message.encoded !== undefined) return message.encoded
  const { to, body, message_id: id, reply_to: replyTo, correlation_id: correlationId } = message
  const fields: Fields = [id, undefined, to, undefined, replyTo, correlationId]
  const fieldBytes = fields.reduce((sum, field) => sum + sizeOf(field), 0)
  const entries = Object.entries(message.application_properties ?? {})
  const entryBytes = entries.reduce((sum, [name, value]) => sum + sizeOf(name) + sizeOf(value), 0)
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : 0
  const writer = new SectionWriter(
    // The most that each section takes.
    2 * (DESCRIPTOR_BYTES + COMPOUND_32_BYTES) + 7 + fieldBytes + entryBytes + 2 * DESCRIPTOR_BYTES + 9 + 5 + bodyBytes,
  )
  if (message.durable === true || message.ttl !== undefined) writer.header(message.durable === true, message.ttl)
  writer.properties(fields, fieldBytes)
  if (entries.length > 0) writer.applicationProperties(entries, entryBytes)
  if (body !== undefined) writer.value(body, bodyBytes)
  return writer.written()
}

/** Bytes of a string with its constructor, of a value that has one, or of the null in its place. */
function sizeOf(text: string | Buffer | undefined): number {
  if (text === undefined) return 1
  if (typeof text !== 'string') return text.length
  const bytes = Buffer.byteLength(text)
  return bytes + (bytes < 0x100 ? 2 : 5)
}

class SectionWriter {
  readonly #buffer: Buffer
  #at = 0

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes)
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  header(durable: boolean, ttl: number | undefined): void {
    this.#descriptor(HEADER)
    this.#byte(LIST_8)
    this.#byte(ttl === undefined ? 2 : 8)
    this.#byte(ttl === undefined ? 1 : 3)
    this.#byte(durable ? TRUE : NULL)
    if (ttl === undefined) return
    this.#byte(NULL)
    this.#byte(UINT)
    this.#uint(Math.min(ttl, 0xffffffff))
  }

  properties(fields: Fields, bytes: number): void {
    this.#descriptor(PROPERTIES)
    if (bytes + 1 < 0x100) {
      this.#byte(LIST_8)
      this.#byte(bytes + 1)
      this.#byte(fields.length)
    } else this.#compound(LIST_32, bytes, fields.length)
    for (const field of fields) {
      if (field === undefined) this.#byte(NULL)
      else if (typeof field === 'string') this.#text(field)
      else this.#at += field.copy(this.#buffer, this.#at)
    }
  }

  applicationProperties(entries: readonly (readonly [string, string])[], bytes: number): void {
    this.#descriptor(APPLICATION_PROPERTIES)
    this.#compound(MAP_32, bytes, entries.length * 2)
    for (const [name, value] of entries) {
      this.#text(name)
      this.#text(value)
    }
  }

  value(body: string | null, bytes: number): void {
    this.#descriptor(AMQP_VALUE)
    if (body === null) this.#byte(NULL)
    else this.#text(body, bytes)
  }

  #descriptor(code: number): void {
    this.#byte(DESCRIBED)
    this.#byte(SMALL_ULONG)
    this.#byte(code)
  }

  /** `bytes` of what is in it; its count is counted as well. */
  #compound(constructor: number, bytes: number, count: number): void {
    this.#byte(constructor)
    this.#uint(bytes + 4)
    this.#uint(count)
  }

  #text(text: string, bytes: number = Buffer.byteLength(text)): void {
    if (bytes < 0x100) {
      this.#byte(STRING_8)
      this.#byte(bytes)
    } else {
      this.#byte(STRING_32)
      this.#uint(bytes)
    }
    this.#at += this.#buffer.write(text, this.#at)
  }

  #byte(value: number): void {
    this.#buffer[this.#at++] = value
  }

  #uint(value: number): void {
    this.#at = this.#buffer.writeUInt32BE(value, this.#at)
  }
}
