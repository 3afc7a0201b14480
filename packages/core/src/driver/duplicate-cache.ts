/** Remembers the newest `size` ids, to notice a message that comes twice. oslo keeps 16 a listener. 0 remembers
 *  nothing. An id costs the same time however many are kept. */
export class DuplicateCache<Id = string> {
  readonly #size: number
  readonly #ids = new Set<Id>()
  /** The same in a ring, in order of arrival: a Set that loses its first all the time takes ever longer to find it. */
  readonly #order: Id[] = []
  #oldest = 0

  constructor(size: number) {
    this.#size = size
  }

  has(id: Id): boolean {
    return this.#ids.has(id)
  }

  add(id: Id): void {
    if (this.#size === 0 || this.#ids.has(id)) return
    this.#ids.add(id)
    const oldest = this.#order[this.#oldest]
    if (this.#order.length === this.#size && oldest !== undefined) this.#ids.delete(oldest)
    this.#order[this.#oldest] = id
    this.#oldest = (this.#oldest + 1) % this.#size
  }

  /** Adds the id; true when it was there already. */
  seen(id: Id): boolean {
    if (this.#ids.has(id)) return true
    this.add(id)
    return false
  }
}
