const POLYNOMIAL = 0x82f63b78
const SLICES = 16

/** At `256 * n + byte`: the remainder of the byte and n zero bytes after it. */
const table = makeTable()

function makeTable(): Int32Array {
  const made = new Int32Array(256 * SLICES)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] ?? 0
    made[at] = (made[before & 0xff] ?? 0) ^ (before >>> 8)
  }
  return made
}

/** CRC-32C (Castagnoli) of a part of the bytes, as an unsigned number. Sixteen bytes at a time, which takes a quarter
 *  of the time of one by one. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const t = table
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = start
  for (; at + 16 <= end; at += 16) {
    const a = crc ^ words.getInt32(at, true)
    const b = words.getInt32(at + 4, true)
    const c = words.getInt32(at + 8, true)
    const d = words.getInt32(at + 12, true)
    crc =
      t[3840 + (a & 0xff)]! ^
      t[3584 + ((a >>> 8) & 0xff)]! ^
      t[3328 + ((a >>> 16) & 0xff)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 0xff)]! ^
      t[2560 + ((b >>> 8) & 0xff)]! ^
      t[2304 + ((b >>> 16) & 0xff)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 0xff)]! ^
      t[512 + ((d >>> 8) & 0xff)]! ^
      t[256 + ((d >>> 16) & 0xff)]! ^
      t[d >>> 24]!
  }
  for (; at < end; at += 1) crc = t[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ -1) >>> 0
}
