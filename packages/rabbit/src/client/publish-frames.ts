import { BODY_FRAME, FRAME_END, FRAME_HEAD, FRAME_TAIL, HEADER_FRAME, METHOD_FRAME } from './frame-reader.ts'

/** Fields and properties of a basic.publish, as amqplib hands them to its encoder. */
export interface PublishFields {
  readonly exchange: string
  readonly routingKey: string
  readonly mandatory: boolean
  readonly contentType: unknown
  readonly contentEncoding: unknown
  readonly headers: Readonly<Record<string, unknown>>
  readonly deliveryMode: unknown
  readonly priority: unknown
  readonly expiration: unknown
  readonly correlationId: unknown
  readonly replyTo: unknown
  readonly messageId: unknown
  readonly timestamp: unknown
  readonly type: unknown
  readonly userId: unknown
  readonly appId: unknown
}

/** The one kind of content that is written here. */
export const CONTENT_TYPE = 'application/json'
export const CONTENT_ENCODING = 'utf-8'
const PERSISTENT = 2

/** Longest text of which the length fits into a byte, whatever its characters are: three bytes each at most. */
const LONGEST_SHORT_TEXT = 85
/** Headers that may take more are left to amqplib, which knows what a frame can hold. */
const MOST_HEADER_BYTES = 4096
/** Around the texts: two frames, methods and classes, flags, lengths, and what is the same in all messages. */
const FIXED_BYTES = 96

const PUBLISH = 0x3c_0028
const BASIC_CLASS = 0x3c_0000
const MANDATORY = 1
/** Content type, content encoding, headers, delivery mode, priority. */
const FLAGS = 0x8000 | 0x4000 | 0x2000 | 0x1000 | 0x0800
const EXPIRATION_FLAG = 0x0100

/** Most bytes that the frames before the body may take; 0 when the message is not of the kind that is written here. */
export function roomForHead(fields: PublishFields): number {
  const { exchange, routingKey, expiration } = fields
  if (
    fields.contentType !== CONTENT_TYPE ||
    fields.contentEncoding !== CONTENT_ENCODING ||
    fields.deliveryMode !== PERSISTENT ||
    fields.priority !== 0 ||
    fields.correlationId !== undefined ||
    fields.replyTo !== undefined ||
    fields.messageId !== undefined ||
    fields.timestamp !== undefined ||
    fields.type !== undefined ||
    fields.userId !== undefined ||
    fields.appId !== undefined ||
    exchange.length > LONGEST_SHORT_TEXT ||
    routingKey.length > LONGEST_SHORT_TEXT
  )
    return 0
  let characters = exchange.length + routingKey.length
  if (expiration !== undefined) {
    if (typeof expiration !== 'string' || expiration.length > LONGEST_SHORT_TEXT) return 0
    characters += expiration.length
  }
  let headerBytes = 0
  // As amqplib does, with what is inherited: it derives the headers of a message from those it was given.
  for (const name in fields.headers) {
    const value = fields.headers[name]
    if (typeof value !== 'string' || name.length > LONGEST_SHORT_TEXT) return 0
    headerBytes += 6 + 3 * (name.length + value.length)
  }
  return headerBytes > MOST_HEADER_BYTES ? 0 : FIXED_BYTES + 3 * characters + headerBytes
}

/** Writes the method and the header of a message, byte for byte as amqplib does; gives where they end. `roomForHead`
 *  says how much room that may take. */
export function writeHead(
  target: Buffer,
  start: number,
  channel: number,
  fields: PublishFields,
  bodyBytes: number,
): number {
  let at = beginFrame(target, start, METHOD_FRAME, channel)
  target.writeUInt32BE(PUBLISH, at)
  target[at + 4] = 0
  target[at + 5] = 0
  at = writeShort(target, at + 6, fields.exchange)
  at = writeShort(target, at, fields.routingKey)
  target[at] = fields.mandatory ? MANDATORY : 0
  const header = endFrame(target, start, at + 1)

  const expiration = fields.expiration as string | undefined
  at = beginFrame(target, header, HEADER_FRAME, channel)
  target.writeUInt32BE(BASIC_CLASS, at)
  target.writeUInt32BE(0, at + 4)
  target.writeUInt32BE(bodyBytes, at + 8)
  target.writeUInt16BE(expiration === undefined ? FLAGS : FLAGS | EXPIRATION_FLAG, at + 12)
  at = writeShort(target, at + 14, CONTENT_TYPE)
  at = writeShort(target, at, CONTENT_ENCODING)
  at = writeHeaders(target, at, fields.headers)
  target[at] = PERSISTENT
  target[at + 1] = 0
  at += 2
  if (expiration !== undefined) at = writeShort(target, at, expiration)
  return endFrame(target, header, at)
}

/** Writes what stands before the body in its one frame; gives where that ends. */
export function beginBody(target: Buffer, start: number, channel: number, bodyBytes: number): number {
  const at = beginFrame(target, start, BODY_FRAME, channel)
  target.writeUInt32BE(bodyBytes, start + 3)
  return at
}

function beginFrame(target: Buffer, start: number, type: number, channel: number): number {
  target[start] = type
  target.writeUInt16BE(channel, start + 1)
  return start + FRAME_HEAD
}

function endFrame(target: Buffer, start: number, end: number): number {
  target.writeUInt32BE(end - start - FRAME_HEAD, start + 3)
  target[end] = FRAME_END
  return end + FRAME_TAIL
}

function writeHeaders(target: Buffer, start: number, headers: Readonly<Record<string, unknown>>): number {
  let at = start + 4
  for (const name in headers) {
    at = writeShort(target, at, name)
    target[at] = LONG_TEXT
    const bytes = target.write(String(headers[name]), at + 5)
    target.writeUInt32BE(bytes, at + 1)
    at += 5 + bytes
  }
  target.writeUInt32BE(at - start - 4, start)
  return at
}

/** `S`, the type of texts in a table. */
const LONG_TEXT = 0x53

/** A text with its length in a byte before it; gives where it ends. For a few dozen characters a loop is quicker than a
 *  call into the engine. */
function writeShort(target: Buffer, start: number, text: string): number {
  const { length } = text
  const from = start + 1
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) {
      const bytes = target.write(text, from)
      target[start] = bytes
      return from + bytes
    }
    target[from + index] = code
  }
  target[start] = length
  return from + length
}
