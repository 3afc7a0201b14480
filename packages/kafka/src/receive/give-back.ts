import { type Clock, emitDiagnostic, type Logger } from '@oslo-messaging/core/driver'
import type { PartitionOffset } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import { within } from './within.ts'

/** A final commit that the broker does not answer is given up after so long. */
export const LAST_COMMIT_MS = 5000

/** What a listener has committed and not handed out when it ends: the group's position moves back to it, so that it comes to somebody else. */
export class GiveBack {
  readonly #name: string
  readonly #group: string
  readonly #logger: Logger
  readonly #clock: Clock
  /** Flows of partitions that were taken away, with committed records still to be handed out. */
  readonly #leftovers = new Set<PartitionFlow>()

  constructor(name: string, group: string, logger: Logger, clock: Clock) {
    this.#name = name
    this.#group = group
    this.#logger = logger
    this.#clock = clock
  }

  /** Remembers a partition that was taken away: what it has queued is committed, and nobody else's. */
  keep(flow: PartitionFlow): void {
    for (const other of this.#leftovers) if (other.queued === 0) this.#leftovers.delete(other)
    if (flow.queued > 0) this.#leftovers.add(flow)
  }

  /** Empties the queues and commits where they began. Never rejects: what cannot be given back is reported with its number. */
  async run(
    flows: readonly PartitionFlow[],
    timeoutMs: number,
    commit: (positions: readonly PartitionOffset[]) => Promise<void>,
  ): Promise<void> {
    const positions = flows.flatMap((flow) => {
      const { topic, partition } = flow
      const offset = flow.firstQueued ?? (flow.attempted === undefined ? undefined : flow.next)
      return offset === undefined ? [] : [{ topic, partition, offset }]
    })
    // A commit without an answer may have been stored: nobody has been handed what it stands for.
    const uncertain = flows.reduce((sum, { attempted, next }) => sum + Math.max(0, (attempted ?? 0) - (next ?? 0)), 0)
    const count = flows.reduce((sum, flow) => sum + flow.clearQueue(), uncertain)
    const gone = [...this.#leftovers].reduce((sum, flow) => sum + flow.clearQueue(), 0)
    if (gone > 0) this.#report(gone, new Error('Their partitions belong to other members by now'))
    if (positions.length === 0) return
    try {
      await within(timeoutMs, this.#clock, commit(positions))
    } catch (error) {
      this.#report(count, error)
    }
  }

  #report(count: number, error: unknown): void {
    this.#logger.error('kafka notifications were committed and could not be given back; they will not be delivered', {
      group: this.#group,
      count,
      error,
    })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: this.#name, error }))
  }
}
