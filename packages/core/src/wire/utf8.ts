import { isAscii, isUtf8 } from 'node:buffer'
import { SerializationError } from '../errors.ts'

const MOST_KEPT_BYTES = 1024 * 1024
let room = Buffer.allocUnsafeSlow(0)

/** The text of bytes in UTF-8. The engine reads ASCII at once and anything else one character at a time: what it can
 *  keep in a byte for each, as most languages of Europe, is made such here, four bytes at a time where they are ASCII.
 *  Throws SerializationError when they are not UTF-8. */
export function readUtf8(bytes: Uint8Array): string {
  const body = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(body)) return body.toString('latin1')
  if (!isUtf8(body)) throw new SerializationError('The body is not UTF-8')
  if (body.length > room.length) room = Buffer.allocUnsafeSlow(body.length)
  const length = writeLatin1(room, body)
  const text = length === undefined ? body.toString('utf8') : room.toString('latin1', 0, length)
  if (room.length > MOST_KEPT_BYTES) room = Buffer.allocUnsafeSlow(0)
  return text
}

/** Gives how many characters there are; undefined when one of them takes more than a byte. */
function writeLatin1(target: Buffer, source: Buffer): number | undefined {
  const from = new DataView(source.buffer, source.byteOffset, source.length)
  const into = new DataView(target.buffer, target.byteOffset, target.length)
  let to = 0
  for (let at = 0; at < source.length;) {
    if (at + 4 <= source.length) {
      const word = from.getInt32(at, true)
      if ((word & 0x80808080) === 0) {
        into.setInt32(to, word, true)
        at += 4
        to += 4
        continue
      }
    }
    const byte = source[at] ?? 0
    if (byte < 0x80) {
      target[to] = byte
      at += 1
    } else {
      // 0xc2 and 0xc3 begin the characters up to 0xff.
      if (byte > 0xc3) return undefined
      target[to] = ((byte & 0x03) << 6) | ((source[at + 1] ?? 0) & 0x3f)
      at += 2
    }
    to += 1
  }
  return to
}
