/** Counts events by name and lets the program wait until one has happened often enough. */
export class Tally {
  readonly #counts = new Map<string, number>()
  readonly #waiting = new Set<() => void>()

  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1)
    for (const check of this.#waiting) check()
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** Resolves when `name` was added `times` times; rejects after `timeoutMs`. */
  async reached(name: string, times: number, timeoutMs = 30_000): Promise<void> {
    if (this.count(name) >= times) return
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(check)
      }
      const check = (): void => {
        if (this.count(name) < times) return
        end()
        resolve()
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`${name} happened ${this.count(name)} of ${times} times within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.add(check)
    })
  }
}
