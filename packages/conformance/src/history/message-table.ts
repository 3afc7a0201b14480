/** How a send ended. */
export const Outcome = { open: 0, resolved: 1, notSent: 2, unknown: 3, confirmed: 4 } as const

const FIRST = 1024
const NEVER = 0

/** What is known about each message, in columns that grow by doubling: about 50 bytes a message and 3 for each
 *  reader. */
export class MessageTable {
  /** Id of the place it was sent to, counted from 1; 0: it was never sent. */
  place: Int32Array = new Int32Array(FIRST)
  key: Int32Array = new Int32Array(FIRST)
  dueAt: Float64Array = new Float64Array(FIRST)
  outcome: Uint8Array = new Uint8Array(FIRST)
  wiped: Uint8Array = new Uint8Array(FIRST)
  /** How often it was found where it belongs; counts to 255. */
  stored: Uint8Array = new Uint8Array(FIRST)
  /** Where it was found first. */
  partition: Int32Array = new Int32Array(FIRST)
  position: Float64Array = new Float64Array(FIRST)
  /** Messages have numbers below this. */
  size = 0
  readonly #readers: ReaderColumns[]

  constructor(readers: number) {
    this.#readers = Array.from({ length: readers }, () => new ReaderColumns())
  }

  readers(index: number): ReaderColumns {
    const columns = this.#readers[index]
    if (columns === undefined) throw new RangeError(`There is no reader ${index}`)
    return columns
  }

  /** Makes room for a message of that number. */
  reach(message: number): void {
    if (message < this.size) return
    this.size = message + 1
    if (this.size <= this.place.length) return
    const length = Math.max(this.size, 2 * this.place.length)
    this.place = grown(this.place, new Int32Array(length))
    this.key = grown(this.key, new Int32Array(length))
    this.dueAt = grown(this.dueAt, new Float64Array(length))
    this.outcome = grown(this.outcome, new Uint8Array(length))
    this.wiped = grown(this.wiped, new Uint8Array(length))
    this.stored = grown(this.stored, new Uint8Array(length))
    this.partition = grown(this.partition, new Int32Array(length))
    this.position = grown(this.position, new Float64Array(length))
    for (const columns of this.#readers) columns.grow(length)
  }

  wasSent(message: number): boolean {
    return message < this.size && this.place[message] !== NEVER
  }
}

/** What one reader did with each message; counts to 255. */
export class ReaderColumns {
  handled: Uint8Array = new Uint8Array(FIRST)
  /** Of these, without the mark of a repetition. */
  unmarked: Uint8Array = new Uint8Array(FIRST)
  settled: Uint8Array = new Uint8Array(FIRST)

  grow(length: number): void {
    this.handled = grown(this.handled, new Uint8Array(length))
    this.unmarked = grown(this.unmarked, new Uint8Array(length))
    this.settled = grown(this.settled, new Uint8Array(length))
  }
}

/** One more, up to what the column holds. */
export function count(column: Uint8Array, message: number): void {
  const value = column[message] ?? 0
  if (value < 255) column[message] = value + 1
}

function grown<Column extends Uint8Array | Int32Array | Float64Array>(old: Column, column: Column): Column {
  column.set(old)
  return column
}
