import { BackpressureError } from '../errors.ts'
import type { Deadline } from '../util/deadline.ts'

/** Bounds of what may be outstanding at the same time. */
export interface OutstandingLimitOptions {
  readonly maxMessages: number
  readonly maxBytes: number
}

interface Waiting {
  readonly bytes: number
  readonly admit: () => void
}

/** Bounds what was handed to the broker and is not settled yet, by count and by bytes (DESIGN D5). First come, first served.
 *  A single message larger than `maxBytes` is let through alone, so that it cannot wait for ever. */
export class OutstandingLimit {
  readonly #options: OutstandingLimitOptions
  #messages = 0
  #bytes = 0
  readonly #waiting = new Set<Waiting>()

  constructor(options: OutstandingLimitOptions) {
    this.#options = options
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

  /** Takes a place, waiting for one until the deadline; then rejects with BackpressureError (`cause` the timeout). */
  async acquire(bytes: number, deadline: Deadline): Promise<void> {
    if (this.tryAcquire(bytes)) return
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        admit: () => {
          cancel()
          this.#waiting.delete(waiting)
          this.#take(bytes)
          resolve()
        },
      }
      let cancel = (): void => {}
      this.#waiting.add(waiting)
      cancel = deadline.watch({ phase: 'publish', delivery: 'not-sent' }, (error) => {
        this.#waiting.delete(waiting)
        if (deadline.signal?.aborted) reject(error)
        else
          reject(
            new BackpressureError(
              `${this.#messages} messages (${this.#bytes} bytes) are outstanding and none was settled in time; slow down or raise the limit`,
              { cause: error },
            ),
          )
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

  #admitWaiting(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return
      waiting.admit()
    }
  }
}
