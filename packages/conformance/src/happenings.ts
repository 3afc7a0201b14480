/** How many of the last events a failure tells. */
const TOLD = 40

/** What happened in a case, with times, for whoever reads its failure. */
export class Happenings {
  readonly #startedAt = performance.now()
  readonly #last: string[] = []
  #count = 0

  note(text: string): void {
    this.#count += 1
    this.#last.push(`+${((performance.now() - this.#startedAt) / 1000).toFixed(3)} s  ${text}`)
    if (this.#last.length > TOLD) this.#last.shift()
  }

  /** The last events, one a line. */
  toString(): string {
    const left = this.#count - this.#last.length
    return [...(left > 0 ? [`(${left} events before)`] : []), ...this.#last].join('\n')
  }
}

/** A driver broke a promise: which, what was found, and what had happened until then. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure'
  /** The name of the case, which is the promise. */
  readonly promise: string
  /** What was expected and what was found, in one line. */
  readonly found: string

  constructor(promise: string, cause: unknown, happenings: Happenings) {
    const found = cause instanceof Error ? cause.message : String(cause)
    super(`The driver breaks this promise: ${promise}\n${found}\nWhat happened:\n${happenings.toString()}`, { cause })
    this.promise = promise
    this.found = found
  }
}
