/** How far a listener has come in a stream, which repeats nothing by itself: after a loss it is read again from the
 *  first message that was not settled,
 *  and what was settled after that is passed over. */
export class StreamPosition {
  /** Delivered and not settled, in the order of the stream. */
  readonly #unsettled = new Set<number>()
  #start: number | undefined
  #last: number | undefined
  #isDoubted = false

  /** `start`: where to go on when nothing has been delivered yet; undefined: nobody knows. */
  constructor(start?: number) {
    this.#start = start
  }

  /** Where to go on; undefined when nothing has been delivered yet, and nobody has said. */
  get next(): number | undefined {
    const [first] = this.#unsettled
    return first ?? (this.#last === undefined ? this.#start : this.#last + 1)
  }

  /** Where to ask the broker to go on, of a stream that holds so many messages. One with fewer than were read here has
   *  lost its oldest, or was deleted and made anew: it is read from its beginning, which tells. */
  goOn(messageCount: number): number | 'first' {
    const next = this.next ?? 0
    this.#isDoubted = messageCount < next
    return this.#isDoubted ? 'first' : next
  }

  /** Notes a delivery; false when it was settled before, and is not to be handled again. */
  delivered(offset: number): boolean {
    if (this.#isDoubted && offset === 0) this.#beginAnew()
    this.#isDoubted = false
    if (this.#last !== undefined && offset <= this.#last) return this.#unsettled.has(offset)
    this.#last = offset
    this.#unsettled.add(offset)
    return true
  }

  settled(offset: number): void {
    this.#unsettled.delete(offset)
  }

  /** The stream is another one: nothing of it was read. */
  #beginAnew(): void {
    this.#unsettled.clear()
    this.#last = undefined
    this.#start = 0
  }
}
