import type net from 'node:net'

/** What a direction asks the proxy before it passes bytes on. */
export interface Flow {
  /** Milliseconds that each byte is kept at least. */
  readonly delayMs: () => number
  /** Most bytes a second; null: no limit. */
  readonly bytesPerSecond: () => number | null
  /** How long the next piece of a split chunk is; null: chunks are left whole. */
  readonly pieceBytes: () => number | null
  /** Whether bytes vanish. */
  readonly swallow: () => boolean
  /** Told of each chunk; false when it has just cost the connection its life. */
  readonly through: (bytes: number) => boolean
}

/** Bytes read ahead of a slow direction; what is more stays in the sender's socket. */
const READ_AHEAD_MS = 1_000
/** A slow direction trickles: pieces of this much time. */
const TRICKLE_MS = 50

interface Step {
  readonly dueMs: number
  readonly act: () => void
  /** The next one leaves in a later turn, or the two would be joined again on their way. */
  readonly endsPacket: boolean
}

/** One direction of a connection: bytes leave in the order they came, at the earliest after the delay of their time. */
export class Direction {
  readonly #from: net.Socket
  readonly #to: net.Socket
  readonly #flow: Flow
  readonly #steps: Step[] = []
  #held = true
  #detached = false
  #pumping = false
  /** When the last step is due; later ones must not overtake it. */
  #lastDueMs = 0

  constructor(from: net.Socket, to: net.Socket, flow: Flow) {
    this.#from = from
    this.#to = to
    this.#flow = flow
    from.on('data', (chunk) => this.#take(chunk))
    from.on('end', () => this.#later(0, () => to.end()))
    from.on('close', () => this.#later(0, () => to.destroySoon()))
    to.on('drain', () => this.#resume())
    from.pause()
  }

  flow(): void {
    this.#held = false
    this.#from.resume()
  }

  hold(): void {
    this.#held = true
    this.#from.pause()
  }

  /** From now on neither bytes nor an end pass: the other side hears nothing any more. */
  detach(): void {
    this.#detached = true
    this.#steps.length = 0
    this.flow()
  }

  #resume(): void {
    if (!this.#held && !this.#isAhead()) this.#from.resume()
  }

  #isAhead(): boolean {
    return this.#lastDueMs - performance.now() > READ_AHEAD_MS + this.#flow.delayMs()
  }

  #take(chunk: Buffer): void {
    if (this.#detached || this.#flow.swallow() || !this.#flow.through(chunk.length)) return
    const rate = this.#flow.bytesPerSecond()
    const trickle = rate === null ? chunk.length : Math.max(1, Math.floor((rate * TRICKLE_MS) / 1000))
    for (let at = 0; at < chunk.length;) {
      const split = this.#flow.pieceBytes()
      const piece = chunk.subarray(at, at + Math.min(split ?? chunk.length, trickle))
      at += piece.length
      const costsMs = rate === null ? 0 : (piece.length / rate) * 1000
      this.#later(costsMs, () => this.#write(piece), split !== null)
    }
    if (this.#isAhead()) this.#from.pause()
  }

  #write(piece: Buffer): void {
    if (this.#to.destroyed) return
    if (!this.#to.write(piece)) this.#from.pause()
    else if (this.#from.isPaused()) this.#resume()
  }

  /** Does it after everything that came before, and `costsMs` later than that. */
  #later(costsMs: number, act: () => void, endsPacket = false): void {
    if (this.#detached) return
    const now = performance.now()
    this.#lastDueMs = Math.max(now + this.#flow.delayMs(), this.#lastDueMs) + costsMs
    this.#steps.push({ dueMs: this.#lastDueMs, act, endsPacket })
    if (!this.#pumping) this.#pump()
  }

  #pump(): void {
    this.#pumping = true
    for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
      const waitMs = step.dueMs - performance.now()
      if (waitMs > 0) {
        setTimeout(() => this.#pump(), waitMs)
        return
      }
      this.#steps.shift()
      step.act()
      if (step.endsPacket) {
        setImmediate(() => this.#pump())
        return
      }
    }
    this.#pumping = false
  }
}
