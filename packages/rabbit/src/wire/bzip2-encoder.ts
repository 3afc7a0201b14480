import { BLOCK_MAGIC, END_MAGIC, GROUP_SIZE, RUN_A, RUN_B } from './bzip2-decoder.ts'

/** Smaller than the 900 000 bytes the header announces, because run lengths may add a quarter. */
const BLOCK_BYTES = 700_000

/** Writes bzip2 streams that every reader understands, with one table for all symbols: simple, and a few per cent
 *  larger than the reference's. */
export function compressBzip2(input: Uint8Array): Buffer {
  const bits = new BitWriter()
  bits.write(24, 0x425a68)
  bits.write(8, 0x39)
  let checksum = 0
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    const block = input.subarray(start, start + BLOCK_BYTES)
    const blockChecksum = crc32(block)
    checksum = (((checksum << 1) | (checksum >>> 31)) ^ blockChecksum) >>> 0
    writeBlock(bits, encodeRuns(block), blockChecksum)
  }
  bits.write(48, END_MAGIC)
  bits.write(32, checksum)
  return bits.bytes()
}

function writeBlock(bits: BitWriter, text: Uint8Array, checksum: number): void {
  const { last, origin } = transform(text)
  const used = [...new Set(last)].toSorted((a, b) => a - b)
  const symbols = toSymbols(last, used)
  const lengths = codeLengths(symbols, used.length + 2)
  bits.write(48, BLOCK_MAGIC)
  bits.write(32, checksum)
  bits.write(1, 0)
  bits.write(24, origin)
  writeUsedBytes(bits, used)
  writeTables(bits, lengths, Math.ceil(symbols.length / GROUP_SIZE))
  const codes = canonicalCodes(lengths)
  for (const symbol of symbols) bits.write(lengths[symbol] ?? 0, codes[symbol] ?? 0)
}

/** Four equal bytes are followed by a count of further ones, up to 251. */
function encodeRuns(input: Uint8Array): Uint8Array {
  const output: number[] = []
  for (let start = 0; start < input.length;) {
    const byte = input[start] ?? 0
    let end = start + 1
    while (end < input.length && input[end] === byte && end - start < 255) end += 1
    const run = end - start
    for (let index = 0; index < Math.min(run, 4); index += 1) output.push(byte)
    if (run >= 4) output.push(run - 4)
    start = end
  }
  return Uint8Array.from(output)
}

/** Last column of the sorted rotations, and the row of the text itself.
 *  Sorted by doubling prefixes: rotations sorted by their first `width` bytes are in order of bytes `width` to `2 *
 *  width` once each is moved back by `width`, so that counting their classes sorts the doubled prefix. Linear for each
 *  doubling, also where the text repeats itself. */
function transform(text: Uint8Array): { readonly last: Uint8Array; readonly origin: number } {
  const { length } = text
  const order = new Int32Array(length)
  let classes: Int32Array = Int32Array.from(text)
  let next: Int32Array = new Int32Array(length)
  const moved = Int32Array.from(text.keys())
  sortByClass(moved, classes, 256, order)
  let count = classify(order, classes, 0, next)
  for (let width = 1; width < length && count < length; width *= 2) {
    ;[classes, next] = [next, classes]
    for (let index = 0; index < length; index += 1) {
      const row = (order[index] ?? 0) - width
      moved[index] = row < 0 ? row + length : row
    }
    sortByClass(moved, classes, count, order)
    count = classify(order, classes, width, next)
  }
  return {
    last: Uint8Array.from(order, (row) => text[row === 0 ? length - 1 : row - 1] ?? 0),
    origin: order.indexOf(0),
  }
}

/** Rows by their class, in `sorted`; those of one class stay in order. */
function sortByClass(rows: Int32Array, classes: Int32Array, count: number, sorted: Int32Array): void {
  const ends = new Int32Array(count)
  for (const value of classes) ends[value] = (ends[value] ?? 0) + 1
  for (let value = 1; value < count; value += 1) ends[value] = (ends[value] ?? 0) + (ends[value - 1] ?? 0)
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index] ?? 0
    const value = classes[row] ?? 0
    const at = (ends[value] ?? 0) - 1
    ends[value] = at
    sorted[at] = row
  }
}

/** Numbers the sorted rows: the same for those whose class, and the class `width` further on, are the same. Gives how
 *  many numbers there are. */
function classify(order: Int32Array, classes: Int32Array, width: number, numbers: Int32Array): number {
  const { length } = order
  let number = -1
  let before = -1
  let beforeSecond = -1
  for (const row of order) {
    const first = classes[row] ?? 0
    const at = row + width
    const second = classes[at < length ? at : at - length] ?? 0
    if (first !== before || second !== beforeSecond) number += 1
    before = first
    beforeSecond = second
    numbers[row] = number
  }
  return number + 1
}

