import { type Clock, emitDiagnostic, type Logger } from '@oslo-messaging/core/driver'
import type { PartitionOffset } from '../port/client-port.ts'
import { writeNote } from '../positions/commit-note.ts'
import type { DoubtfulCommit } from '../positions/doubtful-commits.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import { within } from '../port/within.ts'

/** A final commit that the broker does not answer is given up after so long. */
export const LAST_COMMIT_MS = 5000

/** What a listener has committed and not handed out when it ends: the group's position moves back to it, so that it
 *  comes to somebody else. */
export class GiveBack {
  readonly #name: string
  readonly #group: string
  readonly #self: string
  readonly #logger: Logger
  readonly #clock: Clock

  /** `self`: the name of the listener in the notes beside its positions. */
  constructor(name: string, group: string, self: string, logger: Logger, clock: Clock) {
    this.#name = name
    this.#group = group
    this.#self = self
    this.#logger = logger
    this.#clock = clock
  }

  /** Empties the queues and commits where they began. Never rejects: what cannot be given back is reported with its
   *  number. `leftovers`: partitions that others have by now, with committed records still to be handed out.
   *  `doubtful`: nobody has been handed what these stand for, and they may have been stored. */
  async run(
    flows: readonly PartitionFlow[],
    leftovers: readonly PartitionFlow[],
    doubtful: readonly DoubtfulCommit[],
    timeoutMs: number,
    commit: (positions: readonly PartitionOffset[]) => Promise<void>,
  ): Promise<void> {
    const positions = flows.flatMap((flow) => {
      const { topic, partition } = flow
      const offset = flow.firstReturnable ?? doubtful.find((commit) => commit.flow === flow)?.from
      const note = writeNote({ by: this.#self, ...flow.begun })
      return offset === undefined ? [] : [{ topic, partition, offset, note }]
    })
    const [ours, others] = [true, false].map((isOurs) =>
      doubtful
        .filter(({ flow }) => flows.includes(flow) === isOurs)
        .reduce((sum, { records }) => sum + records.length, 0),
    )
    const stranded = flows.reduce((sum, flow) => sum + flow.stranded, others ?? 0)
    const gone = leftovers.reduce((sum, flow) => sum + flow.clearQueue(), stranded)
    const count = flows.reduce((sum, flow) => sum - flow.stranded + flow.clearQueue(), ours ?? 0)
    if (gone > 0) this.report(gone, new Error('Other members have their partitions, or have read on in them'))
    if (positions.length === 0) return
    try {
      await within(timeoutMs, this.#clock, commit(positions))
    } catch (error) {
      this.report(count, error)
    }
  }

  /** Empties what is left when the session has ended and nothing can be given back any more, and says how much it
   *  was. */
  giveUp(flows: readonly PartitionFlow[], doubtful: readonly DoubtfulCommit[]): void {
    const late = doubtful.reduce((sum, { records }) => sum + records.length, 0)
    const count = flows.reduce((sum, flow) => sum + flow.clearQueue(), late)
    if (count > 0) this.report(count, new Error('The answer to their commit came after the session had ended'))
  }

  /** Says that so many will not come to anybody. */
  report(count: number, error: unknown): void {
    this.#logger.error('kafka notifications were committed and could not be given back; they will not be delivered', {
      group: this.#group,
      count,
      error,
    })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: this.#name, error }))
  }
}
