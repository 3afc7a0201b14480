import {
  AuthenticationError,
  type Backlog,
  type Backoff,
  type ComponentHealth,
  createBackoff,
  createDeferred,
  type Deadline,
  type Deferred,
  emitDiagnostic,
  isMessagingError,
  type Listener,
  Supervisor,
  type SupervisorChange,
} from '@oslo-messaging/core/driver'
import type { ConsumerPort, FetchedBatch } from '../port/client-port.ts'
import { type GiveBack, LAST_COMMIT_MS } from './give-back.ts'
import { createListenerParts, type KafkaListenerOptions, type ListenerParts } from './listener-parts.ts'
import { mapFault, reasonOf, toFault } from '../port/map-error.ts'
import { keyOf, type PartitionFlow } from '../positions/partition-flow.ts'
import type { Session } from '../positions/partition-table.ts'
import { pause, within } from '../port/within.ts'

const HEARTBEAT_MS = 1000
/** How long handlers under way are waited for when the group is dealt out anew. The broker waits 60 s for members to
 *  come back. */
const REJOIN_GRACE_MS = 1000
/** A listener that was up for so long, or has received something, was allowed to: what it is denied now may be given
 *  back. */
const PROVEN_MS = 10_000
/** The last steps of a stop get so long, however long the first ones took. */
const LEAST_MS = 500
/** Pauses between the attempts of a listener that is denied what it was allowed before. */
const DENIED_BACKOFF = { initialMs: 1000, factor: 2, maxMs: 30_000 } as const

/** A member of a consumer group that hands out notifications and outlives every loss.
 *  Partitions are independent: each keeps its order (`orderingKey`), and a slow one is paused without holding up the
 *  others or the group. */
