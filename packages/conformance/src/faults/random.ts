/** Randomness that a seed repeats: the same seed and labels give the same numbers, whatever else is drawn. */
export class Random {
  readonly #seed: string
  #state: number

  constructor(seed: string) {
    this.#seed = seed
    this.#state = hash(seed)
  }

  /** Randomness of its own for one purpose, so that one that draws more does not shift the others. */
  fork(label: string): Random {
    return new Random(`${this.#seed}/${label}`)
  }

  /** 0 (included) to 1 (excluded). */
  next(): number {
    // The generator mulberry32: 32 bits of state, which is plenty for a plan.
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** One of them. Throws RangeError when there is none. */
  pick<T>(all: readonly T[]): T {
    const one = all[this.between(0, all.length - 1)]
    if (one === undefined) throw new RangeError('There is nothing to pick from')
    return one
  }

  /** All of them, in another order. */
  shuffle<T>(all: readonly T[]): readonly T[] {
    const left = [...all]
    const order: T[] = []
    while (left.length > 0) order.push(...left.splice(this.between(0, left.length - 1), 1))
    return order
  }
}

/** 32 bits of FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value
}
