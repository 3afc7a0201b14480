import { type Clock, type ComponentHealth, emitDiagnostic, type Logger } from '@oslo-messaging/core/driver'
import type { ClientFault } from '../port/client-port.ts'
import type { PartitionFlow } from './partition-flow.ts'

/** So often a batch is tried before an operator is told: a codec may fail for a moment. */
const TRIES_BEFORE_REPORT = 3
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000

export interface UnreadableBatchesOptions {
  readonly group: string
  readonly logger: Logger
  readonly clock: Clock
  readonly partitions: () => Iterable<PartitionFlow>
}

interface Obstacle {
  /** Offsets of its first and last record. */
  readonly first: number
  readonly last: number
  readonly fault: ClientFault
  readonly sinceMs: number
  readonly tries: number
}

/** Stored batches that the codec cannot decompress. Nobody can say what is in them, so they are neither passed over nor
 *  tried in a crash loop: the listener pauses longer and longer between two tries, and says where it stands and how to
 *  go on. */
export class UnreadableBatches {
  readonly #options: UnreadableBatchesOptions
  #obstacle: Obstacle | undefined

  constructor(options: UnreadableBatchesOptions) {
    this.#options = options
  }

  /** A session has ended by this fault; others than that of a batch are not looked at. */
  met(fault: ClientFault): void {
    if (fault.batch === undefined) return
    const { first, last } = fault.batch
    const before = this.#current
    const isSame = before?.first === first && before.last === last
    const sinceMs = isSame ? before.sinceMs : this.#options.clock.wallTime()
    const tries = isSame ? before.tries + 1 : 1
    this.#obstacle = { first, last, fault, sinceMs, tries }
    if (tries === TRIES_BEFORE_REPORT) this.#report(this.#obstacle)
  }

  /** The health of a listener that stands before one: a new session works until it fetches that batch again. */
  tell(health: ComponentHealth): ComponentHealth {
    const obstacle = this.#current
    if (obstacle === undefined || health.state === 'failed' || health.state === 'closed') return health
    const reason = `${this.#where(obstacle).join(' or ')}: ${obstacle.fault.message}`
    return { ...health, state: 'recovering', reason, sinceMs: obstacle.sinceMs }
  }

  /** How long to wait before the next session; 0 while a codec may only have failed for a moment. */
  get pauseMs(): number {
    const { tries = 0 } = this.#current ?? {}
    if (tries < TRIES_BEFORE_REPORT) return 0
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - TRIES_BEFORE_REPORT))
  }

  get #current(): Obstacle | undefined {
    if (this.#obstacle !== undefined && this.#where(this.#obstacle).length === 0) this.#obstacle = undefined
    return this.#obstacle
  }

  /** The partitions it may be in: those that have not been read so far. The codec knows its offsets, not its
   *  partition. */
  #where({ last }: Obstacle): readonly string[] {
    return [...this.#options.partitions()].flatMap(({ key, next }) => (next !== undefined && next <= last ? [key] : []))
  }

  #report(obstacle: Obstacle): void {
    const { first, last, fault, tries } = obstacle
    const { group, logger } = this.#options
    const source = this.#where(obstacle).join(' or ')
    logger.error(
      'kafka batch cannot be decompressed; nothing behind it is read until it can be, or until the position of the consumer group is moved past it',
      { group, partition: source, offset: first, moveTo: last + 1, tries, error: fault },
    )
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: `${source}@${first}`, error: fault }))
  }
}
