import { ClosedError, MessageDeliveryFailure, MessagingTimeout } from '../errors.ts'
import type { Backoff } from '../util/backoff.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import type { Deadline, WaitFacts } from '../util/deadline.ts'
import { createDeferred, type Deferred } from '../util/deferred.ts'
import { errorText } from '../util/text.ts'
import type { ComponentHealth, ComponentState } from './health.ts'

/** What a supervisor keeps alive, and how it goes about it. */
export interface SupervisorOptions {
  /** Makes reality match what is wanted: connects, declares, subscribes. Runs again after every loss. Must give up when
   *  `signal` aborts. `attempt` counts from 0 since the last success. */
  readonly establish: (signal: AbortSignal, attempt: number) => Promise<void>
  /** Whether the failure can mend itself. `fatal` is one that only a change of configuration mends: credentials,
   *  permissions, topology the broker refuses. It ends the supervision, unless `retryFatalMs` says otherwise. */
  readonly classify: (error: unknown) => 'retry' | 'fatal'
  readonly backoff: Backoff
  /** State while established. */
  readonly upState: 'connected' | 'consuming'
  /** Called after each change of state. Must not throw. */
  readonly onChange?: (change: SupervisorChange) => void
  /** Milliseconds between attempts after a fatal failure of what was up once, because somebody may mend it: it says
   *  `failed` and goes on. What never was up is tried again only when somebody waits for it. Undefined: a fatal failure
   *  ends it. */
  readonly retryFatalMs?: number
  readonly clock?: Clock
  /** Why an attempt under way cannot go on, when what it stands on is down: a listener waits for its connection.
   *  Undefined: nothing is wrong there.
   *  Then it is the reason that health and timeouts give. */
  readonly heldUpBy?: () => unknown
}

/** One change of state, as observers see it. */
export interface SupervisorChange {
  readonly state: ComponentState
  readonly previous: ComponentState
  /** What caused it, for `recovering` and `failed`. */
  readonly error?: unknown
  /** Failed attempts since it was last up. */
  readonly attempt: number
  /** Wait before the next attempt, milliseconds, for `recovering` between attempts. */
  readonly retryInMs?: number
}

/** How a caller of `ready` waits. */
export interface ReadyOptions {
  /** Failed attempts after the first that are waited through; null: no limit but the deadline. Default null. */
  readonly retries?: number | null
}

interface Waiter extends Deferred<void> {
  readonly retries: number | null
  readonly facts: WaitFacts
  readonly sinceMs: number
  failures: number
}

/** Up for so long, it counts as mended: a later loss is a new one. */
const STABLE_MS = 1000
/** After a fatal failure nobody causes another attempt sooner. */
const LEAST_FATAL_MS = 1000

