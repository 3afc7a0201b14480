import type { Outgoing } from './outgoing.ts'

/** Messages that wait for the next request, oldest first. */
export class OutgoingQueue {
  /** What has left from the middle keeps its place, empty, until it is passed. */
  #items: (Outgoing | undefined)[] = []
  #head = 0
  #size = 0

  /** Messages that wait. */
  get size(): number {
    return this.#size
  }

  add(message: Outgoing): void {
    message.queue = this
    this.#items.push(message)
    this.#size += 1
  }

  /** Takes out one that was given up. */
  forget(message: Outgoing): void {
    if (message.queue !== this) return
    message.queue = undefined
    this.#size -= 1
    if (this.#size < this.#items.length / 2) this.#sweep()
  }

  /** The oldest messages, as many as fit; one always does. */
  take(maxMessages: number, maxBytes: number): Outgoing[] {
    const batch: Outgoing[] = []
    let bytes = 0
    for (; this.#head < this.#items.length; this.#head += 1) {
      const message = this.#items[this.#head]
      if (message?.queue === this) {
        const fits = batch.length < maxMessages && bytes + message.bytes <= maxBytes
        if (!fits && batch.length > 0) break
        bytes += message.bytes
        batch.push(message)
        message.queue = undefined
      }
      this.#items[this.#head] = undefined
    }
    this.#size -= batch.length
    if (this.#size < this.#items.length / 2) this.#sweep()
    return batch
  }

  #sweep(): void {
    this.#items = this.#size === 0 ? [] : this.#items.filter((message) => message?.queue === this)
    this.#head = 0
  }
}
