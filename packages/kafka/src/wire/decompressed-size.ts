/** Most bytes that these compressed bytes can become, found without decompressing them; undefined where the format does
 *  not tell. A few kilobytes of zeros compressed well would otherwise fill the memory of every consumer. */
export function decompressedSize(codec: number, data: Buffer): number | undefined {
  try {
    return SIZES[codec]?.(data)
  } catch (error) {
    // The codec itself says better what is wrong with the bytes.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** By the number of the codec in a batch. gzip says its size at its end only, and is bounded while it runs. */
const SIZES: Readonly<Record<number, (data: Buffer) => number | undefined>> = {
  2: snappySize,
  3: lz4Size,
  4: zstdSize,
}

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

/** Raw snappy begins with its size; in Java's framing each block does. Source: snappy format description,
 *  snappy-java. */
function snappySize(data: Buffer): number {
  if (data.length < XERIAL_HEADER_BYTES || !data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC))
    return unsignedVarint(data, 0)
  let size = 0
  for (let at = XERIAL_HEADER_BYTES; at < data.length; at += 4 + data.readUInt32BE(at))
    size += unsignedVarint(data, at + 4)
  return size
}

function unsignedVarint(data: Buffer, start: number): number {
  let value = 0
  for (let at = start, scale = 1; ; at += 1, scale *= 0x80) {
    const byte = data.readUInt8(at)
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}

/** So many full blocks at most. Source: LZ4 frame format. */
function lz4Size(data: Buffer): number {
  const flags = data.readUInt8(4)
  const blockMax = 2 ** (8 + 2 * ((data.readUInt8(5) >>> 4) & 7))
  const [hasChecksums, hasSize, hasDictionary] = [(flags & 0x10) !== 0, (flags & 0x08) !== 0, (flags & 0x01) !== 0]
  let size = 0
  let at = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0)
  for (let length = data.readUInt32LE(at); length !== 0; length = data.readUInt32LE(at)) {
    const stored = length & 0x7fffffff
    size += length >>> 31 === 1 ? stored : blockMax
    at += 4 + stored + (hasChecksums ? 4 : 0)
  }
  return size
}

const ZSTD_BLOCK_BYTES = 128 * 1024

/** The size in the head of the frame, else so many full blocks at most. Source: RFC 8878. */
function zstdSize(data: Buffer): number {
  const descriptor = data.readUInt8(4)
  const isSingle = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >>> 6
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  let at = 5 + (isSingle ? 0 : 1) + dictionaryBytes
  if (sizeFlag === 1) return data.readUInt16LE(at) + 256
  if (sizeFlag === 2) return data.readUInt32LE(at)
  if (sizeFlag === 3) return Number(data.readBigUInt64LE(at))
  if (isSingle) return data.readUInt8(at)
  let size = 0
  for (let isLast = false; !isLast;) {
    const head = data.readUIntLE(at, 3)
    isLast = (head & 1) === 1
    const isRepeated = ((head >>> 1) & 3) === 1
    size += isRepeated ? head >>> 3 : ZSTD_BLOCK_BYTES
    at += 3 + (isRepeated ? 1 : head >>> 3)
  }
  return size
}
