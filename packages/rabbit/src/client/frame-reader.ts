/** Bytes around a frame's payload. Layout: type u8, channel u16, size u32, payload, 0xCE; numbers big-endian. */
export const FRAME_HEAD = 7
export const FRAME_TAIL = 1
export const FRAME_END = 0xce

export const METHOD_FRAME = 1
export const HEADER_FRAME = 2
export const BODY_FRAME = 3

/** Takes one whole frame: its head is at `start`, its last byte before `end`. The bytes stay as they are for as long as somebody holds them. */
export type FrameTaker = (bytes: Buffer, start: number, end: number) => void

/** Cuts what a socket receives into frames. What arrives whole is not copied; a frame that arrives in parts is put together in one buffer, once. */
export class FrameReader {
  readonly #mostBytes: () => number
  readonly #take: FrameTaker
  /** A frame of which `#filled` bytes are there. */
  #partial: Buffer | undefined
  #filled = 0
  /** The beginning of a frame, too short to say how long it is. */
  #beginning: Buffer | undefined

  /** `mostBytes`: payloads above it are refused; 0: no limit. */
  constructor(mostBytes: () => number, take: FrameTaker) {
    this.#mostBytes = mostBytes
    this.#take = take
  }

  /** Throws for bytes that are no frames, and whatever the taker throws. */
  push(chunk: Buffer): void {
    let bytes = chunk
    let start = 0
    if (this.#partial !== undefined) {
      const partial = this.#partial
      const copied = chunk.copy(partial, this.#filled)
      this.#filled += copied
      if (this.#filled < partial.length) return
      this.#partial = undefined
      this.#hand(partial, 0, partial.length)
      start = copied
    } else if (this.#beginning !== undefined) {
      bytes = Buffer.concat([this.#beginning, chunk])
      this.#beginning = undefined
    }
    while (bytes.length - start >= FRAME_HEAD) {
      const end = start + this.#lengthAt(bytes, start)
      if (end > bytes.length) {
        this.#partial = Buffer.allocUnsafeSlow(end - start)
        this.#filled = bytes.copy(this.#partial, 0, start)
        return
      }
      this.#hand(bytes, start, end)
      start = end
    }
    if (start < bytes.length) this.#beginning = bytes.subarray(start)
  }

  #lengthAt(bytes: Buffer, start: number): number {
    const size = bytes.readUInt32BE(start + 3)
    const mostBytes = this.#mostBytes()
    if (mostBytes > 0 && size > mostBytes)
      throw new Error(`A frame of ${size} bytes is more than the ${mostBytes} agreed upon`)
    return FRAME_HEAD + size + FRAME_TAIL
  }

  #hand(bytes: Buffer, start: number, end: number): void {
    if (bytes[end - 1] !== FRAME_END) throw new Error('Invalid frame')
    this.#take(bytes, start, end)
  }
}
