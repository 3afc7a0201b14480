import type { Socket } from 'node:net'
import { BODY_FRAME, FRAME_END, FRAME_HEAD, FRAME_TAIL } from './frame-reader.ts'

/** Frames are put together in pieces of memory of this size. */
const PIECE_BYTES = 64 * 1024
/** Up to so many bytes are copied; more go as they are, because copying them costs more than it saves. */
const COPY_LIMIT = 16 * 1024

/** Head and fields of a message as they go before its body; the body's size is filled in at `sizeAt` (u64). */
export interface MessageHead {
  readonly bytes: Buffer
  readonly sizeAt: number
}

/** What all channels of a connection write in one turn of the event loop becomes one system call. */
export class FrameWriter {
  readonly #socket: Socket
  /** Finished parts that wait for the flush, before what is in the piece. */
  #parts: Uint8Array[] = []
  #piece: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  /** What is in the piece and not flushed: `[from, to)`. Bytes before belong to the socket until it has sent them. */
  #from = 0
  #to = 0
  #scheduled = false
  #recorded: Uint8Array[] | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** For amqplib, which wants to know whether there is room: bounds are kept elsewhere (DESIGN D5). */
  write(chunk: Uint8Array): boolean {
    this.#recorded?.push(chunk)
    if (chunk.length > COPY_LIMIT) this.#append(chunk)
    else {
      const at = this.#reserve(chunk.length)
      this.#piece.set(chunk, at)
    }
    return true
  }

  /** A channel that ends leaves the socket to the others. */
  end(): void {}

  /** What `work` writes, besides being written. */
  record(work: () => void): readonly Uint8Array[] {
    const recorded: Uint8Array[] = []
    this.#recorded = recorded
    try {
      work()
    } finally {
      this.#recorded = undefined
    }
    return recorded
  }

  /** A frame that is all known but for a u64 at `tagAt` and the byte after it. */
  writeTagged(frame: Buffer, tagAt: number, tag: number, flag: number): void {
    const at = this.#reserve(frame.length)
    const piece = this.#piece
    frame.copy(piece, at)
    piece.writeUInt32BE(Math.floor(tag / 0x1_0000_0000), at + tagAt)
    piece.writeUInt32BE(tag % 0x1_0000_0000, at + tagAt + 4)
    piece[at + tagAt + 8] = flag
  }

  /** A whole message whose body fits into one frame. */
  writeMessage(channel: number, { bytes, sizeAt }: MessageHead, body: Buffer): void {
    const headLength = bytes.length
    const bodyLength = body.length
    const inPlace = bodyLength <= COPY_LIMIT
    const framed = bodyLength === 0 ? 0 : FRAME_HEAD + (inPlace ? bodyLength + FRAME_TAIL : 0)
    const start = this.#reserve(headLength + framed)
    const piece = this.#piece
    bytes.copy(piece, start)
    piece.writeUInt32BE(bodyLength, start + sizeAt + 4)
    if (bodyLength === 0) return
    const at = start + headLength
    piece[at] = BODY_FRAME
    piece.writeUInt16BE(channel, at + 1)
    piece.writeUInt32BE(bodyLength, at + 3)
    if (inPlace) {
      body.copy(piece, at + FRAME_HEAD)
      piece[at + FRAME_HEAD + bodyLength] = FRAME_END
    } else {
      this.#append(body)
      piece[this.#reserve(FRAME_TAIL)] = FRAME_END
    }
  }

  /** Hands everything to the socket now. */
  flush(): void {
    this.#scheduled = false
    this.#close()
    const parts = this.#parts
    const [first] = parts
    if (first === undefined) return
    this.#parts = []
    const socket = this.#socket
    if (!socket.writable) return
    if (parts.length === 1) socket.write(first)
    else {
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
    }
    // Most of the time the kernel has taken everything by now, and the piece can be used again.
    if (socket.writableLength > 0) return
    this.#from = 0
    this.#to = 0
  }

  /** Room for so many bytes, in the piece; gives where. */
  #reserve(bytes: number): number {
    if (this.#to + bytes > this.#piece.length) {
      this.#close()
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      this.#from = 0
      this.#to = 0
    }
    this.#schedule()
    const at = this.#to
    this.#to += bytes
    return at
  }

  #append(part: Uint8Array): void {
    this.#close()
    this.#parts.push(part)
    this.#schedule()
  }

  /** What is in the piece becomes a part. */
  #close(): void {
    if (this.#to === this.#from) return
    this.#parts.push(this.#piece.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#onTurnEnd)
  }

  readonly #onTurnEnd = (): void => this.flush()
}
