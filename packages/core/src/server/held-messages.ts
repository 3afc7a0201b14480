import type { Clock } from '../util/clock.ts'

interface Held {
  readonly timer: unknown
  readonly handBack: () => void
}

/** Messages that cannot be handled now and are looked at again after a while. They stay unsettled meanwhile and hold no
 *  worker. One for each start of a server. */
export class HeldMessages {
  readonly #clock: Clock
  readonly #held = new Set<Held>()
  #isStopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `again` after the time; `handBack` instead when the server stops before, or has stopped. */
  hold(waitMs: number, again: () => void, handBack: () => void): void {
    if (this.#isStopped) return handBack()
    const timer = this.#clock.setTimeout(() => {
      this.#held.delete(held)
      again()
    }, waitMs)
    const held: Held = { timer, handBack }
    this.#held.add(held)
  }

  stop(): void {
    this.#isStopped = true
    for (const { timer, handBack } of this.#held) {
      this.#clock.clearTimeout(timer)
      handBack()
    }
    this.#held.clear()
  }
}
