import type { ResolvedOptions } from '../config/option.ts'
import type { TransportURL } from '../url/transport-url.ts'

/** A configuration as a driver would be opened with it: one of the two of a migration, or the one of a topology. */
export interface MigrationSide<Options extends ResolvedOptions = ResolvedOptions> {
  readonly url: TransportURL
  readonly options: Options
  /** `[DEFAULT] control_exchange`. */
  readonly defaultExchange: string
}

/** What it takes to get a deployment from one configuration to another without losing a message. */
export interface MigrationPlan {
  /** `nothing`: the broker sees no difference. `rolling`: services change one after the other, in any order, and meet
   *  meanwhile. `move`: they cannot meet, or would not get what they ask for, so that messages go to a new place. */
  readonly kind: 'nothing' | 'rolling' | 'move'
  /** One sentence that says so. */
  readonly summary: string
  readonly changes: readonly MigrationChange[]
  /** In this order; none when there is nothing to do. */
  readonly steps: readonly MigrationStep[]
}

/** One thing the broker has that is to be another. */
export interface MigrationChange {
  /** What it is, for people: `queues of topics`. */
  readonly what: string
  readonly before: string
  readonly after: string
  /** `refused`: while the old one is there, who declares the new one is refused, and the other way round.
   *  `kept`: who declares the new one works with the old one as long as that is there.
   *  `own`: nobody but one process uses it, so that old and new stand beside each other.
   *  `elsewhere`: it is at another address, so that old and new never meet. */
  readonly effect: 'refused' | 'kept' | 'own' | 'elsewhere'
}

/** Something to be done before the next step. */
export interface MigrationStep {
  readonly title: string
  readonly what: string
  /** Commands to be run, with names of this configuration where they are known. */
  readonly commands: readonly string[]
  /** What has to be true before the next step. */
  readonly until: string
}
