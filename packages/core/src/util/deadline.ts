import { type DeliveryState, MessagingTimeout, type OperationPhase } from '../errors.ts'
import { onAbort } from './abort.ts'
import { type Clock, systemClock } from './clock.ts'

/** Who may end the operation earlier, and what tells the time. */
export interface DeadlineOptions {
  /** Aborting it ends the operation with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
}

/** What was going on when time ran out; it becomes fields of the error. */
export interface WaitFacts {
  readonly phase: OperationPhase
  readonly delivery: DeliveryState
  /** What is waited for, in words that complete "no ... within 2000 ms". Default: named by the phase. */
  readonly waitingFor?: string
}

const WAITING_FOR: Record<OperationPhase, string> = {
  connect: 'connection to the broker',
  declare: 'answer to a declaration',
  publish: 'room to publish',
  confirm: 'confirmation by the broker',
  reply: 'reply',
}

const ignore = (): void => {}

/** One point in time that bounds a whole operation: connect, declare, publish, confirm and reply share it.
 *  It is made once, where the application called, and handed down; nothing below starts a timeout of its own that could
 *  outlive it. */
export class Deadline {
  /** Milliseconds on the clock's `now`; `Infinity` when the operation may take for ever. */
  readonly at: number
  /** The time the operation was given, in milliseconds; null when unbounded. */
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  readonly #clock: Clock

  private constructor(timeoutMs: number | null, options: DeadlineOptions) {
    // Nothing would ever expire, and every timer would fire at once.
    if (Number.isNaN(timeoutMs)) throw new TypeError('A timeout must be milliseconds or null, not NaN')
    this.#clock = options.clock ?? systemClock
    this.timeoutMs = timeoutMs
    this.at = timeoutMs === null ? Infinity : this.#clock.now() + timeoutMs
    this.signal = options.signal
  }

  /** A deadline `timeoutMs` from now; null means none, so that only `signal` can end the operation. */
  static after(timeoutMs: number | null, options: DeadlineOptions = {}): Deadline {
    return new Deadline(timeoutMs, options)
  }

  /** Milliseconds left, never negative; `Infinity` when unbounded. */
  get remainingMs(): number {
    return this.at === Infinity ? Infinity : Math.max(0, this.at - this.#clock.now())
  }

  get expired(): boolean {
    return this.at !== Infinity && this.#clock.now() >= this.at
  }

  /** The error for an operation that ran out of time in the given phase. */
  timeoutError(facts: WaitFacts): MessagingTimeout {
    const what = facts.waitingFor ?? WAITING_FOR[facts.phase]
    return new MessagingTimeout(`No ${what} within ${this.timeoutMs} ms`, {
      phase: facts.phase,
      delivery: facts.delivery,
      timeoutMs: this.timeoutMs ?? undefined,
    })
  }

  /** Throws when the time is up (MessagingTimeout) or the signal is aborted (its reason). */
  check(facts: WaitFacts): void {
    this.signal?.throwIfAborted()
    if (this.expired) throw this.timeoutError(facts)
  }

  /** Calls `onEnd` once with the error when the deadline passes or the signal aborts; the returned function calls that
   *  off.
   *  Cheaper than `race` where the waiter has its own place to keep the function. */
  watch(facts: WaitFacts, onEnd: (error: unknown) => void): () => void {
    const { signal } = this
    if (signal?.aborted) {
      onEnd(signal.reason)
      return ignore
    }
    if (signal === undefined && this.at === Infinity) return ignore
    let timer: unknown
    const onTime = (): void => {
      // A timer may fire early by a fraction, or stand in for one too long for Node.
      if (!this.expired) return arm()
      cancel()
      onEnd(this.timeoutError(facts))
    }
    const arm = (): void => {
      timer = this.#clock.setTimeout(onTime, Math.ceil(this.remainingMs))
    }
    const callOff =
      signal &&
      onAbort(signal, () => {
        cancel()
        onEnd(signal.reason)
      })
    const cancel = (): void => {
      if (timer !== undefined) this.#clock.clearTimeout(timer)
      callOff?.()
    }
    if (this.at !== Infinity) arm()
    return cancel
  }

  /** Settles as `promise` does, or rejects at the deadline. The work behind `promise` goes on; its late failure is
   *  swallowed here because its owner reports it. */
  async race<T>(promise: Promise<T>, facts: WaitFacts): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const cancel = this.watch(facts, reject)
      promise.then(
        (value) => {
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          cancel()
          reject(error)
        },
      )
    })
  }

  /** Waits `delayMs`, or rejects earlier when the deadline passes or the signal aborts. */
  async sleep(delayMs: number, facts: WaitFacts): Promise<void> {
    let timer: unknown
    const waited = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, delayMs)
    })
    try {
      await this.race(waited, facts)
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }
}
