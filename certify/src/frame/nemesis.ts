import type { Random } from '@oslo-messaging/conformance/faults'

/** One kind of trouble. */
export interface Nemesis {
  /** `leader election`. */
  readonly name: string
  /** What it takes for itself: two that share one of these are never mixed. */
  readonly disturbs: readonly string[]
  /** A node goes down in a strike, and what it had not read of acknowledgements with it. */
  readonly stopsNodes?: true
  /** Makes trouble for about `forMs` milliseconds, ends it, and tells what was hit. Rejects when the trouble cannot be
   *  made, or cannot be ended. */
  strike(strike: { readonly random: Random; readonly forMs: number }): Promise<Hits>
}

/** What a strike did, as facts that were observed, so that a nemesis which does nothing is noticed. */
export interface Hits {
  /** Leaders moved, connections cut, nodes frozen, ...; 0: it missed. */
  readonly count: number
  /** For people: `12 of 18 leaders moved`. */
  readonly says: string
}

/** When a nemesis struck. */
export interface Strike extends Hits {
  readonly nemesis: string
  /** Number of its phase, counted from 1. */
  readonly phase: number
  /** Milliseconds since the history began. */
  readonly fromMs: number
  readonly toMs: number
}
