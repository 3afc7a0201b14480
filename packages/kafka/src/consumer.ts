import {
  type Clock,
  type ComponentHealth,
  createBackoff,
  createDeferred,
  type Deadline,
  type Deferred,
  emitDiagnostic,
  type IncomingNotification,
  isMessagingError,
  type Listener,
  type Logger,
  Supervisor,
} from '@oslo-messaging/core/driver'
import type { ConsumerPort, FetchedBatch, FetchedRecord, KafkaClient, TopicPartition } from './client-port.ts'
import { kindOf, mapFault, toFault } from './map-error.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { keyOf, PartitionFlow } from './partition-flow.ts'
import { Watchdog } from './watchdog.ts'
import { decodeRecord } from './record.ts'
import type { KafkaSettings } from './settings.ts'
import {
  askPositions,
  isRecreated,
  type Positions,
  rememberDiscarded,
  type StartPosition,
  startPosition,
} from './start-positions.ts'

const HEARTBEAT_MS = 1000
const WATCH_MS = 15_000
/** How often a partition that waits for its handlers tells the group that it lives. */
const HOLD_STEP_MS = 500
/** Records handed out before the event loop gets its turn. */
const RECORDS_AT_ONCE = 100
/** A final commit that the broker does not answer is given up after so long. */
const LAST_COMMIT_MS = 5000

