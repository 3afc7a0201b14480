/** One frame as it came, without its size. */
export interface FrameBytes {
  readonly channel: number
  /** The whole of what was read; the frame's own bytes are from `at` to `end`. */
  readonly bytes: Buffer
  readonly at: number
  readonly end: number
}

const HEAD_BYTES = 8
const AMQP_FRAME = 0

/** Cuts what a peer sends into frames. A peer that sends no frames, or larger ones than it was told to, is found out by
 *  its first bytes instead of being waited for. Throws RangeError. Source: AMQP 1.0, part 2.3. */
export class FrameReader {
  readonly #maxFrameSize: number
  readonly #onFrame: (frame: FrameBytes) => void
  #rest: Buffer[] = []
  #restBytes = 0
  /** Of the frame that has begun; 0 while that is not known. */
  #needed = 0

  constructor(maxFrameSize: number, onFrame: (frame: FrameBytes) => void) {
    this.#maxFrameSize = maxFrameSize
    this.#onFrame = onFrame
  }

  read(chunk: Buffer): void {
    let bytes = chunk
    if (this.#restBytes > 0) {
      this.#rest.push(chunk)
      this.#restBytes += chunk.length
      if (this.#restBytes < Math.max(HEAD_BYTES, this.#needed)) return
      bytes = Buffer.concat(this.#rest, this.#restBytes)
      this.#rest = []
      this.#restBytes = 0
    }
    let at = 0
    this.#needed = 0
    while (bytes.length - at >= HEAD_BYTES) {
      const size = this.#checked(bytes, at)
      if (size > bytes.length - at) {
        this.#needed = size
        break
      }
      const dataAt = at + (bytes[at + 4] as number) * 4
      const frame = { channel: bytes.readUInt16BE(at + 6), bytes, at: dataAt, end: at + size }
      at += size
      // Without a performative it is a sign of life.
      if (frame.at < frame.end) this.#onFrame(frame)
    }
    if (at === bytes.length) return
    this.#rest.push(bytes.subarray(at))
    this.#restBytes = bytes.length - at
  }

  #checked(bytes: Buffer, at: number): number {
    const size = bytes.readUInt32BE(at)
    const offset = (bytes[at + 4] as number) * 4
    if (size > this.#maxFrameSize)
      throw new RangeError(`the peer sent a frame of ${size} bytes, ${this.#maxFrameSize} are allowed`)
    if (offset < HEAD_BYTES || offset > size || bytes[at + 5] !== AMQP_FRAME)
      throw new RangeError('what the peer sent is no frame of AMQP 1.0')
    return size
  }
}