export class KafkaListener implements Listener {
  readonly #options: KafkaListenerOptions
  readonly #name: string
  readonly #supervisor: Supervisor
  readonly #parts: ListenerParts
  readonly #giveBack: GiveBack
  readonly #closed: Deferred<void> = createDeferred<void>()
  readonly #batches = new Set<Promise<void>>()
  #session: Session | undefined
  #formerMember: string | undefined
  readonly #deniedBackoff: Backoff
  /** Why no session will ever work again. */
  #verdict: Error | undefined
  /** Since when the present session is up, of the monotonic clock. */
  #upAt: number | undefined
  #isProven = false
  /** The last failure was a denial of what was allowed before. */
  #isDenied = false
  #stopped: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KafkaListenerOptions) {
    this.#options = options
    const { group, topics, clock, random } = options
    this.#name = `listener ${group} ${[...topics.keys()].join(',')}`
    this.#closed.promise.catch(() => {})
    this.#deniedBackoff = createBackoff({ ...DENIED_BACKOFF, random })
    this.#supervisor = new Supervisor({
      establish: async (signal) => await this.#establish(signal),
      classify: (error) => (this.#isFatal(error) ? 'fatal' : 'retry'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 2000, random }),
      upState: 'consuming',
      clock,
      onChange: (change) => this.#report(change),
    })
    this.#parts = createListenerParts(options, {
      name: this.#name,
      session: () => this.#session,
      isStopped: () => this.#stopped !== undefined,
      onRevoked: (flow) => this.#onRevoked(flow),
      onLost: (session, error) => this.#lost(session, error),
    })
    this.#giveBack = this.#parts.giveBack
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Resolves when the group has taken this member and every start position is fixed: a record stored from then on is
   *  received. */
  async start(deadline: Deadline): Promise<void> {
    await this.#supervisor.ready(deadline, {
      phase: 'declare',
      delivery: 'not-sent',
      waitingFor: `place in consumer group ${this.#options.group}`,
    })
  }

  get group(): string {
    return this.#options.group
  }

  get instance(): string | undefined {
    return this.#options.instance
  }

  health(): ComponentHealth {
    const { state, sinceMs } = this.#supervisor
    const reason = state === 'consuming' ? this.#leaderless : this.#supervisor.reason
    const reasons = reason === undefined ? {} : { reason }
    const backlog = this.backlog()
    return this.#parts.unreadable.tell({ kind: 'listener', name: this.#name, state, sinceMs, ...reasons, backlog })
  }

  /** By partition: `position` is the first notification that was not handed out, or with kafka_commit_mode `after`
   *  not settled. `waiting` counts offsets, of which marks of transactions have some. */
  backlog(): readonly Backlog[] {
    const isSettled = this.#options.settings.commit === 'after'
    return [...this.#parts.table.values()].map((flow) => {
      const { key: source, end } = flow
      const position = isSettled ? flow.settledUpTo : (flow.firstQueued ?? flow.next)
      return {
        source,
        ...(position === undefined ? {} : { position }),
        ...(end === undefined ? {} : { end }),
        ...(position === undefined || end === undefined ? {} : { waiting: Math.max(0, end - position) }),
      }
    })
  }

  /** It is up, and nothing can come from these. */
  get #leaderless(): string | undefined {
    const keys = this.#parts.table.leaderless()
    if (keys.length === 0) return undefined
    return `No broker leads ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ` and ${keys.length - 5} more` : ''}: nothing can be read from there`
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
    const deniedMs = this.#isDenied ? this.#deniedBackoff.next() : 0
    await pause(Math.max(this.#parts.unreadable.pauseMs, deniedMs), this.#options.clock, signal)
    try {
      if (!signal.aborted) await this.#parts.table.prepare()
      if (signal.aborted) return
      const session = this.#createSession()
      this.#session = session
      await session.port.start()
      this.#formerMember = undefined
      await session.positioned
      this.#upAt = this.#options.clock.now()
      this.#isDenied = false
      this.#goOn()
      this.#parts.watchdog.start()
    } catch (error) {
      await this.#endSession()
      const reason = this.#map(error)
      this.#isDenied = reason instanceof AuthenticationError
      throw reason
    }
  }

  #createSession(): Session {
    const { client, group, topics, settings, instance } = this.#options
    const port: ConsumerPort = client.createConsumer({
      group,
      topics: [...topics.keys()],
      maxBytesPerPartition: settings.maxBytesPerPartition,
      maxBytes: settings.maxQueuedBytes,
      checksCrc: settings.checksCrc,
      maxWaitMs: settings.maxWaitMs,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: Math.min(HEARTBEAT_MS, Math.floor(settings.sessionTimeoutMs / 3)),
      // A static member takes the place of its former session by its name.
      ...(instance === undefined ? {} : { instance }),
      ...(this.#formerMember === undefined || instance !== undefined ? {} : { formerMember: this.#formerMember }),
      handlers: {
        onAssigned: (partitions) => {
          if (this.#session !== session) return
          this.#parts.table.assign(session, partitions)
          session.positioned.then(
            () => this.#goOn(),
            (error: unknown) => this.#lost(session, error),
          )
        },
        onRejoin: async () => await this.#beforeRejoin(session),
        onBatch: async (batch) => await this.#track(this.#onBatch(session, batch)),
        onLost: (fault) => this.#lost(session, fault),
      },
    })
    const session: Session = { port, positioned: Promise.resolve(), sought: new Map() }
    return session
  }

  /** The partitions may be somebody else's in a moment. What is being handled is finished, if it is quick, and its
   *  position stored, so that nobody gets it a second time. */
  async #beforeRejoin(session: Session): Promise<void> {
    const { settings, clock } = this.#options
    if (settings.commit === 'before') {
      // A commit under way decides where the partition goes on; the client gives it up when no answer comes.
      await this.#parts.intake.settled()
      // Positions that are being fixed can be stored until this resolves only.
      await within(REJOIN_GRACE_MS, clock, session.positioned).catch(() => {})
      return
    }
    if (this.#session !== session) return
    if (settings.commit === 'after') {
      this.#parts.dispenser.hold()
      await this.#parts.dispenser.idle(REJOIN_GRACE_MS, clock)
    }
    await this.#parts.committer.flush(REJOIN_GRACE_MS, { once: true })
  }

  /** The assignment is settled. */
  #goOn(): void {
    this.#parts.committer.resume()
    this.#parts.dispenser.release()
  }

  async #endSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    this.#parts.watchdog.rest()
    for (const flow of this.#parts.table.values()) flow.signalRoom()
    this.#formerMember = session?.port.member ?? this.#formerMember
    await session?.port.disconnect()
    await this.#parts.intake.settled()
  }

  /** A session ends once: what fails in it afterwards must not end the one that is being made. */
  #lost(session: Session, error: unknown): void {
    if (this.#closing !== undefined || this.#session !== session) return
    const reason = this.#map(error)
    this.#parts.unreadable.met(toFault(error))
    if (this.#upAt !== undefined && this.#options.clock.now() - this.#upAt >= PROVEN_MS) this.#isProven = true
    this.#upAt = undefined
    this.#isDenied = reason instanceof AuthenticationError
    // A new session would meet the same: a codec that is not installed, a permission that is missing only for reading.
    if (this.#isFatal(reason)) this.#verdict ??= reason
    this.#supervisor.lost(reason)
  }

  /** Whether trying again cannot help. What a listener was allowed once is a matter of time: permissions and passwords
   *  are changed, and changed back. */
  #isFatal(error: unknown): error is Error {
    if (!isMessagingError(error) || error.retryable) return false
    return !(this.#isProven && error instanceof AuthenticationError)
  }

  #map(error: unknown): unknown {
    if (isMessagingError(error)) return error
    return mapFault(toFault(error), { doing: `Listening as consumer group ${this.#options.group}` })
  }

  async #onBatch(session: Session, batch: FetchedBatch): Promise<void> {
    await session.positioned
    this.#isProven = true
    this.#deniedBackoff.reset()
    const { table } = this.#parts
    const flow = table.get(keyOf(batch))
    // What came before it was known where to begin is fetched again from there.
    if (flow !== undefined && table.isPlaced(flow.key)) await this.#parts.intake.take(session, flow, batch)
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
    this.#parts.committer.forget(flow)
    // Committed records are nobody else's: they are still handed out. The others come again, elsewhere.
    if (settings.commit !== 'after') return
    this.#parts.dispenser.drop(flow)
    flow.clearQueue()
    if (flow.unsettled === 0) return
    logger.warn('kafka partition was taken away; its unfinished notifications will be delivered again', {
      group,
      partition: flow.key,
      unfinished: flow.unsettled,
    })
    flow.revoke(new Error(`Partition ${flow.key} was given to another member of ${group}`))
  }

  // --- ending --------------------------------------------------------------------------------------------------------

  async #stop(): Promise<void> {
    // The caller sets `#stopped` before the rest runs.
    await Promise.resolve()
    this.#parts.dispenser.stop()
    for (const flow of this.#parts.table.values()) flow.signalRoom()
    const { clock } = this.#options
    const until = clock.now() + LAST_COMMIT_MS
    const leftMs = (): number => Math.max(LEAST_MS, until - clock.now())
    const settled = Promise.allSettled(this.#batches).then(async () => await this.#parts.intake.settled())
    // A broker that has fallen silent is not waited for: what it was told last is reported below.
    await within(leftMs(), clock, settled).catch(() => {})
    if (this.#options.settings.commit === 'after') {
      // Stays in the group, so that what is still being handled can be committed.
      for (const flow of this.#parts.table.values()) {
        this.#session?.port.pause(flow)
        flow.clearQueue()
      }
      return
    }
    await this.#parts.committer.flush(leftMs())
    const { table, doubts } = this.#parts
    if (doubts.size > 0) await within(leftMs(), clock, table.ask()).catch(() => {})
    await this.#giveBack.run([...table.values()], table.leftovers(), doubts.takeAll(), leftMs(), async (positions) => {
      if (this.#session === undefined) throw new Error('There is no session')
      await this.#session.port.commit(positions)
    })
    await this.#end()
    // What a commit brought whose answer was not waited for.
    this.#giveBack.giveUp([...table.values(), ...table.leftovers()], doubts.takeAll())
  }

  async #close(): Promise<void> {
    const failed = this.#supervisor.state === 'failed'
    await this.stop()
    if (this.#options.settings.commit === 'after') await this.#parts.committer.flush(LAST_COMMIT_MS)
    this.#parts.committer.close()
    await this.#end()
    if (!failed) this.#closed.resolve()
  }

  async #end(): Promise<void> {
    this.#parts.watchdog.close()
    this.#supervisor.close()
    await Promise.all([this.#endSession(), this.#parts.inquiry.close()])
  }

  // --- telling -------------------------------------------------------------------------------------------------------

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
      return
    }
    // Reported once; each of its sessions is a short one.
    if (this.#parts.unreadable.pauseMs > 0) return
    if (state === 'recovering' && previous !== 'recovering') {
      const text = `kafka listener is recovering: ${reasonOf(error)}`
      if (this.#isDenied) logger.error(text, { group, error })
      else logger.warn(text, { group, error })
    } else if (state === 'consuming' && previous === 'recovering') {
      logger.info('kafka listener has recovered', { group })
    }
  }
}
