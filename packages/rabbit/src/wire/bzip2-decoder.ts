/** bzip2, read from its format: Huffman-coded move-to-front ranks of a Burrows-Wheeler block, run lengths before and
 *  after.
 *  Throws Error with what is wrong; never returns more than `mostBytes`, nor takes memory for more. */
export function decompressBzip2(input: Uint8Array, mostBytes: number): Buffer {
  const bits = new BitReader(input)
  if (bits.read(24) !== 0x425a68) throw new Error('not a bzip2 stream')
  const level = bits.read(8) - 0x30
  if (level < 1 || level > 9) throw new Error('not a bzip2 stream')
  const output = new Output(mostBytes)
  for (;;) {
    const magic = bits.read(24) * 0x1000000 + bits.read(24)
    if (magic === END_MAGIC) break
    if (magic !== BLOCK_MAGIC) throw new Error('a block does not begin where it should')
    readBlock(bits, level * 100_000, output)
  }
  return output.bytes()
}

export const BLOCK_MAGIC = 0x314159265359
export const END_MAGIC = 0x177245385090
/** Symbols 0 and 1 of the alphabet write run lengths of the first rank. */
export const RUN_A = 0
export const RUN_B = 1
/** Symbols that share a choice of table. */
export const GROUP_SIZE = 50
const LONGEST_CODE = 20

function readBlock(bits: BitReader, mostSymbols: number, output: Output): void {
  // The checksum of the block: the envelope above is checked as JSON anyway.
  bits.read(16)
  bits.read(16)
  if (bits.read(1) === 1) throw new Error('randomized blocks are not supported')
  const origin = bits.read(24)
  const used = readUsedBytes(bits)
  const tables = readTables(bits, used.length + 2)
  const block = readRanks(bits, used, tables, mostSymbols)
  if (origin >= block.length) throw new Error('the origin lies outside the block')
  writeText(block, origin, output)
}

/** Which byte values occur: 16 bits for the rows that have any, then 16 for each of these. */
function readUsedBytes(bits: BitReader): Uint8Array {
  const rows = bits.read(16)
  const used: number[] = []
  for (let row = 0; row < 16; row += 1) {
    if ((rows & (0x8000 >> row)) === 0) continue
    const columns = bits.read(16)
    for (let column = 0; column < 16; column += 1)
      if ((columns & (0x8000 >> column)) !== 0) used.push(row * 16 + column)
  }
  return Uint8Array.from(used)
}

interface Tables {
  readonly selectors: Uint8Array
  readonly codes: readonly HuffmanTable[]
}

function readTables(bits: BitReader, symbols: number): Tables {
  const count = bits.read(3)
  const selectorCount = bits.read(15)
  if (count < 2 || count > 6 || selectorCount < 1) throw new Error('no such number of tables')
  const order = Uint8Array.from({ length: count }, (_, index) => index)
  const selectors = new Uint8Array(selectorCount)
  for (let index = 0; index < selectorCount; index += 1) {
    let rank = 0
    while (bits.read(1) === 1) rank += 1
    selectors[index] = moveToFront(order, rank)
  }
  const codes: HuffmanTable[] = []
  for (let table = 0; table < count; table += 1) {
    const lengths: number[] = []
    let length = bits.read(5)
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1
      if (length < 1 || length > LONGEST_CODE) throw new Error('a code length is out of range')
      lengths.push(length)
    }
    codes.push(new HuffmanTable(lengths))
  }
  return { selectors, codes }
}

function readRanks(bits: BitReader, used: Uint8Array, { selectors, codes }: Tables, mostSymbols: number): Uint8Array {
  const end = used.length + 1
  const order = used.slice()
  const block = new Uint8Array(mostSymbols)
  let length = 0
  let run = 0
  let weight = 1
  for (let group = 0; ; group += 1) {
    const table = codes[selectors[group] ?? -1]
    if (table === undefined) throw new Error('a selector is missing')
    for (let left = GROUP_SIZE; left > 0; left -= 1) {
      const symbol = table.read(bits)
      if (symbol === RUN_A || symbol === RUN_B) {
        run += weight * (symbol + 1)
        weight *= 2
        if (run > mostSymbols) throw new Error('a run is too long')
        continue
      }
      if (run > 0) {
        if (length + run > mostSymbols) throw new Error('a block is too long')
        block.fill(order[0] ?? 0, length, length + run)
        length += run
        run = 0
        weight = 1
      }
      if (symbol === end) return block.subarray(0, length)
      if (length >= mostSymbols) throw new Error('a block is too long')
      block[length] = moveToFront(order, symbol - 1)
      length += 1
    }
  }
}

