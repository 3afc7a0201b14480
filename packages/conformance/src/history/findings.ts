import type { CommittedEvent, HistoryEvent } from './event.ts'
import type { Invariant, Violation } from './verdict.ts'

interface Example {
  readonly invariant: Invariant
  readonly message: number
  readonly reader: string | undefined
  readonly says: string
}

/** Counts violations, and keeps the first few of each invariant until their events are collected. */
export class Findings {
  readonly #counts = new Map<Invariant, number>()
  readonly #examples: Example[] = []
  readonly #perInvariant: number

  constructor(perInvariant: number) {
    this.#perInvariant = perInvariant
  }

  /** Says that the invariant applies, so that a history without violations counts 0 of it. */
  applies(invariant: Invariant): void {
    if (!this.#counts.has(invariant)) this.#counts.set(invariant, 0)
  }

  add(invariant: Invariant, message: number, says: string, reader?: string): void {
    const before = this.#counts.get(invariant) ?? 0
    this.#counts.set(invariant, before + 1)
    if (before < this.#perInvariant) this.#examples.push({ invariant, message, reader, says })
  }

  get counts(): Partial<Record<Invariant, number>> {
    return Object.fromEntries(this.#counts)
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, one) => sum + one, 0)
  }

  /** The examples with everything that happened to their messages, and where their readers stand in the same
   *  partition. */
  collect(events: Iterable<HistoryEvent>): readonly Violation[] {
    const wanted = new Map<number, HistoryEvent[]>(this.#examples.map(({ message }) => [message, []]))
    const readers = new Set(this.#examples.map(({ reader }) => reader))
    const commits: CommittedEvent[] = []
    if (wanted.size > 0) {
      for (const event of events) {
        if ('message' in event) wanted.get(event.message)?.push(event)
        else if (event.kind === 'committed' && readers.has(event.reader)) commits.push(event)
        // A reply that went astray concerns the call it was made for as well.
        if (event.kind === 'replied' && event.answer !== event.message) wanted.get(event.answer)?.push(event)
      }
    }
    return this.#examples.map((example) => {
      const own = wanted.get(example.message) ?? []
      const stored = own.find((event) => event.kind === 'stored')
      const positions = commits.filter(
        ({ reader, place, partition }) =>
          reader === example.reader && place === stored?.place && partition === stored.partition,
      )
      return { ...example, events: [...own, ...positions] }
    })
  }
}
