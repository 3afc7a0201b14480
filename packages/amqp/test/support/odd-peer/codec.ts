/** The types of AMQP 1.0 (part 1.6), written and read by this peer alone: what a client library does wrong with them
 *  must not be done wrong here as well. */

const fixed = (code: number, size: number, write: (bytes: Buffer) => unknown): Buffer => {
  const bytes = Buffer.alloc(size + 1)
  bytes.writeUInt8(code)
  write(bytes)
  return bytes
}

/** With one byte of size where that is enough, as most peers write. */
function variable(small: number, large: number, content: Buffer): Buffer {
  const head =
    content.length < 256
      ? Buffer.from([small, content.length])
      : fixed(large, 4, (bytes) => bytes.writeUInt32BE(content.length, 1))
  return Buffer.concat([head, content])
}

/** Lists, maps and arrays in their long form: constructor, size, count, items. */
function compound(code: number, count: number, items: Buffer): Buffer {
  const head = fixed(code, 8, (bytes) => {
    bytes.writeUInt32BE(items.length + 4, 1)
    bytes.writeUInt32BE(count, 5)
  })
  return Buffer.concat([head, items])
}

/** Values as bytes, each with its constructor. */
export const encode = {
  null: (): Buffer => Buffer.from([0x40]),
  boolean: (value: boolean): Buffer => Buffer.from([value ? 0x41 : 0x42]),
  ubyte: (value: number): Buffer => Buffer.from([0x50, value]),
  ushort: (value: number): Buffer => fixed(0x60, 2, (bytes) => bytes.writeUInt16BE(value, 1)),
  uint: (value: number): Buffer => fixed(0x70, 4, (bytes) => bytes.writeUInt32BE(value, 1)),
  ulong: (value: number): Buffer => fixed(0x80, 8, (bytes) => bytes.writeBigUInt64BE(BigInt(value), 1)),
  string: (value: string): Buffer => variable(0xa1, 0xb1, Buffer.from(value)),
  symbol: (value: string): Buffer => variable(0xa3, 0xb3, Buffer.from(value)),
  binary: (value: Buffer): Buffer => variable(0xa0, 0xb0, value),
  list: (items: readonly Buffer[]): Buffer => compound(0xd0, items.length, Buffer.concat(items)),
  map: (entries: readonly (readonly [Buffer, Buffer])[]): Buffer =>
    compound(0xd1, entries.length * 2, Buffer.concat(entries.flat())),
  /** An array of symbols: one constructor, then each with four bytes of size. */
  symbols: (values: readonly string[]): Buffer =>
    compound(0xf0, values.length, Buffer.concat([Buffer.from([0xb3]), ...values.map(sized)])),
  described: (code: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([0x00, 0x53, code]), value]),
}

function sized(text: string): Buffer {
  const content = Buffer.from(text)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(content.length)
  return Buffer.concat([size, content])
}

/** A value with a descriptor. */
export class Described {
  readonly code: number
  readonly value: unknown
  constructor(code: number, value: unknown) {
    this.code = code
    this.value = value
  }
}

interface Read {
  readonly value: unknown
  /** Where the next value begins. */
  readonly end: number
}

/** Reads one value. Symbols are strings, longs numbers, maps objects by the text of their keys. Throws RangeError for
 *  what it does not know or what is cut off. */
export function decode(bytes: Buffer, at = 0): Read {
  const code = bytes.readUInt8(at)
  if (code !== 0x00) return decodeAs(code, bytes, at + 1)
  const descriptor = decode(bytes, at + 1)
  const { value, end } = decode(bytes, descriptor.end)
  return { value: new Described(Number(descriptor.value), value), end }
}

const SIMPLE: Readonly<Record<number, readonly [size: number, read: (bytes: Buffer, at: number) => unknown]>> = {
  0x40: [0, () => null],
  0x41: [0, () => true],
  0x42: [0, () => false],
  0x43: [0, () => 0],
  0x44: [0, () => 0],
  0x45: [0, () => []],
  0x50: [1, (bytes, at) => bytes.readUInt8(at)],
  0x51: [1, (bytes, at) => bytes.readInt8(at)],
  0x52: [1, (bytes, at) => bytes.readUInt8(at)],
  0x53: [1, (bytes, at) => bytes.readUInt8(at)],
  0x54: [1, (bytes, at) => bytes.readInt8(at)],
  0x55: [1, (bytes, at) => bytes.readInt8(at)],
  0x56: [1, (bytes, at) => bytes.readUInt8(at) === 1],
  0x60: [2, (bytes, at) => bytes.readUInt16BE(at)],
  0x61: [2, (bytes, at) => bytes.readInt16BE(at)],
  0x70: [4, (bytes, at) => bytes.readUInt32BE(at)],
  0x71: [4, (bytes, at) => bytes.readInt32BE(at)],
  0x80: [8, (bytes, at) => Number(bytes.readBigUInt64BE(at))],
  0x81: [8, (bytes, at) => Number(bytes.readBigInt64BE(at))],
  0x83: [8, (bytes, at) => Number(bytes.readBigInt64BE(at))],
  0x98: [16, (bytes, at) => bytes.toString('hex', at, at + 16)],
}

function decodeAs(code: number, bytes: Buffer, at: number): Read {
  const simple = SIMPLE[code]
  if (simple !== undefined) {
    const [size, read] = simple
    if (at + size > bytes.length) throw new RangeError('The value is cut off')
    return { value: read(bytes, at), end: at + size }
  }
  const isLarge = (code & 0x10) !== 0
  const size = isLarge ? bytes.readUInt32BE(at) : bytes.readUInt8(at)
  const start = at + (isLarge ? 4 : 1)
  const end = start + size
  if (end > bytes.length) throw new RangeError('The value is cut off')
  switch (code) {
    case 0xa0:
    case 0xb0:
      return { value: bytes.subarray(start, end), end }
    case 0xa1:
    case 0xa3:
    case 0xb1:
    case 0xb3:
      return { value: bytes.toString('utf8', start, end), end }
    case 0xc0:
    case 0xd0:
      return { value: items(bytes, start, isLarge), end }
    case 0xc1:
    case 0xd1:
      return { value: asObject(items(bytes, start, isLarge)), end }
    case 0xe0:
    case 0xf0:
      return { value: elements(bytes, start, isLarge), end }
    default:
      throw new RangeError(`0x${code.toString(16)} is no type this peer knows`)
  }
}

function countAt(bytes: Buffer, at: number, isLarge: boolean): Read & { readonly value: number } {
  return isLarge ? { value: bytes.readUInt32BE(at), end: at + 4 } : { value: bytes.readUInt8(at), end: at + 1 }
}

function items(bytes: Buffer, start: number, isLarge: boolean): unknown[] {
  const count = countAt(bytes, start, isLarge)
  const found: unknown[] = []
  for (let at = count.end; found.length < count.value;) {
    const { value, end } = decode(bytes, at)
    found.push(value)
    at = end
  }
  return found
}

function elements(bytes: Buffer, start: number, isLarge: boolean): unknown[] {
  const count = countAt(bytes, start, isLarge)
  const code = bytes.readUInt8(count.end)
  const found: unknown[] = []
  for (let at = count.end + 1; found.length < count.value;) {
    const { value, end } = decodeAs(code, bytes, at)
    found.push(value)
    at = end
  }
  return found
}

function asObject(pairs: readonly unknown[]): Record<string, unknown> {
  const entries: [string, unknown][] = []
  for (let at = 0; at + 1 < pairs.length; at += 2) entries.push([String(pairs[at]), pairs[at + 1]])
  return Object.fromEntries(entries)
}
