import type { Clock, Logger, StartFrom } from '@oslo-messaging/core/driver'
import type { ConsumerPort, PartitionOffset, TopicPartition } from '../port/client-port.ts'
import { readNote, writeNote } from './commit-note.ts'
import type { DoubtfulCommits } from './doubtful-commits.ts'
import type { GroupInquiry } from './group-inquiry.ts'
import { keyOf, PartitionFlow } from './partition-flow.ts'
import { Room } from './room.ts'
import { isRecreated, type Positions, rememberDiscarded, type StartPosition, startPosition } from './start-positions.ts'

/** One run of the consumer, from joining the group to leaving or losing it. */
export interface Session {
  readonly port: ConsumerPort
  /** The start positions of the present assignment are settled; nothing is handed out before. */
  positioned: Promise<void>
  /** Where partitions were told to begin before the first fetch. */
  readonly sought: Map<string, number>
}

export interface PartitionTableOptions {
  readonly inquiry: GroupInquiry
  readonly group: string
  readonly topics: readonly string[]
  /** Where the group begins in partitions it has never read. */
  readonly startFrom: StartFrom
  /** Somebody asked for that place: what lies before it is not worth a warning. */
  readonly isStartChosen: boolean
  /** Records are committed before they are handed out, so that those of a lost partition are still ours. */
  readonly commitsFirst: boolean
  /** The name of this listener in the notes beside its positions. */
  readonly self: string
  readonly doubts: DoubtfulCommits
  readonly logger: Logger
  readonly clock: Clock
  readonly isCurrent: (session: Session) => boolean
  /** These do not exist before this listener joins for the first time; joining makes them. */
  readonly onMissing: (topics: readonly string[]) => Promise<void>
  /** The partition belongs to somebody else now. */
  readonly onRevoked: (flow: PartitionFlow) => void
}

/** How often partitions are asked for whose leader is away, so that nobody knows where they end. */
const UNPLACED_MS = 1000
/** Pauses between the questions what became of commits whose partitions others have. */
const DOUBT_MS = { first: 250, longest: 15_000 } as const

/** The partitions of one member of a group: which they are, where they begin, and what happens to those that are taken
 *  away. They outlive a session when the next one gets them again. */