/** Keeps one thing established: a connection, a subscription, a reply path. It owns recovery, exactly once: the client
 *  library's own reconnect is off. starting -> up -> recovering -> up ...; a fatal failure leads to `failed`, `close`
 *  to `closed`, from anywhere. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #clock: Clock
  #state: ComponentState = 'starting'
  #sinceMs: number
  #error: unknown
  #abort = new AbortController()
  #running = false
  #lostDuringAttempt: { readonly reason: unknown } | undefined
  #waiters: Waiter[] = []
  #wake: (() => void) | undefined
  #upAt = -Infinity
  #failedAt = -Infinity
  /** Times in a row that it was lost right after it came up. */
  #shortLives = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#sinceMs = this.#clock.wallTime()
  }

  get state(): ComponentState {
    return this.#state
  }

  /** Wall time of the last change of state, milliseconds since 1970. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Why it is not up; undefined while up, and when no attempt has failed. */
  get error(): unknown {
    return this.#error ?? (this.isUp || this.#ended ? undefined : this.#options.heldUpBy?.())
  }

  /** The health of what it keeps established, under the name an operator knows. */
  health(kind: ComponentHealth['kind'], name: string, host?: string): ComponentHealth {
    const { state, sinceMs, reason } = this
    return {
      kind,
      name,
      state,
      sinceMs,
      ...(reason === undefined ? {} : { reason }),
      ...(host === undefined ? {} : { host }),
    }
  }

  get isUp(): boolean {
    return this.#state === this.#options.upState || this.#state === 'blocked'
  }

  /** Begins. A second call does nothing, nor does one while it is up: `lost` is what begins again. `ready` begins by
   *  itself. */
  start(): void {
    if (this.#running || this.isUp || this.#ended) return
    this.#running = true
    void this.#run()
  }

  /** Resolves when established; at once if it is. Rejects at the deadline with the last failure in the message and as
   *  `cause`, when it fails for good, with ClosedError, or with MessageDeliveryFailure when more than `retries`
   *  attempts have failed since the call. */
  async ready(deadline: Deadline, facts: WaitFacts, { retries = null }: ReadyOptions = {}): Promise<void> {
    if (this.isUp) return
    if (this.#state === 'failed') {
      if (this.#ended || this.#clock.now() - this.#failedAt < LEAST_FATAL_MS) throw this.#error
      this.retryNow()
    }
    if (this.#state === 'closed') throw new ClosedError('Closed while it was waited for')
    this.start()
    const waiter = { ...createDeferred<void>(), retries, facts, sinceMs: this.#clock.now(), failures: 0 }
    this.#waiters.push(waiter)
    try {
      // A timer takes a millisecond at least, and some brokers are reached in less.
      deadline.check(facts)
      await deadline.race(waiter.promise, facts)
    } catch (error) {
      // The signal's reason belongs to the caller and stays as it is.
      throw error instanceof MessagingTimeout ? this.#explain(error) : error
    } finally {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
    }
  }

  /** Whoever reads only the message has to learn why. */
  #explain(timeout: MessagingTimeout): MessagingTimeout {
    const cause = timeout.cause ?? this.error
    if (cause === undefined) return timeout
    const { phase, delivery, timeoutMs } = timeout
    return new MessagingTimeout(`${timeout.message}: ${errorText(cause)}`, { phase, delivery, timeoutMs, cause })
  }

  /** Says that what was established is gone; `reason` becomes the state's reason. Recovery begins at once, unless it is
   *  lost again and again right after it came up: then the backoff counts. Safe to call many times for one loss, and
   *  from within `establish`: the attempt under way counts as failed when it is done, even one that is done in the same
   *  turn. */
  lost(reason: unknown): void {
    if (this.#ended) return
    if (this.#running) {
      // An attempt is under way: what it has built so far is gone as well.
      this.#lostDuringAttempt ??= { reason }
      return
    }
    this.#running = true
    const delayMs = this.#delayAfterLoss()
    this.#enter('recovering', reason, 0, delayMs)
    void this.#run(delayMs)
  }

  /** Marks an established thing as blocked by the broker, or as free again. */
  setBlocked(reason: string | null): void {
    if (!this.isUp || (reason === null && this.#state !== 'blocked')) return
    if (reason === null) this.#enter(this.#options.upState, undefined, 0)
    else this.#enter('blocked', new Error(reason), 0)
  }

  /** Skips the wait before the next attempt, for example because the broker was seen alive. */
  retryNow(): void {
    this.#wake?.()
  }

  /** Ends it. What `establish` built is the owner's to take down. Idempotent. */
  close(): void {
    if (this.#ended) return
    this.#abort.abort(new ClosedError('Closed'))
    this.#enter('closed', undefined, 0)
    this.#settleWaiters((waiter) => waiter.reject(new ClosedError('Closed while it was waited for')))
  }

  get #ended(): boolean {
    return this.#state === 'closed' || (this.#state === 'failed' && this.#options.retryFatalMs === undefined)
  }

  /** Undefined: at once. What was up for a while starts afresh; of short lives in a row only the first does. */
  #delayAfterLoss(): number | undefined {
    const { backoff } = this.#options
    if (this.#clock.now() - this.#upAt >= STABLE_MS) {
      this.#shortLives = 0
      backoff.reset()
      return undefined
    }
    this.#shortLives += 1
    return this.#shortLives === 1 ? undefined : backoff.next()
  }

  async #run(delayMs?: number): Promise<void> {
    const { establish, classify, backoff, upState } = this.#options
    const { signal } = this.#abort
    if (delayMs !== undefined) await this.#wait(delayMs)
    for (let attempt = 0; !this.#ended; attempt += 1) {
      this.#lostDuringAttempt = undefined
      let failure: { readonly reason: unknown } | undefined
      try {
        await establish(signal, attempt)
        failure = this.#lostDuringAttempt
      } catch (error) {
        failure = { reason: error }
      }
      if (this.#ended) return
      if (failure === undefined) {
        this.#running = false
        this.#upAt = this.#clock.now()
        this.#enter(upState, undefined, 0)
        this.#settleWaiters((waiter) => waiter.resolve())
        return
      }
      if (classify(failure.reason) === 'fatal') {
        const { retryFatalMs } = this.#options
        this.#failedAt = this.#clock.now()
        this.#enter('failed', failure.reason, attempt + 1, this.#everUp ? retryFatalMs : undefined)
        this.#settleWaiters((waiter) => waiter.reject(failure.reason))
        if (retryFatalMs === undefined) return
        await this.#wait(this.#everUp ? retryFatalMs : null)
        continue
      }
      this.#countFailure(failure.reason)
      const retryInMs = backoff.next()
      this.#enter('recovering', failure.reason, attempt + 1, retryInMs)
      await this.#wait(retryInMs)
    }
  }

  get #everUp(): boolean {
    return this.#upAt !== -Infinity
  }

  /** Null: until somebody asks. */
  async #wait(delayMs: number | null): Promise<void> {
    const { signal } = this.#abort
    // Whoever hears of the failure may have closed it.
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        if (timer !== undefined) this.#clock.clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const timer = delayMs === null ? undefined : this.#clock.setTimeout(done, delayMs)
      signal.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }

  #enter(state: ComponentState, error: unknown, attempt: number, retryInMs?: number): void {
    const previous = this.#state
    this.#error = error
    if (state !== previous) this.#sinceMs = this.#clock.wallTime()
    this.#state = state
    this.#options.onChange?.({ state, previous, error, attempt, ...(retryInMs === undefined ? {} : { retryInMs }) })
  }

  /** Lets those go who asked for no more attempts than have failed by now. */
  #countFailure(cause: unknown): void {
    for (const waiter of this.#waiters) {
      waiter.failures += 1
      if (waiter.retries === null || waiter.failures <= waiter.retries) continue
      const attempts = waiter.failures
      waiter.reject(
        new MessageDeliveryFailure(
          `Gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${errorText(cause)}`,
          {
            phase: waiter.facts.phase,
            delivery: waiter.facts.delivery,
            retryable: true,
            attempts,
            elapsedMs: Math.round(this.#clock.now() - waiter.sinceMs),
            cause,
          },
        ),
      )
    }
  }

  #settleWaiters(settle: (waiter: Waiter) => void): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) settle(waiter)
  }

  /** Text of the current reason, for health reports. */
  get reason(): string | undefined {
    const { error } = this
    return error === undefined ? undefined : errorText(error)
  }
}
