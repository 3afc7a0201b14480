interface Read {
  readonly offset: number
  readonly body: Buffer
}

/** What a delivery of a stream is: to be handled, handled before, or of a stream that was made anew since, which is to
 *  be read from its beginning. */
export type StreamDelivery = 'new' | 'settled' | 'of-another'

/** How far a listener has come in a stream, which repeats nothing by itself: after a loss it is read again from the
 *  first message that was not settled, and what was settled after that is passed over. Where all were, the last of them
 *  is read again: by that a stream is known that was deleted and made anew under its name. */
export class StreamPosition {
  /** Delivered and not settled, in the order of the stream. */
  readonly #unsettled = new Map<number, Read>()
  #start: number | undefined
  #last: Read | undefined
  /** What the broker was asked to begin with; undefined: it has answered. */
  #asked: Read | 'first' | undefined

  /** `start`: where to go on when nothing has been delivered yet; undefined: nobody knows. */
  constructor(start?: number) {
    this.#start = start
  }

  /** Where to ask the broker to go on, of a stream that holds so many messages; undefined when nothing has been
   *  delivered yet, and nobody has said. A stream with fewer messages than were read has lost its oldest, or is another
   *  one: it is read from its beginning, which tells. */
  goOn(messageCount: number): number | 'first' | undefined {
    const [unsettled] = this.#unsettled.values()
    const known = unsettled ?? this.#last
    this.#asked = known !== undefined && messageCount <= known.offset ? 'first' : known
    return this.#asked === 'first' ? 'first' : (known?.offset ?? this.#start)
  }

  /** Notes a delivery. After `of-another` the position is that of the beginning. */
  delivered(offset: number, body: Buffer): StreamDelivery {
    const asked = this.#asked
    this.#asked = undefined
    if (asked === 'first' && offset === 0) this.#beginAnew()
    if (typeof asked === 'object' && (offset < asked.offset || (offset === asked.offset && !body.equals(asked.body)))) {
      this.#beginAnew()
      return 'of-another'
    }
    if (this.#last !== undefined && offset <= this.#last.offset) return this.#unsettled.has(offset) ? 'new' : 'settled'
    this.#last = { offset, body }
    this.#unsettled.set(offset, this.#last)
    return 'new'
  }

  settled(offset: number): void {
    this.#unsettled.delete(offset)
  }

  #beginAnew(): void {
    this.#unsettled.clear()
    this.#last = undefined
    this.#start = 0
  }
}
