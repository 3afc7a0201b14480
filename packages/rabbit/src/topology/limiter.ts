/** Lets so many pieces of work run at the same time; the others wait for their turn, first come, first served. Work
 *  that takes longer than `mostMs` goes on beside the others and gives up its place: what waits for an answer that does
 *  not come holds up nobody. */
export class Limiter {
  readonly #most: number
  readonly #mostMs: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(most: number, mostMs: number) {
    this.#most = most
    this.#mostMs = mostMs
  }

  /** Runs the work in its turn and settles as it does. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inside += 1
    let hasPlace = true
    const leave = (): void => {
      if (!hasPlace) return
      hasPlace = false
      const next = this.#waiting.shift()
      // Whoever comes next takes over the place.
      if (next === undefined) this.#inside -= 1
      else next()
    }
    const timer = setTimeout(leave, this.#mostMs).unref()
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      leave()
    }
  }
}
