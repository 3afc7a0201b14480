import type { FrameReader } from '../../src/client/frame-reader.ts'

/** What a socket does with the bytes it gets. */
export function receive(reader: FrameReader, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const room = reader.room()
    const part = bytes.subarray(at, at + room.length)
    room.set(part)
    reader.received(part.length)
    at += part.length
  }
}
