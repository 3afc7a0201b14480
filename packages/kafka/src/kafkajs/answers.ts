/** Questions that a group may take a minute to answer: until all its members are there. */
const UNHURRIED: ReadonlySet<number> = new Set([11, 14])

/** What one connection was asked and has not answered. A broker answers in the order of the questions. */
export class Answers {
  readonly #open: { readonly key: number; readonly at: number }[] = []
  /** Bytes left of the answer that is coming in. */
  #left = 0
  #size = 0
  #sizeBytes = 0

  asked(key: number, at: number): void {
    this.#open.push({ key, at })
  }

  received(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
        if (this.#left === 0) this.#open.shift()
      } else {
        this.#size = this.#size * 256 + (chunk[at] ?? 0)
        at += 1
        this.#sizeBytes += 1
        if (this.#sizeBytes < 4) continue
        this.#left = this.#size
        this.#size = 0
        this.#sizeBytes = 0
      }
    }
  }

  /** Since when the next answer is waited for; undefined: none is, or it may take its time. */
  get waitingSince(): number | undefined {
    const [first] = this.#open
    return first === undefined || UNHURRIED.has(first.key) ? undefined : first.at
  }
}
