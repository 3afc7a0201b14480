import { Socket } from 'node:net'
import { FRAME_HEAD, FRAME_TAIL, FrameReader, type FrameTaker, METHOD_FRAME } from './frame-reader.ts'

/** While a connection opens: a broker tells its properties in a few hundred bytes. */
const MOST_OPENING_BYTES = 128 * 1024

/** Where bytes go that nobody reads: what says how long a frame is may be anything then. */
const UNREAD = Buffer.alloc(4096)

const OPEN_OK = 0x0a_0029
const CLOSE = 0x0a_0032

/** How a broker refuses a connection that is being opened. */
export interface OpenRefusal {
  readonly code: number
  readonly text: string
}

/** Who gets the frames of an open connection. */
export interface FrameTarget {
  /** Most bytes of a payload; 0: no limit. */
  readonly maxFrameSize: number
  /** Bytes have arrived. */
  noteReceiving(): void
  take: FrameTaker
  /** What arrived cannot be read: nothing more is taken. */
  fail(error: unknown): void
}

/** Everything a socket receives, from its first byte on. amqplib gets what belongs to opening the connection, up to
 *  open-ok, and nothing after it: it would read on before anybody could listen to it, so that a close that arrives with
 *  open-ok went unheard, and an error killed the process. The rest waits for `open`. */
export class IncomingFrames {
  /** For Node's sockets: what they receive comes here, and not into their stream. */
  readonly onread: { readonly buffer: () => Buffer; readonly callback: (count: number, bytes: Uint8Array) => boolean }
  /** How the broker refused to open the connection, in its own words; amqplib loses them. */
  refusal: OpenRefusal | undefined
  readonly #reader: FrameReader
  #socket: Socket | undefined
  #isOpened = false
  /** Frames after open-ok for which there is no target yet. */
  #waiting: Buffer[] = []
  #target: FrameTarget | undefined
  #isOver = false

  constructor() {
    this.#reader = new FrameReader(
      () => this.#target?.maxFrameSize ?? MOST_OPENING_BYTES,
      (bytes, start, end) => this.#take(bytes, start, end),
    )
    const receive = (socket: unknown, count: number): void => this.#receive(socket, count)
    this.onread = {
      buffer: () => (this.#isOver ? UNREAD : this.#reader.room()),
      // Node calls it as a method of the socket.
      callback(this: unknown, count) {
        receive(this, count)
        return true
      },
    }
  }

  /** From now on everything goes to the target, beginning with what came after open-ok. */
  open(target: FrameTarget): void {
    this.#target = target
    const waiting = this.#waiting
    this.#waiting = []
    this.#guarded(() => {
      for (const frame of waiting) this.#take(frame, 0, frame.length)
    })
  }

  #receive(socket: unknown, count: number): void {
    if (this.#isOver) return
    if (this.#socket === undefined && socket instanceof Socket) this.#socket = socket
    this.#target?.noteReceiving()
    this.#guarded(() => this.#reader.received(count))
  }

  /** Nothing that is thrown here may leave: no caller but Node is above. */
  #guarded(work: () => void): void {
    try {
      if (!this.#isOver) work()
    } catch (error) {
      this.#isOver = true
      if (this.#target === undefined) this.#socket?.destroy(error instanceof Error ? error : new Error(String(error)))
      else this.#target.fail(error)
    }
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return
    if (this.#target !== undefined) this.#target.take(bytes, start, end)
    else if (this.#isOpened) this.#waiting.push(bytes.subarray(start, end))
    else this.#takeOpening(bytes.subarray(start, end))
  }

  /** Layout of a method: class and method u32, then its fields; of close: code u16, text with its length in a byte
   *  before it. */
  #takeOpening(frame: Buffer): void {
    if (frame[0] === METHOD_FRAME) {
      const id = frame.readUInt32BE(FRAME_HEAD)
      this.#isOpened = id === OPEN_OK
      if (id === CLOSE)
        this.refusal = { code: frame.readUInt16BE(FRAME_HEAD + 4), text: shortText(frame, FRAME_HEAD + 6) }
    }
    this.#socket?.push(frame)
  }
}

function shortText(frame: Buffer, at: number): string {
  const end = at + 1 + frame.readUInt8(at)
  if (end > frame.length - FRAME_TAIL) throw new Error('Invalid frame')
  return frame.toString('utf8', at + 1, end)
}
