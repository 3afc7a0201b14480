import type { FetchedRecord } from '../port/client-port.ts'
import { readNote } from './commit-note.ts'
import type { PartitionFlow } from './partition-flow.ts'
import type { Positions } from './start-positions.ts'

/** A commit that was sent and whose answer was lost, with what it stands for. */
export interface DoubtfulCommit {
  readonly flow: PartitionFlow
  readonly records: readonly FetchedRecord[]
  /** The position before it, and the one it asked for. */
  readonly from: number
  readonly to: number
}

export interface DoubtfulCommitsOptions {
  /** The name of this listener in the notes beside its positions. */
  readonly self: string
  /** It was stored: the records are this listener's, and nobody else's. */
  readonly onStored: (commit: DoubtfulCommit) => void
  /** Nobody can say any more whether it was. */
  readonly onUndecidable: (commit: DoubtfulCommit) => void
}

/** Commits before dispatch whose answer was lost, until the stored positions tell what became of them: the next owner
 *  of the partition begins behind their records if they were stored, and reads them if not. */
export class DoubtfulCommits {
  readonly #options: DoubtfulCommitsOptions
  readonly #open = new Map<string, DoubtfulCommit>()

  constructor(options: DoubtfulCommitsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** There is one of this partition. */
  has(flow: PartitionFlow): boolean {
    return this.#open.get(flow.key)?.flow === flow
  }

  add(commit: DoubtfulCommit): void {
    this.#open.set(commit.flow.key, commit)
  }

  /** The partition is this listener's and its position is before these records: it reads them again. */
  forget(key: string): void {
    this.#open.delete(key)
  }

  /** Decides what these positions decide. */
  settle(now: Positions): void {
    for (const [key, commit] of this.#open) {
      const outcome = this.#outcomeOf(commit, now)
      if (outcome === 'open') continue
      this.#open.delete(key)
      if (outcome === 'stored') this.#options.onStored(commit)
      else if (outcome === 'undecidable') this.#options.onUndecidable(commit)
    }
  }

  /** What is left, for the end of the listener; nothing is left then. */
  takeAll(): readonly DoubtfulCommit[] {
    const left = [...this.#open.values()]
    this.#open.clear()
    return left
  }

  #outcomeOf({ flow, from, to }: DoubtfulCommit, now: Positions): 'open' | 'stored' | 'not-stored' | 'undecidable' {
    const { self } = this.#options
    const position = now.committed.get(flow.key)
    if (position === undefined) return 'undecidable'
    if (position <= from) return 'open'
    const note = readNote(now.notes.get(flow.key))
    if (note === undefined) return 'undecidable'
    if (note.by === self) return position === to ? 'stored' : 'undecidable'
    if (note.from <= from) return 'not-stored'
    if (note.from !== to) return 'undecidable'
    return note.after === self ? 'stored' : 'not-stored'
  }
}
