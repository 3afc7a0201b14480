import { isUtf8 } from 'node:buffer'
import { SerializationError } from '@oslo-messaging/core/driver'

/** Lists, maps, arrays and descriptors within each other. */
const MAX_DEPTH = 32
/** Values of one frame or section, those inside others included. What we read on purpose has a few dozen. */
const MAX_VALUES = 20_000

/** A value with a descriptor that says what it means. */
export class Described {
  readonly code: number
  readonly value: unknown

  constructor(code: number, value: unknown) {
    this.code = code
    this.value = value
  }
}

/** Descriptors may be written out; these are the ones that matter here. Source: AMQP 1.0, part 3.2 and 3.4. */
const CODES: Readonly<Record<string, number>> = {
  'amqp:error:list': 0x1d,
  'amqp:received:list': 0x23,
  'amqp:accepted:list': 0x24,
  'amqp:rejected:list': 0x25,
  'amqp:released:list': 0x26,
  'amqp:modified:list': 0x27,
  'amqp:source:list': 0x28,
  'amqp:target:list': 0x29,
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': 0x73,
  'amqp:application-properties:map': 0x74,
  'amqp:data:binary': 0x75,
  'amqp:amqp-sequence:list': 0x76,
  'amqp:amqp-value:*': 0x77,
  'amqp:value:*': 0x77,
  'amqp:footer:map': 0x78,
}

const unreadable = (why: string): SerializationError => new SerializationError(`Not readable as AMQP 1.0: ${why}`)

/** Reads values of the encoding of AMQP 1.0 out of bytes that nobody has checked: never past the end, never deeper or
 *  more than the bounds above, and never taking memory for what is only announced. Every method throws
 *  SerializationError for what it cannot read. Strings and symbols are strings, numbers are numbers (bigint where 53
 *  bits are not enough), binaries and uuids are views of the bytes, lists and arrays are arrays, maps are Maps. Source:
 *  AMQP 1.0, part 1.6. */
export class ValueReader {
  at: number
  readonly #bytes: Buffer
  readonly #end: number
  #left = MAX_VALUES

  constructor(bytes: Buffer, at = 0, end: number = bytes.length) {
    this.#bytes = bytes
    this.at = at
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.at >= this.#end
  }

  /** The constructor of the next value; 0 for a descriptor. */
  peek(): number {
    const code = this.#byte(this.#end)
    this.at -= 1
    return code
  }

  read(): unknown {
    return this.#value(this.#end, 0)
  }

  /** Goes past a value without looking into it. Returns its bytes, constructor and descriptor included. */
  skip(): Buffer {
    const from = this.at
    this.#skip(this.#end, 0)
    return this.#bytes.subarray(from, this.at)
  }

  /** A descriptor as its code; what follows is the value it describes. */
  descriptor(): number {
    if (this.#byte(this.#end) !== 0x00) throw unreadable('a descriptor is missing')
    return this.#descriptorCode(this.#end, 0)
  }

  /** The head of a list: how many values follow before `end`. */
  list(): { readonly count: number; readonly end: number } {
    const code = this.#byte(this.#end)
    if (code === 0x45) return { count: 0, end: this.at }
    if (code !== 0xc0 && code !== 0xd0) throw unreadable('a list is missing')
    return this.#compound(code, this.#end)
  }

  /** The head of a map. */
  map(): { readonly count: number; readonly end: number } {
    const code = this.#byte(this.#end)
    if (code !== 0xc1 && code !== 0xd1) throw unreadable('a map is missing')
    return this.#compound(code, this.#end)
  }

  #byte(end: number): number {
    if (this.at >= end) throw unreadable('it ends in the middle of a value')
    return this.#bytes[this.at++] as number
  }

