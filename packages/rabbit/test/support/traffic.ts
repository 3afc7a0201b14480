import { type Driver, isMessagingError, type MessagingError, Target } from '@oslo-messaging/core/driver'
import { callOptions } from './open-driver.ts'

/** Callers that call again and again, while a test breaks things. */
export class Traffic {
  answered = 0
  readonly failures: MessagingError[] = []
  /** Rejections that are no MessagingError, or do not say how far they had come. */
  readonly untyped: unknown[] = []
  /** Longest time a call took to settle beyond its timeout. */
  latestMs = 0
  readonly #driver: Driver
  readonly #target: Target
  readonly #timeoutMs: number
  readonly #callers: Promise<void>[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  #running = true
  #lastAnswerAt = performance.now()
  #longestGapMs = 0

  constructor(
    driver: Driver,
    topic: string,
    { callers = 16, timeoutMs = 3000 }: { readonly callers?: number; readonly timeoutMs?: number } = {},
  ) {
    this.#driver = driver
    this.#target = new Target({ topic })
    this.#timeoutMs = timeoutMs
    for (let caller = 0; caller < callers; caller += 1) this.#callers.push(this.#call())
  }

  /** Longest time without an answer, up to now. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastAnswerAt)
  }

  /** Resolves when so many more calls have been answered; rejects after `withinMs`. */
  async flows(withinMs: number, more = 20): Promise<number> {
    const startedAt = performance.now()
    const wanted = this.answered + more
    while (this.answered < wanted) {
      if (performance.now() - startedAt > withinMs)
        throw new Error(
          `${this.answered - wanted + more} of ${more} answers within ${withinMs} ms; last failure: ${this.failures.at(-1)?.message ?? 'none'}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return performance.now() - startedAt
  }

  /** Resolves when every call that is under way now has settled, one way or the other. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#callers)
  }

  async #call(): Promise<void> {
    while (this.#running) {
      const startedAt = performance.now()
      try {
        const call = this.#driver.send(
          this.#target,
          { context: {}, message: { method: 'echo', args: { n: 1 } } },
          callOptions({ timeoutMs: this.#timeoutMs }),
        )
        this.#underWay.add(call)
        await call.finally(() => this.#underWay.delete(call))
        this.#longestGapMs = Math.max(this.#longestGapMs, performance.now() - this.#lastAnswerAt)
        this.#lastAnswerAt = performance.now()
        this.answered += 1
      } catch (error) {
        if (!isMessagingError(error) || error.phase === undefined || error.delivery === undefined)
          this.untyped.push(error)
        else this.failures.push(error)
        // A refusal at once is not to become a busy loop.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      this.latestMs = Math.max(this.latestMs, performance.now() - startedAt - this.#timeoutMs)
    }
  }
}

/** Collects what nobody handled, for as long as a test runs. */
export function watchUnhandled(): { readonly seen: readonly unknown[]; stop(): void } {
  const seen: unknown[] = []
  const note = (reason: unknown): unknown => seen.push(reason)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  return {
    seen,
    stop() {
      process.off('unhandledRejection', note)
      process.off('uncaughtException', note)
    },
  }
}
