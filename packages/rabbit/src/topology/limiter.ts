/** Lets so many pieces of work run at the same time; the others wait for their turn, first come, first served. */
export class Limiter {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Runs the work in its turn and settles as it does. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inside += 1
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // Whoever comes next takes over the place.
      if (next === undefined) this.#inside -= 1
      else next()
    }
  }
}
