import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import type { Listener } from '../driver/driver.ts'
import type { Backlog, ComponentHealth } from '../driver/health.ts'
import { ClosedError, isMessagingError, ServerListenError } from '../errors.ts'
import { onAbort } from '../util/abort.ts'
import { checkOptions, checkSignal, checkTimeout } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import { Deadline } from '../util/deadline.ts'
import { errorText } from '../util/text.ts'
import { type Cycle, newClosed, newCycle } from './cycle.ts'
import {
  DEFAULT_LOG_AFTER_MS,
  START_OPTIONS,
  type StartOptions,
  STEP_OPTIONS,
  type StepOptions,
  waitForStep,
} from './steps.ts'
import { WorkerPool } from './worker-pool.ts'

/** Whoever has to drain its servers before it closes: the transport. */
export interface ServerHost {
  attach(server: MessageServer): void
  detach(server: MessageServer): void
}

/** What an RPC server or a listener hands to the server below it; for own kinds of server. */
export interface MessageServerOptions {
  /** Names it in errors and logs: the text of its target. */
  readonly name: string
  /** Most messages handled at the same time; a function is asked at each start. */
  readonly workers: number | (() => number)
  readonly logger: Logger
  readonly clock: Clock
  /** Subscribes. What arrives is run on `pool`, which is new for each cycle; `prefetch` for the driver is twice
   *  `pool.size`. */
  readonly listen: (pool: WorkerPool, deadline: Deadline) => Promise<Listener>
  readonly host?: ServerHost | undefined
  /** What of it an operator has to know beside its subscription: that it is paused. */
  readonly health?: () => ComponentHealth | undefined
  /** Called when nobody waits for running handlers any more, so that those which care can stop. */
  readonly onAbandon?: ((reason: unknown) => void) | undefined
}

const DEFAULT_START_TIMEOUT_MS = 60_000
/** What `stop` leaves to a start that is under way: a broker that is there answers well within it, and one that is not
 *  must not hold up a shutdown. */
const STOP_GRACE_MS = 1000
/** What `await using` gives to running handlers, as much as `close` of a transport. */
const DISPOSE_TIMEOUT_MS = 30_000

/** Errors that are about what was asked, not about the broker: they reach the caller as they are. */
const CALLERS_FAULT = ['INVALID_TARGET', 'UNSUPPORTED', 'CONFIGURATION', 'CLOSED', 'LISTEN'] as const

/** What a server has at the moment, for whoever measures it. */
export interface ServerLoad {
  readonly name: string
  /** Most messages it handles at the same time. */
  readonly workers: number
  /** Messages being handled. */
  readonly running: number
  /** Messages that were taken from the broker and wait for a worker. */
  readonly waiting: number
  /** What waits at the broker, where the driver knows. */
  readonly backlog: readonly Backlog[]
}

/** A second subscription beside the one a server has. */
export interface Renewal {
  /** The server goes on with it; what arrived over the one before is finished. */
  commit(): void
  /** The server stays as it was. */
  undo(): void
}

/** Start, stop and wait, shared by RPC servers and notification listeners (MessageHandlingServer in oslo).
 *  The order is kept whatever order the calls come in: `stop` takes effect after `start`, `wait` after `stop`; each
 *  runs once per cycle and every caller sees its end. `start` after `stop` begins a new cycle. */
export class MessageServer {
  readonly #options: MessageServerOptions
  /** Subscriptions that were given up and whose messages are not done. */
  readonly #retiring = new Set<Cycle>()
  #cycle = newCycle()

