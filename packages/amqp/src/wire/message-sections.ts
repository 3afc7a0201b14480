import { SerializationError } from '@oslo-messaging/core/driver'
import { ValueReader } from './read-value.ts'
import { value } from './write-value.ts'

/** Descriptors of sections. */
export const SECTION = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  value: 0x77,
  footer: 0x78,
} as const

/** A message in its encoding, cut before its body. */
export interface Sections {
  /** Each with its descriptor, by the descriptor's code. */
  readonly head: ReadonlyMap<number, Buffer>
  /** The body and what follows it. */
  readonly rest: Buffer
}

// Constructors of the specification, part 1.6.
const DESCRIBED = 0x00
const SMALL_ULONG = 0x53
const ULONG = 0x80
const LIST_0 = 0x45
const LIST_8 = 0xc0
const MAP_8 = 0xc1
const LIST_32 = 0xd0
const MAP_32 = 0xd1

/** Cuts a message into its sections without reading what is in them, so that none of it changes. Throws
 *  SerializationError when it is none. Source: AMQP 1.0, part 3.2: the sections before the body are lists and maps, in
 *  this order, each at most once. */
export function splitSections(message: Buffer): Sections {
  const head = new Map<number, Buffer>()
  let at = 0
  while (at < message.length) {
    const { code, value } = descriptorAt(message, at)
    if (code > SECTION.applicationProperties) break
    const end = endOfValue(message, value)
    head.set(code, message.subarray(at, end))
    at = end
  }
  return { head, rest: message.subarray(at) }
}

/** The fields of a section that is a list, each in its encoding. Throws SerializationError. */
export function fieldsOf(section: Buffer): Buffer[] {
  const reader = new ValueReader(section)
  reader.descriptor()
  const { count } = reader.list()
  return Array.from({ length: count }, () => reader.skip())
}

/** A section that is a list of such fields. */
export const listSection = (code: number, fields: readonly Buffer[]): Buffer =>
  value.described(code, value.list(fields))

/** The entries of a section that is a map, each key and value in its encoding. Throws SerializationError. */
export function entriesOf(section: Buffer): [key: Buffer, value: Buffer][] {
  const reader = new ValueReader(section)
  reader.descriptor()
  const { count } = reader.map()
  return Array.from({ length: count / 2 }, () => [reader.skip(), reader.skip()])
}

/** A section that is a map of such entries. */
export const mapSection = (code: number, entries: readonly (readonly [key: Buffer, value: Buffer])[]): Buffer =>
  value.described(code, value.map(entries))

function descriptorAt(message: Buffer, at: number): { readonly code: number; readonly value: number } {
  const kind = message[at + 1]
  if (message[at] === DESCRIBED && kind === SMALL_ULONG && at + 3 < message.length)
    return { code: message.readUInt8(at + 2), value: at + 3 }
  if (message[at] === DESCRIBED && kind === ULONG && at + 10 < message.length)
    return { code: Number(message.readBigUInt64BE(at + 2)), value: at + 10 }
  throw unreadable()
}

function endOfValue(message: Buffer, at: number): number {
  const end = endOf(message, at)
  if (end > message.length) throw unreadable()
  return end
}

function endOf(message: Buffer, at: number): number {
  switch (message[at]) {
    case LIST_0:
      return at + 1
    case LIST_8:
    case MAP_8:
      return at + 2 + (message[at + 1] ?? Infinity)
    case LIST_32:
    case MAP_32:
      return at + 5 < message.length ? at + 5 + message.readUInt32BE(at + 1) : Infinity
    default:
      throw unreadable()
  }
}

function unreadable(): SerializationError {
  return new SerializationError('The bytes are no AMQP 1.0 message')
}
