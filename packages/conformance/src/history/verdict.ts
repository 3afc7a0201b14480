import type { HistoryEvent } from './event.ts'

/** Every invariant, and what a violation of it means, for people. */
export const INVARIANTS = {
  'resolved-and-not-stored': 'the send resolved, and the broker does not have it',
  'stored-twice': 'sent once and stored more often',
  'not-sent-but-stored': 'rejected as not sent, and the broker or a reader had it',
  order: 'later than one that was sent after it, in the same partition and key',
  'handled-twice': 'handled more often than the broker stored it',
  'committed-and-dropped': 'committed, and neither handled nor reported',
  misrouted: 'stored or handled where it was not sent',
  'handled-and-not-settled': 'handled, and the broker would deliver it again',
  'replied-to-another': 'a call got the reply of another',
  lost: 'the broker had it, and a reader never did',
  unfinished: 'the send neither resolved nor rejected',
  overdue: 'the send ended too long after its deadline',
  'given-up-early': 'rejected as unknown before its deadline',
} as const

/** The name of an invariant, as reports print it. */
export type Invariant = keyof typeof INVARIANTS

/** One message that broke a promise, with everything that happened to it. */
export interface Violation {
  readonly invariant: Invariant
  readonly message: number
  /** The reader that is concerned, where one is. */
  readonly reader: string | undefined
  /** One line for people: what was promised and what was found. */
  readonly says: string
  readonly events: readonly HistoryEvent[]
}

/** How many events of each kind a history has. */
export interface HistoryTotals {
  readonly sent: number
  readonly resolved: number
  readonly rejected: { readonly 'not-sent': number; readonly unknown: number; readonly confirmed: number }
  readonly stored: number
  readonly handled: number
  readonly redelivered: number
  /** Handled again without a mark because a node went down before it had their acknowledgement, where that is no
   *  violation. */
  readonly returned: number
  readonly settled: number
  readonly replied: number
  readonly reported: number
  /** Sent to a place that an operator emptied afterwards: owed to nobody. */
  readonly wiped: number
}

/** What the checker found. */
export interface Verdict {
  /** Nothing was violated. */
  readonly passed: boolean
  /** Violations of each invariant that was checked; what does not apply to this history is absent. */
  readonly counts: Readonly<Partial<Record<Invariant, number>>>
  /** The first ones of each invariant, with their events. */
  readonly violations: readonly Violation[]
  readonly totals: HistoryTotals
}