function moveToFront(order: Uint8Array, rank: number): number {
  const value = order[rank]
  if (value === undefined) throw new Error('a rank is out of range')
  if (rank > 0) order.copyWithin(1, 0, rank)
  order[0] = value
  return value
}

/** Undoes the transform, and the run lengths before it: four equal bytes are followed by a count of further ones. */
function writeText(block: Uint8Array, origin: number, output: Output): void {
  const { length } = block
  const starts = new Uint32Array(257)
  for (let index = 0; index < length; index += 1) {
    const after = (block[index] ?? 0) + 1
    starts[after] = (starts[after] ?? 0) + 1
  }
  for (let byte = 0; byte < 256; byte += 1) starts[byte + 1] = (starts[byte + 1] ?? 0) + (starts[byte] ?? 0)
  // Where the next byte of the text is, with the byte itself in the low bits: one look for each byte.
  const links = new Uint32Array(length)
  for (let index = 0; index < length; index += 1) {
    const byte = block[index] ?? 0
    const place = starts[byte] ?? 0
    links[place] = (links[place] ?? 0) | (index << 8)
    links[index] = (links[index] ?? 0) | byte
    starts[byte] = place + 1
  }
  let repeats = 0
  let last = -1
  let at = (links[origin] ?? 0) >>> 8
  for (let count = 0; count < length; count += 1) {
    const link = links[at] ?? 0
    at = link >>> 8
    const byte = link & 0xff
    if (repeats === 4) {
      output.repeat(last, byte)
      repeats = 0
      last = -1
      continue
    }
    repeats = byte === last ? repeats + 1 : 1
    last = byte
    output.push(byte)
  }
}

/** Canonical Huffman code: shorter codes first, equal lengths in order of their symbols. */
class HuffmanTable {
  readonly #symbols: Uint16Array
  /** For each length: the first code beyond it, as long as the longest; and what leads from a code of it to its symbol.
   */
  readonly #limits = new Uint32Array(LONGEST_CODE + 1)
  readonly #offsets = new Int32Array(LONGEST_CODE + 1)

  constructor(lengths: readonly number[]) {
    this.#symbols = Uint16Array.from(
      [...lengths.keys()].toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b),
    )
    let code = 0
    let offset = 0
    for (let length = 1; length <= LONGEST_CODE; length += 1) {
      const count = lengths.filter((other) => other === length).length
      this.#offsets[length] = offset - code
      this.#limits[length] = (code + count) * 2 ** (LONGEST_CODE - length)
      code = (code + count) * 2
      offset += count
    }
  }

  read(bits: BitReader): number {
    const ahead = bits.peek(LONGEST_CODE)
    for (let length = 1; length <= LONGEST_CODE; length += 1) {
      if (ahead >= (this.#limits[length] ?? 0)) continue
      const symbol = this.#symbols[(this.#offsets[length] ?? 0) + (ahead >>> (LONGEST_CODE - length))]
      if (symbol === undefined) break
      bits.skip(length)
      return symbol
    }
    throw new Error('a code is unknown')
  }
}

class BitReader {
  readonly #input: Uint8Array
  #at = 0
  /** The lowest `#count` bits are those to come. */
  #buffer = 0
  #count = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  /** The next bits, 24 at most. */
  read(count: number): number {
    const value = this.peek(count)
    this.skip(count)
    return value
  }

  /** The same, which stay; zeros stand for those beyond the end. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#buffer = (this.#buffer << 8) | (this.#input[this.#at] ?? 0)
      this.#at += 1
      this.#count += 8
    }
    return (this.#buffer >>> (this.#count - count)) & (2 ** count - 1)
  }

  /** Takes bits that were looked at. */
  skip(count: number): void {
    this.#count -= count
    if (this.#at - (this.#count >> 3) > this.#input.length) throw new Error('the stream ends too early')
  }
}

class Output {
  readonly #most: number
  #buffer = Buffer.allocUnsafe(4096)
  #length = 0

  constructor(most: number) {
    this.#most = most
  }

  push(byte: number): void {
    if (this.#length === this.#buffer.length) this.#makeRoom(1)
    this.#buffer[this.#length] = byte
    this.#length += 1
  }

  repeat(byte: number, count: number): void {
    this.#makeRoom(count)
    this.#buffer.fill(byte, this.#length, this.#length + count)
    this.#length += count
  }

  bytes(): Buffer {
    if (this.#length > this.#most) throw this.#tooMuch()
    return this.#buffer.subarray(0, this.#length)
  }

  #makeRoom(count: number): void {
    const length = this.#length + count
    if (length > this.#most) throw this.#tooMuch()
    if (length <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(length, Math.min(this.#buffer.length * 2, this.#most)))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  #tooMuch(): Error {
    return new Error(`more than ${this.#most} bytes come out`)
  }
}
