const PATIENCE_MS = 15_000

/** What arrived at our side, to be waited for. */
export class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiting = new Set<() => void>()

  readonly add = (item: T): void => {
    this.#items.push(item)
    for (const check of this.#waiting) check()
  }

  get items(): readonly T[] {
    return this.#items
  }

  /** Hands over whatever arrives from now on. */
  forEach(take: (item: T) => void): void {
    let next = this.#items.length
    this.#waiting.add(() => {
      for (const item of this.#items.slice(next)) take(item)
      next = this.#items.length
    })
  }

  /** Resolves when this many (of those that match) have arrived; rejects after `timeoutMs`. There may be more by
   *  then. */
  async atLeast(
    count: number,
    matches: (item: T) => boolean = () => true,
    timeoutMs = PATIENCE_MS,
  ): Promise<readonly T[]> {
    const found = (): readonly T[] => this.#items.filter(matches)
    if (found().length < count) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          this.#waiting.delete(check)
          reject(new Error(`Only ${found().length} of ${count} arrived: ${JSON.stringify(this.#items).slice(0, 2000)}`))
        }, timeoutMs)
        const check = (): void => {
          if (found().length < count) return
          clearTimeout(timer)
          this.#waiting.delete(check)
          resolve()
        }
        this.#waiting.add(check)
      })
    }
    return found()
  }
}
