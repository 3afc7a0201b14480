import { decode, Described, encode } from './codec.ts'

/** What this peer reads and writes of a message. */
export interface PlainMessage {
  readonly messageId?: string
  readonly to?: string
  readonly replyTo?: string
  readonly correlationId?: string
  /** Milliseconds. */
  readonly ttl?: number
  readonly subject?: string
  /** A string, or what else was in an amqp-value. */
  readonly body?: unknown
}

const HEADER = 0x70
const PROPERTIES = 0x73
const VALUE = 0x77

/** A message in its encoding: properties, and an amqp-value when there is a body: a string, or null for anything
 *  else. */
export function messageBytes({ messageId, to, subject, replyTo, correlationId, body }: PlainMessage): Buffer {
  const properties = [messageId, undefined, to, subject, replyTo, correlationId].map((each) =>
    each === undefined ? encode.null() : encode.string(each),
  )
  return Buffer.concat([
    encode.described(PROPERTIES, encode.list(properties)),
    body === undefined
      ? Buffer.alloc(0)
      : encode.described(VALUE, typeof body === 'string' ? encode.string(body) : encode.null()),
  ])
}

/** Bodies that no client can make anything of, each with what is wrong with it. */
export const BAD_MESSAGES: Readonly<Record<string, Buffer>> = {
  'an unknown type code': Buffer.from([0x00, 0x53, VALUE, 0x3f, 0x01]),
  truncated: Buffer.from([0x00, 0x53, VALUE, 0xb1, 0x00, 0x00, 0x10, 0x00, 0x41]),
  empty: Buffer.alloc(0),
  'a null where a map belongs': Buffer.from([0x00, 0x53, 0x74, 0x40, 0x00, 0x53, VALUE, 0xa1, 0x01, 0x41]),
  'an array of 2^32-1 nulls': Buffer.from([0x00, 0x53, VALUE, 0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40]),
  'a list in a list, 10,000 times': Buffer.concat([Buffer.from([0x00, 0x53, VALUE]), nested(10_000)]),
  'no descriptor': Buffer.from([0x41, 0x41, 0x41, 0x41]),
  'a list that says it is larger than the message': Buffer.from([0x00, 0x53, PROPERTIES, 0xd0, 0x7f, 0xff, 0xff, 0xff]),
  'not UTF-8': Buffer.from([0x00, 0x53, VALUE, 0xa1, 0x02, 0xff, 0xfe]),
}

function nested(depth: number): Buffer {
  const heads: Buffer[] = []
  for (let level = 0; level < depth; level += 1) {
    const head = Buffer.from([0xd0, 0, 0, 0, 0, 0, 0, 0, 1])
    head.writeUInt32BE((depth - level - 1) * 9 + 5, 1)
    heads.push(head)
  }
  return Buffer.concat([...heads, encode.null()])
}

/** Reads a message. Throws RangeError for what is none. */
export function readMessage(bytes: Buffer): PlainMessage {
  let message: PlainMessage = {}
  for (let at = 0; at < bytes.length;) {
    const { value, end } = decode(bytes, at)
    at = end
    if (value instanceof Described) message = { ...message, ...sectionOf(value) }
  }
  return message
}

function sectionOf({ code, value }: Described): PlainMessage {
  if (code === VALUE) return { body: value }
  const list = value as readonly unknown[]
  if (code === HEADER) return typeof list[2] === 'number' ? { ttl: list[2] } : {}
  if (code !== PROPERTIES) return {}
  const names = ['messageId', 'userId', 'to', 'subject', 'replyTo', 'correlationId'] as const
  return Object.fromEntries(names.flatMap((name, at) => (typeof list[at] === 'string' ? [[name, list[at]]] : [])))
}
