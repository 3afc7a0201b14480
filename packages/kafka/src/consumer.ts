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
  type SupervisorChange,
} from '@oslo-messaging/core/driver'
import type { ConsumerPort, FetchedBatch, KafkaClient, OutgoingRecord } from './client-port.ts'
import { Dispenser } from './dispenser.ts'
import { Intake } from './intake.ts'
import { mapFault, reasonOf, toFault } from './map-error.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { keyOf, type PartitionFlow } from './partition-flow.ts'
import { PartitionTable, type Session } from './partition-table.ts'
import { PoisonPolicy } from './poison-policy.ts'
import type { KafkaSettings } from './settings.ts'
import { Watchdog } from './watchdog.ts'

const HEARTBEAT_MS = 1000
const WATCH_MS = 15_000
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
  /** Stores a record in another topic: the dead-letter topic. */
  readonly send: (topic: string, record: OutgoingRecord) => Promise<void>
}

/** A member of a consumer group that hands out notifications and outlives every loss.
 *  Partitions are independent: each keeps its order (`orderingKey`), and a slow one is paused without holding up the others or the group. */
export class KafkaListener implements Listener {
  readonly #options: KafkaListenerOptions
  readonly #name: string
  readonly #supervisor: Supervisor
  readonly #table: PartitionTable
  readonly #dispenser: Dispenser
  readonly #intake: Intake
  readonly #committer: OffsetCommitter
  readonly #watchdog: Watchdog
  readonly #closed: Deferred<void> = createDeferred<void>()
  /** Flows of partitions that were taken away, with committed records still to be handed out. */
  readonly #leftovers = new Set<PartitionFlow>()
  readonly #batches = new Set<Promise<void>>()
  #session: Session | undefined
  #formerMember: string | undefined
  /** Why no session will ever work again. */
  #verdict: Error | undefined
  #stopped: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KafkaListenerOptions) {
    this.#options = options
    const { client, group, settings, prefetch, topics, onMessage, logger, clock, random } = options
    const { commit, maxPollRecords, maxWaitMs, offsetReset } = settings
    this.#name = `listener ${group} ${[...topics.keys()].join(',')}`
    this.#closed.promise.catch(() => {})
    this.#supervisor = new Supervisor({
      establish: async (signal) => await this.#establish(signal),
      classify: (error) => (isFinal(error) ? 'fatal' : 'retry'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 2000, random }),
      upState: 'consuming',
      clock,
      onChange: (change) => this.#report(change),
    })
    this.#table = new PartitionTable({
      client,
      group,
      topics: [...topics.keys()],
      offsetReset,
      commitsFirst: commit !== 'after',
      logger,
      isCurrent: (session) => this.#session === session,
      onRevoked: (flow) => this.#onRevoked(flow),
    })
    this.#committer = new OffsetCommitter({
      mode: commit,
      clock,
      commit: async (positions) => {
        if (this.#session === undefined) throw new Error('There is no session to commit in')
        await this.#session.port.commit(positions)
      },
      onFailure: (error) => this.#lost(error),
    })
    this.#dispenser = new Dispenser({
      prefetch,
      topics,
      tracked: commit === 'after',
      onMessage,
      onAdvance: (flow) => {
        if (flow.settledUpTo !== undefined) this.#committer.advance(flow, flow.settledUpTo)
      },
      poison:
        commit === 'after'
          ? new PoisonPolicy({
              maxAttempts: settings.maxAttempts,
              deadLetterTopic: settings.deadLetterTopic,
              send: options.send,
              clock,
              logger,
            })
          : undefined,
      partitions: () => this.#table.size,
      logger,
    })
    this.#intake = new Intake({
      commit,
      maxPollRecords,
      maxWaitMs,
      clock,
      dispenser: this.#dispenser,
      committer: this.#committer,
      session: () => this.#session,
      isStopped: () => this.#stopped !== undefined,
      onLost: (fault) => this.#lost(fault),
    })
    this.#watchdog = new Watchdog({
      clock,
      intervalMs: WATCH_MS,
      ask: async () => await this.#table.ask(),
      partitions: () =>
        [...this.#table.values()].map(({ topic, partition, next, queued, paused }) => ({
          topic,
          partition,
          next,
          isBusy: queued > 0 || paused || this.#stopped !== undefined,
        })),
      known: () => this.#table.known,
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
    await this.#endSession()
    if (this.#verdict !== undefined) throw this.#verdict
    try {
      await this.#table.prepare()
      if (signal.aborted) return
      const session = this.#createSession()
      this.#session = session
      await session.port.start()
      this.#formerMember = undefined
      await session.positioned
      this.#committer.resume()
      this.#watchdog.start()
    } catch (error) {
      await this.#endSession()
      throw this.#map(error)
    }
  }

  #createSession(): Session {
    const { client, group, topics, settings } = this.#options
    const port: ConsumerPort = client.createConsumer({
      group,
      topics: [...topics.keys()],
      maxBytesPerPartition: settings.maxBytesPerPartition,
      maxWaitMs: settings.maxWaitMs,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: Math.min(HEARTBEAT_MS, Math.floor(settings.sessionTimeoutMs / 3)),
      ...(this.#formerMember === undefined ? {} : { formerMember: this.#formerMember }),
      handlers: {
        onAssigned: (partitions) => {
          if (this.#session !== session) return
          this.#table.assign(session, partitions)
          session.positioned.catch((error: unknown) => {
            if (this.#session === session) this.#lost(error)
          })
        },
        onBatch: async (batch) => await this.#track(this.#onBatch(session, batch)),
        onLost: (fault) => {
          if (this.#session === session) this.#lost(fault)
        },
      },
    })
    const session: Session = { port, positioned: Promise.resolve(), sought: new Map() }
    return session
  }

  async #endSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    for (const flow of this.#table.values()) flow.signalRoom()
    this.#formerMember = session?.port.member ?? this.#formerMember
    await session?.port.disconnect()
  }

  #lost(error: unknown): void {
    if (this.#closing !== undefined) return
    const reason = this.#map(error)
    // A new session would meet the same: a codec that is not installed, a permission that is missing only for reading.
    if (isFinal(reason)) this.#verdict ??= reason
    this.#supervisor.lost(reason)
  }

  #map(error: unknown): unknown {
    if (isMessagingError(error)) return error
    return mapFault(toFault(error), { doing: `Listening as consumer group ${this.#options.group}` })
  }

  async #onBatch(session: Session, batch: FetchedBatch): Promise<void> {
    await session.positioned
    const flow = this.#table.get(keyOf(batch))
    if (flow !== undefined) await this.#intake.take(session, flow, batch)
  }

  /** Remembers work under way, so that `stop` can wait for it. */
  async #track(work: Promise<void>): Promise<void> {
    this.#batches.add(work)
    try {
      await work
    } finally {
      this.#batches.delete(work)
    }
  }

  #onRevoked(flow: PartitionFlow): void {
    const { settings, logger, group } = this.#options
    this.#committer.forget(flow)
    // Committed records are nobody else's: they are still handed out. The others come again, elsewhere.
    if (settings.commit !== 'after') {
      for (const other of this.#leftovers) if (other.queued === 0) this.#leftovers.delete(other)
      if (flow.queued > 0) this.#leftovers.add(flow)
      return
    }
    this.#dispenser.drop(flow)
    flow.clearQueue()
    if (flow.unsettled === 0) return
    logger.warn('kafka partition was taken away; its unfinished notifications will be delivered again', {
      group,
      partition: flow.key,
      unfinished: flow.unsettled,
    })
    flow.revoked.abort(new Error(`Partition ${flow.key} was given to another member of ${group}`))
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  async #stop(): Promise<void> {
    // The caller sets `#stopped` before the rest runs.
    await Promise.resolve()
    this.#dispenser.stop()
    for (const flow of this.#table.values()) flow.signalRoom()
    await Promise.allSettled(this.#batches)
    if (this.#options.settings.commit === 'after') {
      // Stays in the group, so that what is still being handled can be committed.
      for (const flow of this.#table.values()) {
        this.#session?.port.pause(flow)
        flow.clearQueue()
      }
      return
    }
    await this.#giveBack()
    await this.#end()
  }

  /** Moves the group's position back to the first record that was not handed out. */
  async #giveBack(): Promise<void> {
    const flows = [...this.#table.values()]
    const positions = flows.flatMap(({ topic, partition, firstQueued: offset }) =>
      offset === undefined ? [] : [{ topic, partition, offset }],
    )
    const count = flows.reduce((sum, flow) => sum + flow.clearQueue(), 0)
    const gone = [...this.#leftovers].reduce((sum, flow) => sum + flow.clearQueue(), 0)
    if (gone > 0) this.#reportUndelivered(gone, new Error('Their partitions belong to other members by now'))
    await this.#committer.flush(LAST_COMMIT_MS)
    if (positions.length === 0) return
    try {
      await within(LAST_COMMIT_MS, this.#options.clock, this.#session?.port.commit(positions))
    } catch (error) {
      this.#reportUndelivered(count, error)
    }
  }

  async #close(): Promise<void> {
    const failed = this.#supervisor.state === 'failed'
    await this.stop()
    if (this.#options.settings.commit === 'after') await this.#committer.flush(LAST_COMMIT_MS)
    this.#committer.close()
    await this.#end()
    if (!failed) this.#closed.resolve()
  }

  async #end(): Promise<void> {
    this.#watchdog.close()
    this.#supervisor.close()
    await this.#endSession()
  }

  // --- telling -------------------------------------------------------------------------------------------------------

  #reportUndelivered(count: number, error: unknown): void {
    const { logger, group } = this.#options
    logger.error('kafka notifications were committed and could not be given back; they will not be delivered', {
      group,
      count,
      error,
    })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: this.#name, error }))
  }

  #report({ state, previous, error, attempt, retryInMs }: SupervisorChange): void {
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
      logger.error(`kafka listener failed for good: ${reasonOf(error)}`, { group, error })
      this.#closed.reject(error)
    } else if (state === 'recovering' && previous !== 'recovering') {
      logger.warn(`kafka listener is recovering: ${reasonOf(error)}`, { group, error })
    } else if (state === 'consuming' && previous === 'recovering') {
      logger.info('kafka listener has recovered', { group })
    }
  }
}

function isFinal(error: unknown): error is Error {
  return isMessagingError(error) && !error.retryable
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