export interface KafkaListenerOptions {
  readonly client: KafkaClient
  readonly group: string
  /** Priority by Kafka topic. */
  readonly topics: ReadonlyMap<string, string>
  readonly settings: KafkaSettings
  readonly prefetch: number
  readonly onMessage: (notification: IncomingNotification) => void
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

/** One run of the consumer, from joining the group to leaving or losing it. */
interface Session {
  readonly port: ConsumerPort
  /** The start positions of the present assignment are settled; nothing is handed out before. */
  positioned: Promise<void>
  /** Where partitions were told to begin before the first fetch. */
  readonly sought: Map<string, number>
}

/** A member of a consumer group that hands out notifications and outlives every loss.
 *  Partitions are independent: each keeps its order (`orderingKey`), and a slow one is paused without holding up the others or the group. */
export class KafkaListener implements Listener {
  readonly #options: KafkaListenerOptions
  readonly #name: string
  readonly #supervisor: Supervisor
  readonly #committer: OffsetCommitter
  readonly #watchdog: Watchdog
  readonly #closed: Deferred<void> = createDeferred<void>()
  /** Partitions of this member, by `<topic>/<partition>`; they outlive the session when the next one gets them again. */
  readonly #flows = new Map<string, PartitionFlow>()
  /** Flows with queued records, in turn. */
  readonly #ready = new Set<PartitionFlow>()
  /** Flows of partitions that were taken away, with committed records still to be handed out. */
  readonly #leftovers = new Set<PartitionFlow>()
  /** Where partitions ended before this listener first joined. */
  #baseline: ReadonlyMap<string, number> | undefined
  /** What the broker said last about the group. */
  #known: Positions = { bounds: new Map(), committed: new Map(), discarded: new Set() }
  /** Highest record handed out, by partition, to tell a second delivery from a first. */
  readonly #highest = new Map<string, number>()
  readonly #batches = new Set<Promise<void>>()
  #session: Session | undefined
  #formerMember: string | undefined
  #unsettled = 0
  #pumping = false
  #stopped: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KafkaListenerOptions) {
    this.#options = options
    this.#name = `listener ${options.group} ${[...options.topics.keys()].join(',')}`
    this.#closed.promise.catch(() => {})
    const { clock, random } = options
    this.#supervisor = new Supervisor({
      establish: async (signal) => await this.#establish(signal),
      classify: (error) => (isMessagingError(error) && !error.retryable ? 'fatal' : 'retry'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 2000, random }),
      upState: 'consuming',
      clock,
      onChange: (change) => this.#report(change),
    })
    this.#committer = new OffsetCommitter({
      mode: options.settings.commit,
      clock,
      commit: async (positions) => {
        if (this.#session === undefined) throw new Error('There is no session to commit in')
        await this.#session.port.commit(positions)
      },
      onFailure: (error) => this.#lost(error),
    })
    this.#watchdog = new Watchdog({
      clock,
      intervalMs: WATCH_MS,
      ask: async () => await askPositions(options.client, options.group, [...options.topics.keys()]),
      partitions: () =>
        [...this.#flows.values()].map((flow) => ({
          topic: flow.topic,
          partition: flow.partition,
          next: flow.next,
          isBusy: flow.queued > 0 || flow.paused || this.#stopped !== undefined,
        })),
      known: () => this.#known,
      onTrouble: (error) => this.#lost(error),
    })
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Resolves when the group has taken this member and every start position is fixed: a record stored from then on is received. */
  async start(deadline: Deadline): Promise<void> {
    await this.#supervisor.ready(deadline, {
      phase: 'declare',
      delivery: 'not-sent',
      waitingFor: `place in consumer group ${this.#options.group}`,
    })
  }

  health(): ComponentHealth {
    const { state, sinceMs, reason } = this.#supervisor
    return { kind: 'listener', name: this.#name, state, sinceMs, ...(reason === undefined ? {} : { reason }) }
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    await this.#stopped
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  // --- the session ---------------------------------------------------------------------------------------------------

  async #establish(signal: AbortSignal): Promise<void> {
    const { client, group, topics, settings } = this.#options
    await this.#endSession()
    try {
      const now = await askPositions(client, group, [...topics.keys()])
      this.#known = { ...now, committed: new Map([...this.#known.committed, ...now.committed]) }
      this.#baseline ??= new Map([...this.#known.bounds].map(([key, { high }]) => [key, high]))
      if (signal.aborted) return
      const port: ConsumerPort = client.createConsumer({
        group,
        topics: [...topics.keys()],
        maxBytesPerPartition: settings.maxBytesPerPartition,
        maxWaitMs: settings.maxWaitMs,
        sessionTimeoutMs: settings.sessionTimeoutMs,
        ...(this.#formerMember === undefined ? {} : { formerMember: this.#formerMember }),
        heartbeatIntervalMs: Math.min(HEARTBEAT_MS, Math.floor(settings.sessionTimeoutMs / 3)),
        handlers: {
          onAssigned: (partitions) => this.#onAssigned(session, partitions),
          onBatch: async (batch) => await this.#track(this.#onBatch(session, batch)),
          onLost: (fault) => {
            if (this.#session === session) this.#lost(fault)
          },
        },
      })
      const session: Session = { port, positioned: Promise.resolve(), sought: new Map() }
      this.#session = session
      if (signal.aborted) return await port.disconnect()
      await port.start()
      this.#formerMember = undefined
      await session.positioned
      this.#committer.resume()
      this.#watchdog.start()
    } catch (error) {
      await this.#endSession()
      throw this.#map(error)
    }
  }

  async #endSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    for (const flow of this.#flows.values()) flow.signalRoom()
    this.#formerMember = session?.port.member ?? this.#formerMember
    await session?.port.disconnect()
  }

  #lost(error: unknown): void {
    if (this.#closing === undefined) this.#supervisor.lost(this.#map(error))
  }

  #map(error: unknown): unknown {
    if (isMessagingError(error)) return error
    const fault = toFault(error)
    return mapFault(fault, { doing: `Listening as consumer group ${this.#options.group}` })
  }

  // --- assignment ----------------------------------------------------------------------------------------------------

  #onAssigned(session: Session, partitions: readonly TopicPartition[]): void {
    if (this.#session !== session) return
    const assigned = new Set(partitions.map(keyOf))
    for (const flow of this.#flows.values()) {
      if (!assigned.has(flow.key)) this.#revoke(flow)
    }
    for (const partition of partitions) {
      const key = keyOf(partition)
      const flow = this.#flows.get(key)
      if (flow === undefined) {
        this.#flows.set(key, new PartitionFlow(partition))
        session.sought.delete(key)
        const start = this.#startOf(partition, this.#known)
        // Before the first fetch, so that not even that one begins elsewhere.
        if (this.#known.bounds.has(key) && start.why !== 'stored') {
          session.port.seek(start)
          session.sought.set(key, start.offset)
        }
      } else if (flow.next !== undefined) {
        session.port.seek({ ...partition, offset: flow.next })
      }
      session.port.resume(partition)
      if (flow?.paused === true) session.port.pause(partition)
    }
    session.positioned = this.#position(session, partitions)
    session.positioned.catch((error: unknown) => {
      if (this.#session === session) this.#lost(error)
    })
  }

  /** Compares with what the group has stored, fixes what it has not, and says what is skipped. */
  async #position(session: Session, partitions: readonly TopicPartition[]): Promise<void> {
    const { client, group, topics, logger } = this.#options
    const now = await askPositions(client, group, [...topics.keys()])
    const before = this.#known
    const merged = rememberDiscarded(now, before)
    const fix: { topic: string; partition: number; offset: number }[] = []
    for (const partition of partitions) {
      const key = keyOf(partition)
      const flow = this.#flows.get(key)
      if (flow === undefined || this.#session !== session) continue
      const committed = now.committed.get(key)
      const high = now.bounds.get(key)?.high
      const isShorter = flow.next !== undefined && high !== undefined && high < flow.next
      if (isShorter || isRecreated(partition, merged, before)) {
        const start: StartPosition = {
          ...partition,
          offset: now.bounds.get(key)?.low ?? 0,
          why: 'recreated',
          skipped: 0,
        }
        flow.moveTo(start.offset)
        session.port.seek(start)
        fix.push(start)
        warnOfStart(logger, group, start)
        continue
      }
      if (flow.next !== undefined) {
        if (committed === undefined || committed <= flow.next || committed === flow.attempted) continue
        // Another member had the partition in between.
        flow.moveTo(committed)
        session.port.seek({ ...partition, offset: committed })
        continue
      }
      const start = this.#startOf(partition, merged)
      const clientBegins = session.sought.get(key) ?? now.committed.get(key) ?? now.bounds.get(key)?.low ?? 0
      if (start.offset !== clientBegins) session.port.seek(start)
      flow.moveTo(start.offset)
      if (start.why !== 'stored') fix.push({ ...partition, offset: start.offset })
      if (start.skipped > 0 || start.why === 'recreated') warnOfStart(logger, group, start)
    }
    await session.port.commit(fix)
    const fixed = fix.map((position) => [keyOf(position), position.offset] as const)
    this.#known = { ...merged, committed: new Map([...merged.committed, ...fixed]) }
  }

  #startOf(partition: TopicPartition, positions: Positions): StartPosition {
    return startPosition(partition, positions, this.#baseline ?? new Map(), this.#options.settings.offsetReset)
  }

  #revoke(flow: PartitionFlow): void {
    this.#flows.delete(flow.key)
    flow.signalRoom()
    this.#committer.forget(flow)
    // Committed records are nobody else's: they are still handed out. The others come again, elsewhere.
    if (this.#options.settings.commit !== 'after') {
      if (flow.queued > 0) this.#leftovers.add(flow)
      return
    }
    this.#ready.delete(flow)
    flow.clearQueue()
    if (flow.unsettled === 0) return
    this.#options.logger.warn('kafka partition was taken away; its unfinished notifications will be delivered again', {
      group: this.#options.group,
      partition: flow.key,
      unfinished: flow.unsettled,
    })
    flow.revoked.abort(new Error(`Partition ${flow.key} was given to another member of ${this.#options.group}`))
  }

  // --- records -------------------------------------------------------------------------------------------------------

  async #onBatch(session: Session, batch: FetchedBatch): Promise<void> {
    await session.positioned
    const flow = this.#flows.get(keyOf(batch))
    if (flow === undefined) return
    const { maxPollRecords, commit } = this.#options.settings
    for (let at = 0; at < batch.records.length; at += maxPollRecords) {
      if (!this.#wants(session, flow, batch) || !(await this.#room(session, flow, batch))) return
      const slice =
        batch.records.length <= maxPollRecords ? batch.records : batch.records.slice(at, at + maxPollRecords)
      const first = slice[0]
      const last = slice.at(-1)
      if (first === undefined || last === undefined) return
      const next = last.offset + 1
      if (commit === 'before' && !(await this.#commitFirst(flow, batch, next))) return
      if (this.#stopped !== undefined && commit === 'before') {
        // Committed, but nobody is there any more to hand it to: `stop` gives it back.
        flow.take(slice, next)
        return
      }
      batch.resolve(last.offset)
      flow.take(slice, next)
      if (commit === 'background') this.#committer.advance(flow, next)
      if (flow.open < this.#limit) this.#ready.add(flow)
      this.#pump()
    }
  }

  #wants(session: Session, flow: PartitionFlow, batch: FetchedBatch): boolean {
    return (
      this.#session === session && this.#stopped === undefined && this.#flows.get(flow.key) === flow && !batch.isStale()
    )
  }

  /** The synchronous commit before dispatch. False: nothing of it may be handed out. */
  async #commitFirst(flow: PartitionFlow, batch: FetchedBatch, next: number): Promise<boolean> {
    flow.attempted = next
    try {
      await batch.commit(next)
      flow.attempted = undefined
      return true
    } catch (error) {
      const fault = toFault(error)
      if (kindOf(fault) === 'rejoin') throw fault
      // Also when the coordinator has moved: the client does not look for the new one, a new session does.
      this.#lost(fault)
      return false
    }
  }

  /** Waits until most of what was taken over is handed out. False: the handlers are too slow to be waited for, and the partition is paused until they have caught up. */
  async #room(session: Session, flow: PartitionFlow, batch: FetchedBatch): Promise<boolean> {
    const { maxPollRecords, maxWaitMs } = this.#options.settings
    const low = maxPollRecords >> 1
    if (flow.queued === 0) flow.slow = false
    const patienceMs = flow.slow ? 0 : Math.max(2 * maxWaitMs, HOLD_STEP_MS)
    const { clock } = this.#options
    const until = clock.now() + patienceMs
    while (flow.queued > low && clock.now() < until) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, Math.min(HOLD_STEP_MS, until - clock.now()))
        flow.onRoom(() => {
          if (flow.queued > low && this.#wants(session, flow, batch)) return
          clock.clearTimeout(timer)
          resolve()
        })
      })
      flow.onRoom(undefined)
      if (!this.#wants(session, flow, batch)) return false
      if (flow.queued > low) await batch.heartbeat()
    }
    if (flow.queued <= low) return true
    flow.slow = true
    flow.paused = true
    session.port.pause(flow)
    flow.onRoom(() => {
      if (flow.queued > low) return
      flow.onRoom(undefined)
      flow.paused = false
      if (this.#session === session) session.port.resume(flow)
    })
    return false
  }

  /** Hands out queued records while there is room, one of each partition in turn. */
  #pump(): void {
    // A handler that settles at once comes back here from inside the loop, which then goes on anyway.
    if (this.#pumping) return
    this.#pumping = true
    let left = RECORDS_AT_ONCE
    for (const flow of this.#ready) {
      if (this.#unsettled >= this.#options.prefetch || this.#stopped !== undefined) break
      if (left === 0) {
        // The next commit and fetch get their turn, and are under way while the rest is handed out.
        setImmediate(() => {
          this.#pumping = false
          this.#pump()
        })
        return
      }
      left -= 1
      this.#ready.delete(flow)
      const record = flow.shift()
      if (record !== undefined) this.#handOut(flow, record)
      if (flow.queued > 0 && flow.open < this.#limit) this.#ready.add(flow)
      flow.signalRoom()
    }
    this.#pumping = false
  }

  /** Most of one partition at a time: a place is kept for each of the others, so that the slow handlers of one do not hold up all. */
  get #limit(): number {
    const { prefetch } = this.#options
    return Math.max(Math.ceil(prefetch / 2), prefetch - this.#flows.size + 1)
  }

  #handOut(flow: PartitionFlow, record: FetchedRecord): void {
    const { onMessage, settings, topics } = this.#options
    const tracked = settings.commit === 'after'
    const settle = tracked ? flow.handOut(record.offset) : null
    const advance = (): void => {
      if (settle?.() === true && flow.settledUpTo !== undefined) this.#committer.advance(flow, flow.settledUpTo)
    }
    let decoded
    try {
      decoded = decodeRecord(record.value)
    } catch (error) {
      this.#reportUnreadable(flow, record, error)
      advance()
      return
    }
    this.#unsettled += 1
    flow.open += 1
    let open = true
    const release = (): void => {
      if (!open) return
      open = false
      this.#unsettled -= 1
      flow.open -= 1
      if (flow.queued > 0) this.#ready.add(flow)
      else this.#leftovers.delete(flow)
      advance()
      this.#pump()
    }
    const priority = topics.get(flow.topic)
    const redelivered = tracked && record.offset <= (this.#highest.get(flow.key) ?? -1)
    if (tracked && !redelivered) this.#highest.set(flow.key, record.offset)
    onMessage({
      context: decoded.context,
      message: decoded.message,
      orderingKey: flow.key,
      ...(priority === undefined ? {} : { priority }),
      ...(record.headers === undefined ? {} : { headers: record.headers }),
      ...(tracked ? { signal: flow.revoked.signal, redelivered } : {}),
      acknowledge: release,
      requeue: release,
    })
  }

  #reportUnreadable(flow: PartitionFlow, record: FetchedRecord, error: unknown): void {
    const source = `${flow.key}@${record.offset}`
    this.#options.logger.warn('kafka record cannot be read and is passed over', { source, error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'kafka', source, reason: 'unreadable', error }))
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  async #stop(): Promise<void> {
    // `#stopped` is set by the caller before the first await here ends.
    await Promise.resolve()
    for (const flow of this.#flows.values()) flow.signalRoom()
    await Promise.allSettled(this.#batches)
    const { commit } = this.#options.settings
    if (commit === 'after') {
      // Stays in the group, so that what is still being handled can be committed.
      for (const flow of this.#flows.values()) {
        this.#session?.port.pause(flow)
        flow.clearQueue()
      }
      return
    }
    await this.#giveBack()
    this.#watchdog.close()
    this.#supervisor.close()
    await this.#endSession()
  }

  /** Moves the group's position back to the first record that was not handed out. */
  async #giveBack(): Promise<void> {
    const positions = [...this.#flows.values()].flatMap((flow) =>
      flow.firstQueued === undefined
        ? []
        : [{ topic: flow.topic, partition: flow.partition, offset: flow.firstQueued }],
    )
    const count = [...this.#flows.values()].reduce((sum, flow) => sum + flow.clearQueue(), 0)
    const gone = [...this.#leftovers].reduce((sum, flow) => sum + flow.clearQueue(), 0)
    this.#ready.clear()
    if (gone > 0) this.#reportUndelivered(gone, new Error('Their partitions belong to other members by now'))
    await this.#committer.flush(LAST_COMMIT_MS)
    if (positions.length === 0) return
    try {
      await within(LAST_COMMIT_MS, this.#options.clock, this.#session?.port.commit(positions))
    } catch (error) {
      this.#reportUndelivered(count, error)
    }
  }

  #reportUndelivered(count: number, error: unknown): void {
    const { logger, group } = this.#options
    logger.error('kafka notifications were committed and could not be given back; they will not be delivered', {
      group,
      count,
      error,
    })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: this.#name, error }))
  }

  async #close(): Promise<void> {
    const failed = this.#supervisor.state === 'failed'
    await this.stop()
    if (this.#options.settings.commit === 'after') await this.#committer.flush(LAST_COMMIT_MS)
    this.#committer.close()
    this.#watchdog.close()
    this.#supervisor.close()
    await this.#endSession()
    if (!failed) this.#closed.resolve()
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#batches.add(work)
    try {
      await work
    } finally {
      this.#batches.delete(work)
    }
  }

  #report({
    state,
    previous,
    error,
    attempt,
    retryInMs,
  }: Parameters<NonNullable<ConstructorParameters<typeof Supervisor>[0]['onChange']>>[0]): void {
    const { logger, group } = this.#options
    emitDiagnostic('oslo-messaging:state', () => ({
      driver: 'kafka',
      kind: 'listener',
      name: this.#name,
      state,
      previous,
      error,
      attempt,
      ...(retryInMs === undefined ? {} : { retryInMs }),
    }))
    if (state === 'failed') {
      logger.error('kafka listener failed for good', { group, error })
      this.#closed.reject(error)
    } else if (state === 'recovering' && previous !== 'recovering') {
      logger.warn('kafka listener is recovering', { group, error })
    } else if (state === 'consuming' && previous === 'recovering') {
      logger.info('kafka listener has recovered', { group })
    }
  }
}

function warnOfStart(logger: Logger, group: string, start: StartPosition): void {
  const facts = { group, partition: keyOf(start), skipped: start.skipped, offset: start.offset }
  if (start.why === 'first-time') {
    logger.warn(
      'kafka consumer group reads this partition for the first time and begins at its end; set [oslo_messaging_kafka] auto_offset_reset = earliest to read what was stored before',
      facts,
    )
  } else if (start.why === 'expired') {
    logger.warn('kafka records were deleted by the broker before this consumer group had read them', facts)
  } else {
    logger.warn('kafka topic is younger than the position of this consumer group; it is read from its beginning', facts)
  }
}

async function within(timeoutMs: number, clock: Clock, work: Promise<void> | undefined): Promise<void> {
  if (work === undefined) throw new Error('There is no session')
  let timer: unknown
  const late = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clock.clearTimeout(timer)
  }
}
