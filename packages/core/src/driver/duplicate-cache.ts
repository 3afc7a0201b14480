/** Remembers the newest `size` ids, to notice a message that comes twice. oslo keeps 16 a listener. 0 remembers
 *  nothing. */
export class DuplicateCache {
  readonly #size: number
  readonly #ids = new Set<string>()

  constructor(size: number) {
    this.#size = size
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    if (this.#size === 0) return
    this.#ids.add(id)
    if (this.#ids.size <= this.#size) return
    // A Set iterates in order of insertion: the first is the oldest.
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }

  /** Adds the id; true when it was there already. */
  seen(id: string): boolean {
    if (this.#ids.has(id)) return true
    this.add(id)
    return false
  }
}
