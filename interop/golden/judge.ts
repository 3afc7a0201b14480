import { isDeepStrictEqual } from 'node:util'

import { difference } from './differences.ts'

/** What came out of executing one vector. */
export interface Verdict {
  readonly vector: string
  readonly outcome: 'equal' | 'equal but for' | 'differs'
  /** Ids of documented differences that showed. */
  readonly differences: readonly string[]
  /** What is not explained, for people. */
  readonly details: readonly string[]
  /** Single comparisons that were made. */
  readonly comparisons: number
}

/** Collects the comparisons of one vector. */
export class Judge {
  readonly #vector: string
  readonly #excused = new Set<string>()
  readonly #details: string[] = []
  #comparisons = 0

  constructor(vector: string) {
    this.#vector = vector
  }

  /** Both must be the same, the order of keys included where `ours` and `python` are text. */
  same(what: string, ours: unknown, python: unknown): void {
    this.#comparisons += 1
    if (isDeepStrictEqual(ours, python)) return
    this.#details.push(`${what}\n  ours:   ${show(ours)}\n  Python: ${show(python)}`)
  }

  /** The documented difference with this id showed. */
  excuse(id: string): void {
    this.#excused.add(difference(id).id)
  }

  verdict(): Verdict {
    // An execution that compares nothing proves nothing.
    const details = this.#comparisons === 0 ? ['nothing was compared'] : this.#details
    const excused = [...this.#excused].toSorted()
    const outcome = details.length > 0 ? 'differs' : excused.length > 0 ? 'equal but for' : 'equal'
    return { vector: this.#vector, outcome, differences: excused, details, comparisons: this.#comparisons }
  }
}

const show = (value: unknown): string =>
  JSON.stringify(value, bigintAsText, 1)?.replaceAll('\n', '\n    ') ?? 'undefined'

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
