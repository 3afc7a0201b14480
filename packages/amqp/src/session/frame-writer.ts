/** Where frames go: a socket that takes what it is given, and says when it had rather be given nothing. */
export interface FrameSink {
  write(bytes: Buffer): boolean
  cork(): void
  uncork(): void
  readonly writableLength: number
  readonly destroyed: boolean
  readonly writableEnded: boolean
}

export type OnFrame = (channel: number, performative: Buffer, payloadBytes: number) => void

/** Bytes that were not yet taken by the network; beyond that nothing is handed over that can wait. */
const MAX_UNSENT = 1024 * 1024
const SLAB_BYTES = 64 * 1024
/** Payloads from this size on are handed over where they are instead of being copied. */
const LARGE_BYTES = 4 * 1024
const HEAD_BYTES = 8
/** The most that the fields of a transfer take. */
const TRANSFER_BYTES = 64

/** Collects the frames of one turn of the event loop and hands them to the socket together at its end: the answer to
 *  one message and the next one are then one write. */
export class FrameWriter {
  readonly #sink: () => FrameSink | undefined
  readonly #onFrame: OnFrame | undefined
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #from = 0
  #at = 0
  #ready: Buffer[] = []
  #readyBytes = 0
  #flushing: NodeJS.Immediate | undefined
  #isClosed = false
  #before: (() => void)[] = []
  #written: (() => void)[] = []

  /** `onFrame` sees every performative, and how many bytes follow it. */
  constructor(sink: () => FrameSink | undefined, onFrame?: OnFrame) {
    this.#sink = sink
    this.#onFrame = onFrame
  }

  /** The network takes less than is handed over: what can wait should. */
  get isCongested(): boolean {
    return this.#readyBytes + (this.#at - this.#from) + (this.#sink()?.writableLength ?? 0) >= MAX_UNSENT
  }

  /** Called once, before the frames of this turn leave: for what is better said in one frame than in many. */
  beforeFlush(callback: () => void): void {
    this.#before.push(callback)
    this.#flushLater()
  }

  /** Called once, when everything written so far has been handed to the socket. Not called when the connection goes
   *  first. */
  onWritten(callback: () => void): void {
    this.#written.push(callback)
  }

  frame(channel: number, performative: Buffer): void {
    const size = HEAD_BYTES + performative.length
    this.#reserve(size)
    this.#head(size, channel)
    this.#at += performative.copy(this.#slab, this.#at)
    this.#onFrame?.(channel, performative, 0)
    this.#flushLater()
  }

  /** A transfer, in the one form that all of ours have.*/
  transfer(channel: number, fields: TransferFields, payload: Buffer): void {
    const isLarge = payload.length >= LARGE_BYTES
    this.#reserve(TRANSFER_BYTES + (isLarge ? 0 : payload.length))
    const slab = this.#slab
    const start = this.#at
    this.#at += HEAD_BYTES
    let at = this.#at
    const { handle, deliveryId, settled, more, aborted } = fields
    // Described by 0x14, a list of 8 bits; its size and count are filled in below.
    slab[at] = 0x00
    slab[at + 1] = 0x53
    slab[at + 2] = 0x14
    slab[at + 3] = 0xc0
    const sizeAt = at + 4
    at += 6
    slab[at] = 0x70
    at = slab.writeUInt32BE(handle, at + 1)
    slab[at] = 0x70
    at = slab.writeUInt32BE(deliveryId, at + 1)
    // The tag: four bytes that are unique in the session.
    slab[at] = 0xa0
    slab[at + 1] = 4
    at = slab.writeUInt32BE(deliveryId, at + 2)
    slab[at] = 0x43
    slab[at + 1] = settled ? 0x41 : 0x42
    slab[at + 2] = more ? 0x41 : 0x42
    at += 3
    let count = 6
    if (aborted === true) {
      // rcv-settle-mode, state and resume are left out.
      slab[at] = 0x40
      slab[at + 1] = 0x40
      slab[at + 2] = 0x40
      slab[at + 3] = 0x41
      at += 4
      count = 10
    }
    slab[sizeAt] = at - sizeAt - 1
    slab[sizeAt + 1] = count
    this.#onFrame?.(channel, slab.subarray(start + HEAD_BYTES, at), payload.length)
    if (!isLarge) at += payload.copy(slab, at)
    const size = at - start + (isLarge ? payload.length : 0)
    this.#at = start
    this.#head(size, channel)
    this.#at = at
    if (isLarge) {
      this.#cut()
      this.#ready.push(payload)
      this.#readyBytes += payload.length
    }
    this.#flushLater()
  }

  /** Hands over what has been written, at once. */
  flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (this.#isClosed) return
    for (const callback of this.#before.splice(0)) callback()
    this.#cut()
    const sink = this.#sink()
    // What a dead socket swallows was not written; the end of the connection is told in a moment.
    if (sink === undefined || sink.destroyed || sink.writableEnded) return
    if (this.#ready.length > 0) {
      const ready = this.#ready
      this.#ready = []
      this.#readyBytes = 0
      if (ready.length > 1) sink.cork()
      for (const bytes of ready) sink.write(bytes)
      if (ready.length > 1) sink.uncork()
    }
    if (this.#written.length > 0) for (const callback of this.#written.splice(0)) callback()
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true
    clearImmediate(this.#flushing)
    this.#ready = []
    this.#before = []
    this.#written = []
  }

  #head(size: number, channel: number): void {
    const slab = this.#slab
    slab.writeUInt32BE(size, this.#at)
    slab[this.#at + 4] = 2
    slab[this.#at + 5] = 0
    slab.writeUInt16BE(channel, this.#at + 6)
    this.#at += HEAD_BYTES
  }

  /** Room for so many bytes in one piece. What has been handed over is never written to again. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return
    this.#cut()
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
    this.#from = 0
    this.#at = 0
  }

  #cut(): void {
    if (this.#at === this.#from) return
    this.#ready.push(this.#slab.subarray(this.#from, this.#at))
    this.#readyBytes += this.#at - this.#from
    this.#from = this.#at
  }

  #flushLater(): void {
    if (this.#isClosed) return
    this.#flushing ??= setImmediate(() => this.flush())
  }
}

export interface TransferFields {
  readonly handle: number
  readonly deliveryId: number
  readonly settled: boolean
  readonly more: boolean
  readonly aborted?: boolean
}
