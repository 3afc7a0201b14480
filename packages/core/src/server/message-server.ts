import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import type { Listener } from '../driver/driver.ts'
import type { ComponentHealth } from '../driver/health.ts'
import { isMessagingError, ServerListenError, TaskTimeout } from '../errors.ts'
import { checkOptions, checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import { Deadline } from '../util/deadline.ts'
import { createDeferred, type Deferred } from '../util/deferred.ts'
import { errorText } from '../util/text.ts'
import { WorkerPool } from './worker-pool.ts'

/** How long a caller is ready to wait for `start`, `stop` or `wait`. */
export interface StepOptions {
  /** Warn once when the step takes longer, milliseconds; 0 never. Default 30 000. */
  readonly logAfterMs?: number | undefined
  /** Reject with TaskTimeout after so long, milliseconds; null waits for ever. The step itself goes on. Default null. */
  readonly timeoutMs?: number | null | undefined
}

/** How `start` goes about it; everything may be left out. */
export interface StartOptions {
  /** Bounds the subscribing, milliseconds; null waits for ever, as oslo does. Default 60 000, so that a wrong URL shows. */
  readonly timeoutMs?: number | null | undefined
  /** Ends the subscribing with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Workers for this cycle instead of the configured number. */
  readonly overridePoolSize?: number | undefined
  readonly logAfterMs?: number | undefined
}

const STEP_OPTIONS: OptionNames<StepOptions> = { logAfterMs: true, timeoutMs: true }
const START_OPTIONS: OptionNames<StartOptions> = { ...STEP_OPTIONS, signal: true, overridePoolSize: true }

/** Whoever has to drain its servers before it closes: the transport (DESIGN D13). */
export interface ServerHost {
  attach(server: MessageServer): void
  detach(server: MessageServer): void
}

/** What an RPC server or a listener hands to the server below it; for own kinds of server (INVENTORY D17). */
export interface MessageServerOptions {
  /** Names it in errors and logs: the text of its target. */
  readonly name: string
  /** Most messages handled at the same time. */
  readonly workers: number
  readonly logger: Logger
  readonly clock: Clock
  /** Subscribes. What arrives is run on `pool`, which is new for each cycle; `prefetch` for the driver is twice `pool.size` (DESIGN D16). */
  readonly listen: (pool: WorkerPool, deadline: Deadline) => Promise<Listener>
  readonly host?: ServerHost | undefined
  /** What of it an operator has to know beside its subscription: that it is paused. */
  readonly health?: () => ComponentHealth | undefined
  /** Called when nobody waits for running handlers any more, so that those which care can stop. */
  readonly onAbandon?: ((reason: unknown) => void) | undefined
}

const DEFAULT_LOG_AFTER_MS = 30_000
const DEFAULT_START_TIMEOUT_MS = 60_000

/** Errors that are about what was asked, not about the broker: they reach the caller as they are. */
const CALLERS_FAULT = ['INVALID_TARGET', 'UNSUPPORTED', 'CONFIGURATION', 'CLOSED', 'LISTEN'] as const

/** One round of start, stop and wait. Each step runs once in it, whoever asks and however often. */
interface Cycle {
  start: Promise<void> | undefined
  stop: Promise<void> | undefined
  wait: Promise<void> | undefined
  stopDone: boolean
  listener: Listener | undefined
  pool: WorkerPool | undefined
  readonly stopped: Deferred<void>
  readonly closed: Deferred<void>
}

function newCycle(): Cycle {
  const closed = createDeferred<void>()
  // Whoever looks at `closed` gets the rejection; when nobody does it has been reported already.
  closed.promise.catch(() => {})
  return {
    start: undefined,
    stop: undefined,
    wait: undefined,
    stopDone: false,
    listener: undefined,
    pool: undefined,
    stopped: createDeferred<void>(),
    closed,
  }
}

/** Start, stop and wait, shared by RPC servers and notification listeners (MessageHandlingServer in oslo).
 *  The order is kept whatever order the calls come in: `stop` takes effect after `start`, `wait` after `stop`; each runs once per cycle and every caller
 *  sees its end. `start` after `stop` begins a new cycle. Source: INVENTORY S3 to S8. */
export class MessageServer {
  readonly #options: MessageServerOptions
  #cycle = newCycle()

  constructor(options: MessageServerOptions) {
    this.#options = options
    // Checks the number now instead of at the first start.
    void new WorkerPool(options.workers)
  }

  /** Of the current cycle: resolves when it was stopped and everything it had taken is done; rejects when the subscription is lost for good, with the reason. */
  get closed(): Promise<void> {
    return this.#cycle.closed.promise
  }

  /** Messages taken in the current cycle and not done. */
  get unfinished(): number {
    const { pool } = this.#cycle
    return pool === undefined ? 0 : pool.running + pool.waiting
  }

  /** That it takes no messages although its subscription is up, and why; undefined when it does. */
  get health(): ComponentHealth | undefined {
    return this.#options.health?.()
  }

  /** Begins to listen. Resolves when the broker has every subscription. A second start without a stop between does nothing but wait for the first.
   *  Rejects with ServerListenError (`cause` the driver's error), InvalidTarget, UnsupportedCapability or ClosedError; it can be tried again then. */
  async start(options: StartOptions = {}): Promise<void> {
    checkOptions('start', options, START_OPTIONS)
    checkTimeout('timeoutMs', options.timeoutMs)
    checkSignal(options.signal)
    if (this.#cycle.stopDone) this.#beginNewCycle()
    const cycle = this.#cycle
    if (cycle.start === undefined) {
      cycle.start = this.#listen(cycle, options)
      cycle.start.catch(() => {
        cycle.start = undefined
      })
      // The driver keeps to the deadline; a second clock here would only hide its error.
      await this.#patiently('start', cycle.start, { logAfterMs: options.logAfterMs ?? DEFAULT_LOG_AFTER_MS })
      return
    }
    await this.#patiently('start', cycle.start, options)
  }

  /** Stops intake. Resolves when no further message can arrive; what workers hold goes on, what no worker has taken is handed back to the broker.
   *  Waits for a start that is under way or is called in the same turn of the event loop; without one there is nothing to stop and it resolves. */
  async stop(options: StepOptions = {}): Promise<void> {
    checkOptions('stop', options, STEP_OPTIONS)
    const cycle = this.#cycle
    if (cycle.stop === undefined) {
      cycle.stop = this.#stop(cycle)
      cycle.stop.catch(() => {})
    }
    await this.#patiently('stop', cycle.stop, options)
  }

  /** Waits for `stop`, then until every message taken is done, and releases the subscription. Does not stop by itself. */
  async wait(options: StepOptions = {}): Promise<void> {
    checkOptions('wait', options, STEP_OPTIONS)
    const cycle = this.#cycle
    await this.#patiently('wait', this.#finish(cycle), options)
  }

  /** Tells running handlers that nobody waits for them any more: their transport closes and its patience is over. */
  abandon(reason: unknown): void {
    this.#options.onAbandon?.(reason)
  }

  /** Kept for oslo's sake: there is nothing to reset. */
  reset(): void {}

  /** `stop`, then `wait`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.wait()
  }

  async #listen(cycle: Cycle, options: StartOptions): Promise<void> {
    const { listen, host, workers, clock, name } = this.#options
    const timeoutMs = options.timeoutMs === undefined ? DEFAULT_START_TIMEOUT_MS : options.timeoutMs
    const pool = new WorkerPool(options.overridePoolSize ?? workers)
    try {
      cycle.listener = await listen(pool, Deadline.after(timeoutMs, { signal: options.signal, clock }))
    } catch (error) {
      if (options.signal?.aborted && error === options.signal.reason) throw error
      if (!isMessagingError(error) || CALLERS_FAULT.some((code) => isMessagingError(error, code))) throw error
      throw new ServerListenError(name, `Cannot listen for ${name}: ${error.message}`, {
        cause: error,
        retryable: error.retryable,
        phase: error.phase,
        delivery: error.delivery,
      })
    }
    cycle.pool = pool
    host?.attach(this)
    cycle.listener.closed.catch((error: unknown) => this.#lost(cycle, error))
  }

  #lost(cycle: Cycle, error: unknown): void {
    const { name, logger } = this.#options
    logger.error(`The subscription of ${name} is lost for good: ${errorText(error)}`, { error })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: `server ${name}`, error }))
    cycle.closed.reject(error)
  }

  async #stop(cycle: Cycle): Promise<void> {
    try {
      // Calls of one turn are concurrent: `stop` before `start` in it still stops what is started (S6), and never waits for a start that does not come.
      if (cycle.start === undefined) await new Promise<void>((resolve) => setImmediate(resolve))
      if (cycle.start !== undefined) {
        const started = await cycle.start.then(
          () => true,
          () => false,
        )
        if (started) await cycle.listener?.stop()
        cycle.pool?.handBackWaiting()
      }
    } finally {
      cycle.stopDone = true
      cycle.stopped.resolve()
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
    // Nobody may wait for the old cycle any more; its subscription is released all the same.
    this.#finish(previous).catch((error: unknown) =>
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `server ${this.#options.name}`, error })),
    )
  }

  /** Waits for a step as long as this caller wants to. */
  async #patiently(step: string, done: Promise<void>, options: StepOptions): Promise<void> {
    const { clock, logger, name } = this.#options
    const { logAfterMs = DEFAULT_LOG_AFTER_MS, timeoutMs = null } = options
    checkTimeout('logAfterMs', logAfterMs)
    checkTimeout('timeoutMs', timeoutMs)
    const timers: unknown[] = []
    try {
      await new Promise<void>((resolve, reject) => {
        if (logAfterMs > 0)
          timers.push(
            clock.setTimeout(() => logger.warn(`${step} of ${name} takes longer than ${logAfterMs} ms`), logAfterMs),
          )
        if (timeoutMs !== null)
          timers.push(
            clock.setTimeout(
              () => reject(new TaskTimeout(`${step} of ${name} did not finish within ${timeoutMs} ms`)),
              timeoutMs,
            ),
          )
        done.then(resolve, reject)
      })
    } finally {
      for (const timer of timers) clock.clearTimeout(timer)
    }
  }
}