export class PartitionTable {
  readonly #options: PartitionTableOptions
  readonly #flows = new Map<string, PartitionFlow>()
  /** Flows of partitions that were taken away, for what they have still to hand out. */
  readonly #former = new Set<PartitionFlow>()
  /** Signals whenever a queue of any partition has become shorter. */
  readonly room: Room = new Room()
  /** Where the group begins in partitions it has never read: where they ended before this listener first joined,
   *  unless something else was asked for. */
  #baseline: ReadonlyMap<string, number> | undefined
  /** When that was, wall time. */
  #baselineAt = 0
  /** Partitions that are not read before it is known where to begin. */
  readonly #unplaced = new Set<string>()
  /** What the broker said last about the group. */
  #known: Positions = {
    bounds: new Map(),
    missing: new Set(),
    committed: new Map(),
    notes: new Map(),
    discarded: new Set(),
  }
  #isSettling = false
  /** Partitions that nobody could be asked about last. */
  #leaderless: ReadonlySet<string> = new Set()

  constructor(options: PartitionTableOptions) {
    this.#options = options
  }

  get known(): Positions {
    return this.#known
  }

  get size(): number {
    return this.#flows.size
  }

  get(key: string): PartitionFlow | undefined {
    return this.#flows.get(key)
  }

  /** It is known where to begin. */
  isPlaced(key: string): boolean {
    return !this.#unplaced.has(key)
  }

  values(): IterableIterator<PartitionFlow> {
    return this.#flows.values()
  }

  /** Partitions that were taken away with committed records that are still to be handed out. */
  leftovers(): readonly PartitionFlow[] {
    return [...this.#former].filter(({ queued }) => queued > 0)
  }

  /** Also settles what was in doubt. */
  async ask(): Promise<Positions> {
    const now = await this.#options.inquiry.positions()
    this.#options.doubts.settle(now)
    for (const flow of this.#flows.values()) {
      const bounds = now.bounds.get(flow.key)
      if (bounds !== undefined) flow.sawEnd(bounds.high)
    }
    this.#leaderless = new Set([...this.#flows.keys()].filter((key) => !now.bounds.has(key)))
    return now
  }

  /** Partitions that had no leader when the broker was asked last. */
  leaderless(): readonly string[] {
    return [...this.#leaderless].filter((key) => this.#flows.has(key))
  }

  /** Before a session joins: what is stored from now on will not be skipped. */
  async prepare(): Promise<void> {
    const now = await this.ask()
    this.#known = { ...now, committed: new Map([...this.#known.committed, ...now.committed]) }
    if (this.#baseline !== undefined) return
    this.#baselineAt = this.#options.clock.wallTime()
    this.#baseline = await this.#beginnings(now)
    const existing = new Set([...now.bounds.values()].map(({ topic }) => topic))
    await this.#options.onMissing(this.#options.topics.filter((topic) => !existing.has(topic)))
  }

  /** Where the group begins in partitions it has never read. */
  async #beginnings({ bounds }: Positions): Promise<ReadonlyMap<string, number>> {
    const { startFrom, inquiry } = this.#options
    const ends = new Map([...bounds].map(([key, { high }]) => [key, high]))
    if (typeof startFrom === 'string') return ends
    if ('offset' in startFrom) return new Map([...ends.keys()].map((key) => [key, startFrom.offset]))
    const topics = [...new Set([...bounds.values()].map(({ topic }) => topic))]
    const found = await inquiry.offsetsAt(topics, startFrom.timestamp)
    return new Map([...ends, ...found.map((position) => [keyOf(position), position.offset] as const)])
  }

  /** Takes over an assignment, before anything of it is fetched. */
  assign(session: Session, partitions: readonly TopicPartition[]): void {
    const assigned = new Set(partitions.map(keyOf))
    for (const flow of this.#flows.values()) {
      if (assigned.has(flow.key)) continue
      this.#flows.delete(flow.key)
      this.#dropFormer(flow.key)
      this.#former.add(flow)
      flow.signalRoom()
      this.#options.onRevoked(flow)
    }
    for (const partition of partitions) {
      const flow = this.#flows.get(keyOf(partition)) ?? this.#takeBack(keyOf(partition))
      if (flow === undefined) this.#begin(session, partition)
      else this.#keep(session, flow)
      session.port.resume(partition)
      if (flow?.isPaused === true || this.#unplaced.has(keyOf(partition))) session.port.pause(partition)
    }
    // One after the other: each has to know what the one before has fixed.
    session.positioned = session.positioned.then(async () => await this.#position(session, partitions))
  }

  /** A partition that comes back while what was committed of it waits to be handed out goes on behind that, so that its
   *  records keep their order. */
  #takeBack(key: string): PartitionFlow | undefined {
    if (!this.#options.commitsFirst) return undefined
    this.#dropFormer(key)
    const flow = [...this.#former].find((former) => former.key === key)
    if (flow === undefined) return undefined
    this.#former.delete(flow)
    this.#flows.set(key, flow)
    return flow
  }

  /** Those that have nothing any more. */
  #dropFormer(key: string): void {
    for (const flow of this.#former)
      if (flow.key === key && flow.queued === 0 && !this.#options.doubts.has(flow)) this.#former.delete(flow)
  }

  #keep(session: Session, flow: PartitionFlow): void {
    flow.dealtAgain()
    const { topic, partition, next } = flow
    if (next === undefined) return
    session.port.seek({ topic, partition, offset: next })
    session.sought.set(flow.key, next)
  }

  #begin(session: Session, partition: TopicPartition): void {
    const key = keyOf(partition)
    this.#flows.set(key, new PartitionFlow(partition, this.room))
    session.sought.delete(key)
    // A topic that has been made since is read from its beginning, as a client does by itself.
    const isNew = this.#known.missing.has(partition.topic)
    if (!isNew && this.#isUnknown(key, this.#known)) this.#unplaced.add(key)
    const start = this.#startOf(partition, this.#known)
    if (!this.#known.bounds.has(key) || start.why === 'stored') return
    // Before the first fetch, so that not even that one begins elsewhere.
    session.port.seek(start)
    session.sought.set(key, start.offset)
  }

  /** Compares with what the group has stored, fixes what it has not, and says what is skipped. */
  async #position(session: Session, partitions: readonly TopicPartition[]): Promise<void> {
    const before = this.#known
    const now = await this.ask()
    const merged = rememberDiscarded(now, before)
    const fix: PartitionOffset[] = []
    for (const partition of partitions) {
      const flow = this.#flows.get(keyOf(partition))
      if (flow === undefined || !this.#options.isCurrent(session)) continue
      if (flow.next === undefined && this.#isUnknown(flow.key, merged)) {
        this.#unplaced.add(flow.key)
        session.port.pause(partition)
        continue
      }
      if (this.#unplaced.delete(flow.key)) session.port.resume(partition)
      this.#options.doubts.forget(flow.key)
      const start = this.#correct(session, flow, merged, before)
      if (start === null || start.why === 'stored') continue
      fix.push({ ...partition, offset: start.offset, note: this.#noteOf(flow) })
      if (start.why === 'first-time' && this.#options.isStartChosen) continue
      if (start.skipped > 0 || start.why === 'recreated') warnOfStart(this.#options.logger, this.#options.group, start)
    }
    await session.port.commit(fix)
    const fixed = fix.map((position) => [keyOf(position), position.offset] as const)
    this.#known = { ...merged, committed: new Map([...merged.committed, ...fixed]) }
    if (partitions.some((partition) => this.#unplaced.has(keyOf(partition)))) void this.#placeLater(session)
    if (this.#options.doubts.size > 0 && !this.#isSettling) void this.#settleLater(session)
  }

  #noteOf({ begun }: PartitionFlow): string {
    return writeNote({ by: this.#options.self, ...begun })
  }

  /** Asks until the new owners of partitions have shown where they began. Never rejects. */
  async #settleLater(session: Session): Promise<void> {
    const { clock, isCurrent, logger, doubts } = this.#options
    this.#isSettling = true
    for (let pauseMs: number = DOUBT_MS.first; isCurrent(session) && doubts.size > 0;) {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, pauseMs)
      })
      pauseMs = Math.min(2 * pauseMs, DOUBT_MS.longest)
      try {
        if (isCurrent(session)) await this.ask()
      } catch (error) {
        logger.debug('kafka positions cannot be asked for yet', { error })
      }
    }
    this.#isSettling = false
  }

  /** Its leader is away: the group has no position in it, and nobody can say where it ends. */
  #isUnknown(key: string, { bounds, committed }: Positions): boolean {
    return !bounds.has(key) && !committed.has(key)
  }

  /** Asks until every partition of the session has its leader back, and begins there. Never rejects. */
  async #placeLater(session: Session): Promise<void> {
    const { clock, isCurrent, logger } = this.#options
    const waiting = (): PartitionFlow[] => [...this.#flows.values()].filter(({ key }) => this.#unplaced.has(key))
    while (isCurrent(session) && waiting().length > 0) {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, UNPLACED_MS)
      })
      try {
        if (isCurrent(session)) await this.#place(session, waiting())
      } catch (error) {
        logger.debug('kafka partitions without a leader cannot be asked for yet', { error })
      }
    }
  }

  async #place(session: Session, flows: readonly PartitionFlow[]): Promise<void> {
    const { startFrom, isCurrent } = this.#options
    const now = await this.ask()
    const since = await this.#offsetsSinceStart(flows)
    for (const flow of flows) {
      const bounds = now.bounds.get(flow.key)
      if (bounds === undefined || !isCurrent(session) || this.#flows.get(flow.key) !== flow) continue
      const { topic, partition, key } = flow
      const wanted = typeof startFrom === 'object' && 'offset' in startFrom ? startFrom.offset : since.get(key)
      const first =
        startFrom === 'earliest' ? bounds.low : Math.max(bounds.low, Math.min(wanted ?? bounds.high, bounds.high))
      const start = { topic, partition, offset: now.committed.get(key) ?? first }
      flow.moveTo(start.offset, this.#options.commitsFirst, readNote(now.notes.get(key))?.by)
      await session.port.commit([{ ...start, note: this.#noteOf(flow) }])
      session.port.seek(start)
      this.#unplaced.delete(key)
      session.port.resume(flow)
    }
  }

  /** The first records of partitions that were stored since the time to begin at, or else since this listener began:
   *  of what a broker without a leader has, nothing else is known. */
  async #offsetsSinceStart(flows: readonly PartitionFlow[]): Promise<ReadonlyMap<string, number>> {
    const { startFrom, inquiry } = this.#options
    if (startFrom === 'earliest') return new Map()
    const topics = [...new Set(flows.map(({ topic }) => topic))]
    const since = typeof startFrom === 'object' && 'timestamp' in startFrom ? startFrom.timestamp : this.#baselineAt
    const answers = await inquiry.offsetsAt(topics, since)
    return new Map(answers.map((position) => [keyOf(position), position.offset]))
  }

  /** Moves a partition to where it has to go on; null: it is there. */
  #correct(session: Session, flow: PartitionFlow, now: Positions, before: Positions): StartPosition | null {
    const { topic, partition, key } = flow
    const committed = now.committed.get(key)
    const bounds = now.bounds.get(key)
    const begin = (start: StartPosition): StartPosition => {
      const after = start.why === 'stored' ? readNote(now.notes.get(key))?.by : undefined
      flow.moveTo(start.offset, this.#options.commitsFirst, after)
      return start
    }
    const move = (start: StartPosition): StartPosition => {
      session.port.seek(start)
      return begin(start)
    }
    const isShorter = flow.next !== undefined && bounds !== undefined && bounds.high < flow.next
    if (isShorter || isRecreated(flow, now, before)) {
      return move({ topic, partition, offset: bounds?.low ?? 0, why: 'recreated', skipped: 0 })
    }
    if (flow.next !== undefined) {
      const isOurs = committed === undefined || committed <= flow.next
      // Else another member had the partition in between.
      if (!isOurs) return move({ topic, partition, offset: committed, why: 'stored', skipped: 0 })
      // A commit that was in doubt when the partition was dealt out turned out to be stored.
      if (session.sought.get(key) !== flow.next) session.port.seek({ topic, partition, offset: flow.next })
      return null
    }
    const start = this.#startOf(flow, now)
    const clientBegins = session.sought.get(key) ?? committed ?? bounds?.low ?? 0
    if (start.offset !== clientBegins || now.discarded.has(key)) session.port.seek(start)
    return begin(start)
  }

  #startOf(partition: TopicPartition, positions: Positions): StartPosition {
    return startPosition(partition, positions, this.#baseline ?? new Map(), this.#options.startFrom === 'earliest')
  }
}

const START_WARNINGS: Readonly<Record<Exclude<StartPosition['why'], 'stored'>, string>> = {
  'first-time':
    'kafka consumer group reads this partition for the first time and begins at its end; set [oslo_messaging_kafka] auto_offset_reset = earliest to read what was stored before',
  expired: 'kafka records were deleted by the broker before this consumer group had read them',
  recreated: 'kafka topic is younger than the position of this consumer group; it is read from its beginning',
}

function warnOfStart(logger: Logger, group: string, start: StartPosition): void {
  if (start.why === 'stored') return
  const { skipped, offset } = start
  logger.warn(START_WARNINGS[start.why], { group, partition: keyOf(start), skipped, offset })
}
