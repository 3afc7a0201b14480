import { BackpressureError } from '../errors.ts'
import type { Deadline } from '../util/deadline.ts'

/** Bounds of what may be outstanding at the same time. */
export interface OutstandingLimitOptions {
  readonly maxMessages: number
  readonly maxBytes: number
  /** Most that may wait for a place at the same time; further ones are refused at once, because what waits takes memory
   *  as well. Default 16 384. */
  readonly maxWaitingMessages?: number
  /** Most bytes of them. Default `maxBytes`. */
  readonly maxWaitingBytes?: number
  /** What a caller can do about it, for the text of errors; names the driver's own option where there is one. Default:
   *  to await earlier messages. */
  readonly remedy?: string
}

const DEFAULT_MAX_WAITING = 16_384
const DEFAULT_REMEDY = 'await some of them before sending more'

interface Waiting {
  readonly bytes: number
  readonly admit: () => void
}

/** Bounds what was handed to the broker and is not settled yet, by count and by bytes. First come, first served.
 *  What waits for a place is bounded the same way. A single message larger than everything is let through alone, so
 *  that it cannot wait for ever. */
export class OutstandingLimit {
  readonly #options: Required<OutstandingLimitOptions>
  #messages = 0
  #bytes = 0
  #waitingBytes = 0
  readonly #waiting = new Set<Waiting>()

  constructor(options: OutstandingLimitOptions) {
    this.#options = {
      maxWaitingMessages: DEFAULT_MAX_WAITING,
      maxWaitingBytes: options.maxBytes,
      remedy: DEFAULT_REMEDY,
      ...options,
    }
  }

  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes a place at once if there is one: the hot path, without a promise. */
  tryAcquire(bytes: number): boolean {
    if (this.#waiting.size > 0 || !this.#fits(bytes)) return false
    this.#take(bytes)
    return true
  }

  /** Throws what `acquire` would reject with at once: for who would have to encode a message first. */
  check(bytes: number): void {
    if (this.#waiting.size > 0 || !this.#fits(bytes)) this.#checkWaiting(bytes)
  }

  /** Takes a place, waiting for one until the deadline; then rejects with BackpressureError (`cause` the timeout).
   *  Rejects with it at once when too many wait already. */
  async acquire(bytes: number, deadline: Deadline): Promise<void> {
    if (this.tryAcquire(bytes)) return
    this.#checkWaiting(bytes)
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        admit: () => {
          cancel()
          this.#leave(waiting)
          this.#take(bytes)
          resolve()
        },
      }
      let cancel = (): void => {}
      this.#waiting.add(waiting)
      this.#waitingBytes += bytes
      cancel = deadline.watch({ phase: 'publish', delivery: 'not-sent' }, (error) => {
        this.#leave(waiting)
        if (deadline.signal?.aborted) reject(error)
        else reject(this.#refusal('and none was settled in time', error))
        this.#admitWaiting()
      })
    })
  }

  /** Gives a place back. Exactly once for each place taken. */
  release(bytes: number): void {
    this.#messages -= 1
    this.#bytes -= bytes
    if (this.#waiting.size > 0) this.#admitWaiting()
  }

  #fits(bytes: number): boolean {
    if (this.#messages === 0) return true
    return this.#messages < this.#options.maxMessages && this.#bytes + bytes <= this.#options.maxBytes
  }

  #take(bytes: number): void {
    this.#messages += 1
    this.#bytes += bytes
  }

  #checkWaiting(bytes: number): void {
    const { maxWaitingMessages, maxWaitingBytes } = this.#options
    const { size } = this.#waiting
    if (size < maxWaitingMessages && (size === 0 || this.#waitingBytes + bytes <= maxWaitingBytes)) return
    throw this.#refusal(`and ${size} more (${this.#waitingBytes} bytes) wait already`)
  }

  #leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#waitingBytes -= waiting.bytes
  }

  #refusal(why: string, cause?: unknown): BackpressureError {
    const text = `${this.#messages} messages (${this.#bytes} bytes) are outstanding ${why}: ${this.#options.remedy}`
    return new BackpressureError(text, cause === undefined ? {} : { cause })
  }

  #admitWaiting(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return
      waiting.admit()
    }
  }
}
