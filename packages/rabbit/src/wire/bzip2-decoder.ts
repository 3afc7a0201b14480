/** bzip2, read from its format: Huffman-coded move-to-front ranks of a Burrows-Wheeler block, run lengths before and after.
 *  Throws Error with what is wrong; never returns more than `mostBytes`. */
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

function readBlock(bits: BitReader, mostSymbols: number, output: Output): void {
  bits.read(32) // checksum of the block: the envelope above is checked as JSON anyway
  if (bits.read(1) === 1) throw new Error('randomized blocks are not supported')
  const origin = bits.read(24)
  const used = readUsedBytes(bits)
  const tables = readTables(bits, used.length + 2)
  const block = readRanks(bits, used, tables, mostSymbols)
  if (origin >= block.length) throw new Error('the origin lies outside the block')
  undoRuns(undoTransform(block, origin), output)
}

/** Which byte values occur: 16 bits for the rows that have any, then 16 for each of these. */
function readUsedBytes(bits: BitReader): number[] {
  const rows = bits.read(16)
  const used: number[] = []
  for (let row = 0; row < 16; row += 1) {
    if ((rows & (0x8000 >> row)) === 0) continue
    const columns = bits.read(16)
    for (let column = 0; column < 16; column += 1)
      if ((columns & (0x8000 >> column)) !== 0) used.push(row * 16 + column)
  }
  return used
}

interface Tables {
  readonly selectors: readonly number[]
  readonly codes: readonly HuffmanTable[]
}

function readTables(bits: BitReader, symbols: number): Tables {
  const count = bits.read(3)
  const selectorCount = bits.read(15)
  if (count < 2 || count > 6 || selectorCount < 1) throw new Error('no such number of tables')
  const order = Array.from({ length: count }, (_, index) => index)
  const selectors: number[] = []
  for (let index = 0; index < selectorCount; index += 1) {
    let rank = 0
    while (bits.read(1) === 1) rank += 1
    selectors.push(moveToFront(order, rank))
  }
  const codes: HuffmanTable[] = []
  for (let table = 0; table < count; table += 1) {
    const lengths: number[] = []
    let length = bits.read(5)
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1
      if (length < 1 || length > 20) throw new Error('a code length is out of range')
      lengths.push(length)
    }
    codes.push(new HuffmanTable(lengths))
  }
  return { selectors, codes }
}

function readRanks(bits: BitReader, used: number[], { selectors, codes }: Tables, mostSymbols: number): Uint8Array {
  const end = used.length + 1
  const order = [...used]
  const block = new Uint8Array(mostSymbols)
  let length = 0
  let run = 0
  let weight = 1
  const fill = (value: number, count: number): void => {
    if (length + count > mostSymbols) throw new Error('a block is too long')
    block.fill(value, length, length + count)
    length += count
  }
  for (let index = 0; ; index += 1) {
    const table = codes[selectors[Math.floor(index / GROUP_SIZE)] ?? -1]
    if (table === undefined) throw new Error('a selector is missing')
    const symbol = table.read(bits)
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight * (symbol + 1)
      weight *= 2
      if (run > mostSymbols) throw new Error('a run is too long')
      continue
    }
    if (run > 0) fill(order[0] ?? 0, run)
    run = 0
    weight = 1
    if (symbol === end) return block.subarray(0, length)
    fill(moveToFront(order, symbol - 1), 1)
  }
}

function moveToFront(order: number[], rank: number): number {
  const value = order[rank]
  if (value === undefined) throw new Error('a rank is out of range')
  order.splice(rank, 1)
  order.unshift(value)
  return value
}

function undoTransform(block: Uint8Array, origin: number): Uint8Array {
  const starts = new Uint32Array(257)
  for (const byte of block) starts[byte + 1] = (starts[byte + 1] ?? 0) + 1
  for (let byte = 0; byte < 256; byte += 1) starts[byte + 1] = (starts[byte + 1] ?? 0) + (starts[byte] ?? 0)
  const next = new Uint32Array(block.length)
  for (const [index, byte] of block.entries()) {
    const place = starts[byte] ?? 0
    next[place] = index
    starts[byte] = place + 1
  }
  const text = new Uint8Array(block.length)
  let at = next[origin] ?? 0
  for (let index = 0; index < text.length; index += 1) {
    text[index] = block[at] ?? 0
    at = next[at] ?? 0
  }
  return text
}

/** Four equal bytes are followed by a count of further ones. */
function undoRuns(text: Uint8Array, output: Output): void {
  let repeats = 0
  let last = -1
  for (const byte of text) {
    if (repeats === 4) {
      output.push(last, byte)
      repeats = 0
      last = -1
      continue
    }
    repeats = byte === last ? repeats + 1 : 1
    last = byte
    output.push(byte, 1)
  }
}

/** Canonical Huffman code: shorter codes first, equal lengths in order of their symbols. */
class HuffmanTable {
  readonly #symbols: number[]
  /** For each length: its first code, and where its symbols begin. */
  readonly #first: number[] = []
  readonly #count: number[] = []
  readonly #offset: number[] = []

  constructor(lengths: readonly number[]) {
    const longest = Math.max(...lengths)
    this.#symbols = [...lengths.keys()].toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b)
    let code = 0
    let offset = 0
    for (let length = 0; length <= longest; length += 1) {
      const count = lengths.filter((other) => other === length).length
      this.#first.push(code)
      this.#count.push(count)
      this.#offset.push(offset)
      code = (code + count) * 2
      offset += count
    }
  }

  read(bits: BitReader): number {
    let code = 0
    for (let length = 1; length < this.#first.length; length += 1) {
      code = code * 2 + bits.read(1)
      const index = code - (this.#first[length] ?? 0)
      if (index < (this.#count[length] ?? 0)) {
        const symbol = this.#symbols[(this.#offset[length] ?? 0) + index]
        if (symbol !== undefined) return symbol
      }
    }
    throw new Error('a code is unknown')
  }
}

class BitReader {
  readonly #input: Uint8Array
  #byte = 0
  #bit = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  read(count: number): number {
    let value = 0
    for (let left = count; left > 0;) {
      const byte = this.#input[this.#byte]
      if (byte === undefined) throw new Error('the stream ends too early')
      const take = Math.min(left, 8 - this.#bit)
      value = value * 2 ** take + ((byte >> (8 - this.#bit - take)) & (2 ** take - 1))
      this.#bit += take
      left -= take
      if (this.#bit < 8) continue
      this.#bit = 0
      this.#byte += 1
    }
    return value
  }
}

class Output {
  readonly #most: number
  #buffer = Buffer.allocUnsafe(4096)
  #length = 0

  constructor(most: number) {
    this.#most = most
  }

  push(byte: number, count: number): void {
    const length = this.#length + count
    if (length > this.#most) throw new Error(`more than ${this.#most} bytes come out`)
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    this.#buffer.fill(byte, this.#length, length)
    this.#length = length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}
