/** Values in the encoding of AMQP 1.0, each with its constructor, for everything that is written rarely. Messages and
 *  transfers are written in one piece elsewhere. Source: AMQP 1.0, part 1.6. */
export const value = {
  nothing: (): Buffer => Buffer.from([0x40]),
  boolean: (given: boolean): Buffer => Buffer.from([given ? 0x41 : 0x42]),
  ubyte: (given: number): Buffer => Buffer.from([0x50, given]),
  ushort: (given: number): Buffer => Buffer.from([0x60, given >>> 8, given & 0xff]),
  uint: (given: number): Buffer => {
    const bytes = Buffer.from([0x70, 0, 0, 0, 0])
    bytes.writeUInt32BE(given, 1)
    return bytes
  },
  ulong: (given: number): Buffer => {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0x80
    bytes.writeBigUInt64BE(BigInt(given), 1)
    return bytes
  },
  string: (given: string): Buffer => variable(0xa1, Buffer.from(given)),
  symbol: (given: string): Buffer => variable(0xa3, Buffer.from(given, 'latin1')),
  binary: (given: Buffer): Buffer => variable(0xa0, given),
  list: (items: readonly Buffer[]): Buffer =>
    items.length === 0 ? Buffer.from([0x45]) : compound(0xc0, items.length, Buffer.concat(items)),
  map: (entries: readonly (readonly [key: Buffer, value: Buffer])[]): Buffer =>
    compound(0xc1, entries.length * 2, Buffer.concat(entries.flat())),
  /** An array of symbols: one constructor for all, then each with its size. */
  symbols: (given: readonly string[]): Buffer =>
    compound(
      0xe0,
      given.length,
      Buffer.concat([Buffer.from([0xb3]), ...given.map((each) => sized(Buffer.from(each, 'latin1')))]),
    ),
  described: (code: number, given: Buffer): Buffer => Buffer.concat([Buffer.from([0x00, 0x53, code]), given]),
}

/** A value of JavaScript as the nearest of AMQP's: strings, booleans, whole numbers, null, and objects of them as maps
 *  with string keys. */
export function valueOf(given: unknown): Buffer {
  if (given === null || given === undefined) return value.nothing()
  if (typeof given === 'boolean') return value.boolean(given)
  if (typeof given === 'string') return value.string(given)
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0)
    return given < 2 ** 32 ? value.uint(given) : value.ulong(given)
  if (typeof given === 'object' && !Array.isArray(given))
    return value.map(Object.entries(given).map(([name, each]) => [value.string(name), valueOf(each)] as const))
  throw new TypeError(`No AMQP type for ${typeof given}`)
}

/** `small` is the constructor for up to 255 bytes, the one with 32 bits of size is 0x10 above it. */
function variable(small: number, content: Buffer): Buffer {
  if (content.length < 0x100) return Buffer.concat([Buffer.from([small, content.length]), content])
  return Buffer.concat([Buffer.from([small + 0x10]), sized(content)])
}

function compound(small: number, count: number, items: Buffer): Buffer {
  if (items.length + 1 < 0x100 && count < 0x100)
    return Buffer.concat([Buffer.from([small, items.length + 1, count]), items])
  const head = Buffer.alloc(9)
  head[0] = small + 0x10
  head.writeUInt32BE(items.length + 4, 1)
  head.writeUInt32BE(count, 5)
  return Buffer.concat([head, items])
}

function sized(content: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(content.length)
  return Buffer.concat([size, content])
}
