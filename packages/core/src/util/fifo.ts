/** First in, first out; `shift` costs the same however long the queue is. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** The oldest; undefined when there is none. */
  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Puts an item before the first for which `isLater`, else at the end. */
  insert(item: Item, isLater: (other: Item) => boolean): void {
    let index = this.#head
    while (index < this.#items.length && !isLater(this.#items[index] as Item)) index += 1
    if (index === this.#head && this.#head > 0) {
      this.#head -= 1
      this.#items[this.#head] = item
    } else this.#items.splice(index, 0, item)
  }

  /** Takes everything out, oldest first. */
  drain(): Item[] {
    const items = this.#items.slice(this.#head) as Item[]
    this.#items = []
    this.#head = 0
    return items
  }
}