  /** The offset of the next `size` bytes, which are there. */
  #take(size: number, end: number): number {
    const from = this.at
    if (size > end - from) throw unreadable('it ends in the middle of a value')
    this.at = from + size
    return from
  }

  #uint(width: number, end: number): number {
    const at = this.#take(width, end)
    return width === 1 ? (this.#bytes[at] as number) : this.#bytes.readUInt32BE(at)
  }

  #compound(code: number, end: number): { readonly count: number; readonly end: number } {
    const width = (code & 0x10) === 0 ? 1 : 4
    const size = this.#uint(width, end)
    if (size < width || size > end - this.at) throw unreadable('a list or map is larger than what it is in')
    const inner = this.at + size
    const count = this.#uint(width, inner)
    // Every value has one byte at least, so what is only announced shows here.
    if (count > inner - this.at) throw unreadable('a list or map has fewer values than it says')
    return { count, end: inner }
  }

  #descriptorCode(end: number, depth: number): number {
    const descriptor = this.#value(end, depth + 1)
    if (typeof descriptor === 'number') return descriptor
    return (typeof descriptor === 'string' ? CODES[descriptor] : undefined) ?? -1
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw unreadable('it is too deep')
    this.#left -= 1
    if (this.#left < 0) throw unreadable('it has too many values')
  }

  #value(end: number, depth: number): unknown {
    this.#enter(depth)
    const code = this.#byte(end)
    if (code === 0x00) {
      const descriptor = this.#descriptorCode(end, depth)
      return new Described(descriptor, this.#value(end, depth + 1))
    }
    return this.#valueOf(code, end, depth)
  }

  #valueOf(code: number, end: number, depth: number): unknown {
    switch (code >>> 4) {
      case 0x4:
        return emptyOf(code)
      case 0xa:
      case 0xb:
        return this.#variable(code, end)
      case 0xc:
      case 0xd:
        return this.#listOrMap(code, end, depth)
      case 0xe:
      case 0xf:
        return this.#array(code, end, depth)
      default:
        return this.#fixed(code, end)
    }
  }

  #fixed(code: number, end: number): unknown {
    const bytes = this.#bytes
    const width = WIDTHS[code >>> 4]
    if (width === undefined) throw unreadable(`unknown type 0x${code.toString(16)}`)
    const at = this.#take(width, end)
    switch (code) {
      case 0x50:
      case 0x52:
      case 0x53:
        return bytes[at]
      case 0x51:
      case 0x54:
      case 0x55:
        return bytes.readInt8(at)
      case 0x56:
        return bytes[at] !== 0
      case 0x60:
        return bytes.readUInt16BE(at)
      case 0x61:
        return bytes.readInt16BE(at)
      case 0x70:
      case 0x73:
        return bytes.readUInt32BE(at)
      case 0x71:
        return bytes.readInt32BE(at)
      case 0x72:
        return bytes.readFloatBE(at)
      case 0x80:
        return numberOf(bytes.readBigUInt64BE(at))
      case 0x81:
      case 0x83:
        return numberOf(bytes.readBigInt64BE(at))
      case 0x82:
        return bytes.readDoubleBE(at)
      case 0x74:
      case 0x84:
      case 0x94:
      case 0x98:
        return bytes.subarray(at, at + width)
      default:
        throw unreadable(`unknown type 0x${code.toString(16)}`)
    }
  }

  #variable(code: number, end: number): string | Buffer {
    const size = this.#uint((code & 0x10) === 0 ? 1 : 4, end)
    const at = this.#take(size, end)
    const content = this.#bytes.subarray(at, at + size)
    switch (code & 0xf) {
      case 0x0:
        return content
      case 0x1:
        if (!isUtf8(content)) throw unreadable('a string is not UTF-8')
        return content.toString('utf8')
      case 0x3:
        return content.toString('latin1')
      default:
        throw unreadable(`unknown type 0x${code.toString(16)}`)
    }
  }

  #listOrMap(code: number, outer: number, depth: number): unknown {
    const isMap = (code & 0xf) === 1
    if (!isMap && (code & 0xf) !== 0) throw unreadable(`unknown type 0x${code.toString(16)}`)
    const { count, end } = this.#compound(code, outer)
    if (isMap && count % 2 !== 0) throw unreadable('a map has a key without a value')
    const values: unknown[] = []
    for (let index = 0; index < count; index += 1) values.push(this.#value(end, depth + 1))
    this.at = end
    if (!isMap) return values
    const map = new Map<unknown, unknown>()
    for (let index = 0; index < count; index += 2) map.set(values[index], values[index + 1])
    return map
  }

  #array(code: number, outer: number, depth: number): unknown[] {
    if ((code & 0xf) !== 0) throw unreadable(`unknown type 0x${code.toString(16)}`)
    const width = (code & 0x10) === 0 ? 1 : 4
    const size = this.#uint(width, outer)
    if (size < width || size > outer - this.at) throw unreadable('an array is larger than what it is in')
    const end = this.at + size
    const count = this.#uint(width, end)
    const element = this.#byte(end)
    if (element === 0x00) {
      this.#descriptorCode(end, depth)
      return this.#elements(this.#byte(end), count, end, depth)
    }
    return this.#elements(element, count, end, depth)
  }

  #elements(code: number, count: number, end: number, depth: number): unknown[] {
    if (count > this.#left) throw unreadable('it has too many values')
    const values: unknown[] = []
    for (let index = 0; index < count; index += 1) {
      this.#enter(depth + 1)
      values.push(this.#valueOf(code, end, depth + 1))
    }
    this.at = end
    return values
  }

  #skip(end: number, depth: number): void {
    this.#enter(depth)
    const code = this.#byte(end)
    if (code === 0x00) {
      this.#skip(end, depth + 1)
      return this.#skip(end, depth + 1)
    }
    const width = WIDTHS[code >>> 4]
    if (width !== undefined) this.#take(width, end)
    else if (code >= 0xa0) this.#take(this.#uint((code & 0x10) === 0 ? 1 : 4, end), end)
    else throw unreadable(`unknown type 0x${code.toString(16)}`)
  }
}

/** Bytes of a value of fixed size, by the first half of its constructor. */
const WIDTHS: readonly (number | undefined)[] = [undefined, undefined, undefined, undefined, 0, 1, 2, 4, 8, 16]

function emptyOf(code: number): unknown {
  switch (code) {
    case 0x40:
      return null
    case 0x41:
      return true
    case 0x42:
      return false
    case 0x43:
    case 0x44:
      return 0
    case 0x45:
      return []
    default:
      throw unreadable(`unknown type 0x${code.toString(16)}`)
  }
}

const numberOf = (value: bigint): number | bigint =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value
