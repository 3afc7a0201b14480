/** Bytes around a frame's payload. Layout: type u8, channel u16, size u32, payload, 0xCE; numbers big-endian. */
export const FRAME_HEAD = 7
export const FRAME_TAIL = 1
export const FRAME_END = 0xce

export const METHOD_FRAME = 1
export const HEADER_FRAME = 2
export const BODY_FRAME = 3

/** Bytes are received into pieces of this size, one read after the other. */
const PIECE_BYTES = 256 * 1024
/** At most so much is taken at a time: with more, what follows from it is written in bursts, and calls of 64 KiB were a
 *  quarter fewer. */
const READ_BYTES = 64 * 1024

/** Takes one whole frame: its head is at `start`, its last byte before `end`. The bytes stay as they are for as long as
 *  somebody holds them. */
export type FrameTaker = (bytes: Buffer, start: number, end: number) => void

/** Cuts what a socket receives into frames. They stay where they were received, one after the other; only a frame for
 *  which its piece has no room any more is moved, once. */
export class FrameReader {
  readonly #mostBytes: () => number
  readonly #take: FrameTaker
  #piece: Buffer = Buffer.alloc(0)
  /** Received and not handed over: `[start, end)`. */
  #start = 0
  #end = 0

  /** `mostBytes`: payloads above it are refused; 0: no limit. */
  constructor(mostBytes: () => number, take: FrameTaker) {
    this.#mostBytes = mostBytes
    this.#take = take
  }

  /** Memory for the next bytes. */
  room(): Buffer {
    const underWay = this.#end - this.#start < FRAME_HEAD ? 0 : frameLength(this.#piece, this.#start)
    const isFull =
      underWay === 0 ? this.#piece.length - this.#end < READ_BYTES : this.#start + underWay > this.#piece.length
    if (isFull) this.#beginPiece(underWay)
    return this.#piece.subarray(this.#end, this.#end + READ_BYTES)
  }

  /** So many bytes are in that memory. Throws for bytes that are no frames, and whatever the taker throws. */
  received(count: number): void {
    this.#end += count
    const piece = this.#piece
    while (this.#end - this.#start >= FRAME_HEAD) {
      const start = this.#start
      this.#check(piece, start)
      const end = start + frameLength(piece, start)
      if (end > this.#end) return
      if (piece[end - 1] !== FRAME_END) throw new Error('Invalid frame')
      this.#start = end
      this.#take(piece, start, end)
    }
  }

  #check(piece: Buffer, start: number): void {
    const size = piece.readUInt32BE(start + 3)
    const mostBytes = this.#mostBytes()
    if (mostBytes > 0 && size > mostBytes)
      throw new Error(`A frame of ${size} bytes is more than the ${mostBytes} agreed upon`)
  }

  /** What is received and not handed over moves to a new piece, which has room for the whole frame. */
  #beginPiece(frameBytes: number): void {
    const piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, frameBytes))
    this.#end = this.#piece.copy(piece, 0, this.#start, this.#end)
    this.#start = 0
    this.#piece = piece
  }
}

function frameLength(bytes: Buffer, start: number): number {
  return FRAME_HEAD + bytes.readUInt32BE(start + 3) + FRAME_TAIL
}
