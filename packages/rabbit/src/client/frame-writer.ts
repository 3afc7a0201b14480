import type { Socket } from 'node:net'
import { FRAME_END, FRAME_HEAD, FRAME_TAIL } from './frame-reader.ts'
import { beginBody, type PublishFields, writeHead } from './publish-frames.ts'

/** Frames are put together in pieces of memory of this size. */
const PIECE_BYTES = 64 * 1024
/** Up to so many bytes are copied; more go as they are, because copying them costs more than it saves. */
const COPY_LIMIT = 16 * 1024

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

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** For amqplib, which wants to know whether there is room: bounds are kept elsewhere (DESIGN D5). */
  write(chunk: Uint8Array): boolean {
    if (chunk.length > COPY_LIMIT) this.#append(chunk)
    else {
      const at = this.#reserve(chunk.length)
      this.#piece.set(chunk, at)
    }
    return true
  }

  /** A channel that ends leaves the socket to the others. */
  end(): void {}

  /** A frame that is all known but for a u64 at `tagAt` and the byte after it. */
  writeTagged(frame: Buffer, tagAt: number, tag: number, flag: number): void {
    const at = this.#reserve(frame.length)
    const piece = this.#piece
    frame.copy(piece, at)
    piece.writeUInt32BE(Math.floor(tag / 0x1_0000_0000), at + tagAt)
    piece.writeUInt32BE(tag % 0x1_0000_0000, at + tagAt + 4)
    piece[at + tagAt + 8] = flag
  }

  /** A whole message whose body fits into one frame, and whose head into `room`. */
  writeMessage(channel: number, fields: PublishFields, room: number, body: Buffer): void {
    const bodyLength = body.length
    const inPlace = bodyLength <= COPY_LIMIT
    const start = this.#reserve(room + FRAME_HEAD + FRAME_TAIL + (inPlace ? bodyLength : 0))
    const piece = this.#piece
    let at = writeHead(piece, start, channel, fields, bodyLength)
    if (bodyLength > 0) {
      at = beginBody(piece, at, channel, bodyLength)
      if (inPlace) at += body.copy(piece, at)
      else {
        this.#to = at
        this.#append(body)
      }
      piece[at] = FRAME_END
      at += FRAME_TAIL
    }
    this.#to = at
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