/** Move-to-front ranks, runs of the first rank as numbers of base two with digits 1 and 2, and the end. */
function toSymbols(last: Uint8Array, used: readonly number[]): number[] {
  const order = [...used]
  const symbols: number[] = []
  let run = 0
  const endRun = (): void => {
    for (; run > 0; run = Math.floor((run - 1) / 2)) symbols.push(run % 2 === 1 ? RUN_A : RUN_B)
  }
  for (const byte of last) {
    const rank = order.indexOf(byte)
    if (rank === 0) {
      run += 1
      continue
    }
    endRun()
    order.splice(rank, 1)
    order.unshift(byte)
    symbols.push(rank + 1)
  }
  endRun()
  symbols.push(used.length + 1)
  return symbols
}

/** Huffman code lengths for every symbol of the alphabet, none above 17: frequencies are flattened until that holds. */
function codeLengths(symbols: readonly number[], alphabet: number): number[] {
  let weights = Array.from({ length: alphabet }, () => 1)
  for (const symbol of symbols) weights[symbol] = (weights[symbol] ?? 0) + 1
  for (;;) {
    const lengths = huffmanLengths(weights)
    if (Math.max(...lengths) <= 17) return lengths
    weights = weights.map((weight) => Math.floor(weight / 2) + 1)
  }
}

interface Node {
  readonly weight: number
  readonly leaves: readonly number[]
}

function huffmanLengths(weights: readonly number[]): number[] {
  const lengths = Array.from({ length: weights.length }, () => 0)
  const nodes: Node[] = weights.map((weight, symbol) => ({ weight, leaves: [symbol] }))
  while (nodes.length > 1) {
    nodes.sort((a, b) => b.weight - a.weight)
    const [a, b] = [nodes.pop(), nodes.pop()]
    if (a === undefined || b === undefined) break
    const leaves = [...a.leaves, ...b.leaves]
    for (const leaf of leaves) lengths[leaf] = (lengths[leaf] ?? 0) + 1
    nodes.push({ weight: a.weight + b.weight, leaves })
  }
  return lengths
}

function canonicalCodes(lengths: readonly number[]): number[] {
  const codes = Array.from({ length: lengths.length }, () => 0)
  let code = 0
  for (let length = 1; length <= 20; length += 1) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue
      codes[symbol] = code
      code += 1
    }
    code *= 2
  }
  return codes
}

function writeUsedBytes(bits: BitWriter, used: readonly number[]): void {
  const rows = Array.from({ length: 16 }, () => 0)
  for (const byte of used) rows[byte >> 4] = (rows[byte >> 4] ?? 0) | (0x8000 >> (byte & 15))
  bits.write(
    16,
    rows.reduce((all, row, index) => (row === 0 ? all : all | (0x8000 >> index)), 0),
  )
  for (const row of rows) if (row !== 0) bits.write(16, row)
}

/** The format wants at least two tables: the same one twice, and the first chosen for every group. */
function writeTables(bits: BitWriter, lengths: readonly number[], groups: number): void {
  bits.write(3, 2)
  bits.write(15, groups)
  for (let group = 0; group < groups; group += 1) bits.write(1, 0)
  for (let table = 0; table < 2; table += 1) {
    let current = lengths[0] ?? 1
    bits.write(5, current)
    for (const length of lengths) {
      for (; current < length; current += 1) bits.write(2, 0b10)
      for (; current > length; current -= 1) bits.write(2, 0b11)
      bits.write(1, 0)
    }
  }
}

/** CRC-32 with the bits of each byte from the top, as bzip2 has it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = ((crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0
  return ~crc >>> 0
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24
  for (let bit = 0; bit < 8; bit += 1) value = (value & 0x80000000) === 0 ? value << 1 : (value << 1) ^ 0x04c11db7
  return value >>> 0
})

class BitWriter {
  readonly #bytes: number[] = []
  #current = 0
  #filled = 0

  write(count: number, value: number): void {
    for (let left = count - 1; left >= 0; left -= 1) {
      this.#current = (this.#current << 1) | (Math.floor(value / 2 ** left) & 1)
      this.#filled += 1
      if (this.#filled < 8) continue
      this.#bytes.push(this.#current)
      this.#current = 0
      this.#filled = 0
    }
  }

  bytes(): Buffer {
    if (this.#filled > 0) this.write(8 - this.#filled, 0)
    return Buffer.from(this.#bytes)
  }
}