  constructor(options: MessageServerOptions) {
    this.#options = options
    // Checks the number now instead of at the first start; one that is none says so itself.
    void new WorkerPool(this.#workers)
  }

  get name(): string {
    return this.#options.name
  }

  /** Of the current cycle: resolves when it was stopped and everything it had taken is done; rejects when the
   *  subscription is lost for good, with the reason. */
  get closed(): Promise<void> {
    return this.#cycle.closed.promise
  }

  /** Messages taken and not done, also over subscriptions that were given up. */
  get unfinished(): number {
    const { running, waiting } = this.load
    return running + waiting
  }

  /** How much it has to do; costs nothing. */
  get load(): ServerLoad {
    let [running, waiting] = [0, 0]
    for (const { pool } of [this.#cycle, ...this.#retiring]) {
      running += pool?.running ?? 0
      waiting += pool?.waiting ?? 0
    }
    return {
      name: this.name,
      workers: this.#cycle.pool?.size ?? this.#workers,
      running,
      waiting,
      backlog: this.backlog(),
    }
  }

  /** That it takes no messages although its subscription is up, and why; undefined when it does. */
  get health(): ComponentHealth | undefined {
    return this.#options.health?.()
  }

  /** What waits for it at the broker, by partition or queue, as the driver was told last; asks nobody. Empty before it
   *  has started, and with a driver that does not know. */
  backlog(): readonly Backlog[] {
    return this.#cycle.listener?.backlog?.() ?? []
  }

  /** Begins to listen. Resolves when the broker has every subscription. A second start does nothing but wait for the
   *  first, unless the server was stopped or its subscription was lost for good in between: then it listens again.
   *  Rejects with ServerListenError (`cause` the driver's error), InvalidTarget, UnsupportedCapability, ClosedError
   *  (also when it is stopped meanwhile) or the signal's reason; it can be tried again then. */
  async start(options: StartOptions = {}): Promise<void> {
    checkOptions('start', options, START_OPTIONS)
    checkTimeout('timeoutMs', options.timeoutMs)
    checkSignal(options.signal)
    if (this.#cycle.stopDone || this.#cycle.isLost) this.#beginNewCycle()
    const cycle = this.#cycle
    if (cycle.start === undefined) {
      cycle.start = this.#listen(cycle, options)
      cycle.start.catch(() => {
        cycle.start = undefined
      })
      // The driver keeps to the deadline; a second clock here would only hide its error.
      await waitForStep('start', cycle.start, { logAfterMs: options.logAfterMs ?? DEFAULT_LOG_AFTER_MS }, this.#options)
      return
    }
    await waitForStep('start', cycle.start, options, this.#options)
  }

  /** Stops intake. Resolves when no further message can arrive; what workers hold goes on, what no worker has taken is
   *  handed back to the broker.
   *  Waits for a start that is under way or is called in the same turn of the event loop, a second at most, and then
   *  ends it; without one there is nothing to stop and it resolves. */
  async stop(options: StepOptions = {}): Promise<void> {
    checkOptions('stop', options, STEP_OPTIONS)
    const cycle = this.#cycle
    if (cycle.stop === undefined) {
      cycle.stop = this.#stop(cycle)
      cycle.stop.catch(() => {})
    }
    await waitForStep('stop', cycle.stop, options, this.#options)
  }

  /** Waits for `stop`, then until every message taken is done, and releases the subscription. Does not stop by
   *  itself. */
  async wait(options: StepOptions = {}): Promise<void> {
    checkOptions('wait', options, STEP_OPTIONS)
    const [cycle, ...retiring] = [this.#cycle, ...this.#retiring].map((each) => this.#finish(each))
    await waitForStep('wait', Promise.all([cycle, ...retiring]).then(nothing), options, this.#options)
  }

  /** Subscribes once more, as after a change of what it stands on; the subscription it has goes on until the renewal is
   *  committed, so that nothing is missed. In between a fanout cast may come twice.
   *  undefined: it is not listening. Rejects like `start`; then nothing has changed. */
  async renew(options: StartOptions = {}): Promise<Renewal | undefined> {
    const previous = this.#cycle
    if (previous.start === undefined || previous.stop !== undefined || previous.isLost) return undefined
    await previous.start
    const cycle = newCycle()
    cycle.start = this.#listen(cycle, options)
    await cycle.start
    return {
      commit: () => {
        // Whoever stopped it meanwhile meant what is new as well.
        if (this.#cycle !== previous || previous.stop !== undefined) return this.#retire(cycle)
        // `closed` tells of the server, not of the subscription it happened to have.
        cycle.closed = previous.closed
        previous.closed = newClosed()
        this.#cycle = cycle
        this.#retire(previous)
      },
      undo: () => this.#retire(cycle),
    }
  }

  /** Tells running handlers that nobody waits for them any more: their transport closes and its patience is over. */
  abandon(reason: unknown): void {
    this.#options.onAbandon?.(reason)
  }

  /** Kept for oslo's sake: there is nothing to reset. */
  reset(): void {}

  /** `stop`, then `wait`, 30 seconds at most: then running handlers are told that nobody waits for them, and the
   *  subscription is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    const cycle = this.#cycle
    const { clock, host, logger, name } = this.#options
    const deadline = Deadline.after(DISPOSE_TIMEOUT_MS, { clock })
    try {
      await this.stop({ timeoutMs: deadline.remainingMs })
      await this.wait({ timeoutMs: deadline.remainingMs, logAfterMs: 0 })
    } catch (error) {
      if (!isMessagingError(error, 'TASK_TIMEOUT')) throw error
      const text = `${this.unfinished} messages of ${name} were still being handled after ${DISPOSE_TIMEOUT_MS} ms: they are abandoned`
      logger.warn(text, { abandoned: this.unfinished })
      this.abandon(new ClosedError(text))
      if (this.#cycle === cycle) host?.detach(this)
      this.#release(cycle.listener?.close())
    }
  }

  async #listen(cycle: Cycle, options: StartOptions): Promise<void> {
    const { listen, host, clock, name } = this.#options
    const timeoutMs = options.timeoutMs === undefined ? DEFAULT_START_TIMEOUT_MS : options.timeoutMs
    const pool = new WorkerPool(options.overridePoolSize ?? this.#workers)
    const starting = new AbortController()
    const { signal } = starting
    const given = options.signal
    const release = given && onAbort(given, () => starting.abort(given.reason))
    if (given?.aborted) starting.abort(given.reason)
    cycle.starting = starting
    cycle.pool = pool
    // Before it listens: a host that closes meanwhile has to wait for it.
    host?.attach(this)
    try {
      cycle.listener = await listen(pool, Deadline.after(timeoutMs, { signal, clock }))
    } catch (error) {
      if (this.#cycle === cycle) host?.detach(this)
      if (signal.aborted && error === signal.reason) throw error
      if (!isMessagingError(error) || CALLERS_FAULT.some((code) => isMessagingError(error, code))) throw error
      throw new ServerListenError(name, `Cannot listen for ${name}: ${error.message}`, {
        cause: error,
        retryable: error.retryable,
        phase: error.phase,
        delivery: error.delivery,
      })
    } finally {
      release?.()
    }
    cycle.listener.closed.catch((error: unknown) => this.#lost(cycle, error))
  }

  #lost(cycle: Cycle, error: unknown): void {
    if (this.#retiring.has(cycle)) return
    const { name, logger } = this.#options
    cycle.isLost = true
    cycle.closed.reject(error)
    logger.error(`The subscription of ${name} is lost for good: ${errorText(error)}`, { error })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: `server ${name}`, error }))
  }

  async #stop(cycle: Cycle): Promise<void> {
    try {
      // Calls of one turn are concurrent: `stop` before `start` in it still stops what is started, and never waits for
      // a start that does not come.
      if (cycle.start === undefined) await new Promise<void>((resolve) => setImmediate(resolve))
      if (cycle.start !== undefined) {
        if (await this.#started(cycle, cycle.start)) await cycle.listener?.stop()
        cycle.pool?.handBackWaiting()
      }
    } finally {
      cycle.stopDone = true
      cycle.stopped.resolve()
    }
  }

  /** Whether the start came to a good end. */
  async #started(cycle: Cycle, start: Promise<void>): Promise<boolean> {
    const { clock, name } = this.#options
    const end = (): void => cycle.starting.abort(new ClosedError(`${name} was stopped while it was starting`))
    const timer = clock.setTimeout(end, STOP_GRACE_MS)
    try {
      await start
      return true
    } catch {
      // Whoever started it got the error.
      return false
    } finally {
      clock.clearTimeout(timer)
    }
  }

  /** Runs the wait step of a cycle once. */
  #finish(cycle: Cycle): Promise<void> {
    if (cycle.wait === undefined) {
      cycle.wait = this.#drain(cycle)
      cycle.wait.catch(() => {})
    }
    return cycle.wait
  }

  async #drain(cycle: Cycle): Promise<void> {
    await cycle.stopped.promise
    await cycle.pool?.idle()
    try {
      await cycle.listener?.close()
    } finally {
      if (this.#cycle === cycle) this.#options.host?.detach(this)
      cycle.closed.resolve()
    }
  }

  #beginNewCycle(): void {
    const previous = this.#cycle
    this.#cycle = newCycle()
    this.#retire(previous)
  }

  /** Nobody may wait for the cycle any more; what it has is finished and its subscription released all the same. */
  #retire(cycle: Cycle): void {
    this.#retiring.add(cycle)
    cycle.stop ??= this.#stop(cycle)
    this.#release(cycle.stop)
    this.#release(this.#finish(cycle).finally(() => this.#retiring.delete(cycle)))
  }

  get #workers(): number {
    const { workers } = this.#options
    return typeof workers === 'function' ? workers() : workers
  }

  /** For what goes on although nobody waits for it. */
  #release(work: Promise<void> | undefined): void {
    work?.catch((error: unknown) =>
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `server ${this.#options.name}`, error })),
    )
  }
}

function nothing(): void {}
