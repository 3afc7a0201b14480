import type { Clock } from '../util/clock.ts'

export interface BatcherOptions<Item> {
  /** A batch is complete with so many. */
  readonly size: number
  /** Or so long after its first item, milliseconds; null: only when it is full. */
  readonly timeoutMs: number | null
  readonly clock: Clock
  readonly onBatch: (batch: readonly Item[]) => void
}

/** Collects items into batches. The time of a batch starts with its first item, so that none is cut short by the time
 *  before it. */
export class Batcher<Item> {
  readonly #options: BatcherOptions<Item>
  #items: Item[] = []
  #timer: unknown

  constructor(options: BatcherOptions<Item>) {
    this.#options = options
  }

  add(item: Item): void {
    const { size, timeoutMs, clock } = this.#options
    this.#items.push(item)
    if (this.#items.length >= size) this.flush()
    else if (this.#items.length === 1 && timeoutMs !== null)
      this.#timer = clock.setTimeout(() => this.flush(), timeoutMs)
  }

  /** Ends the batch that is being collected, if there is one. */
  flush(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#items.length === 0) return
    const batch = this.#items
    this.#items = []
    this.#options.onBatch(batch)
  }
}
