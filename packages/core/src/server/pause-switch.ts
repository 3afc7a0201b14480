import type { Clock } from '../util/clock.ts'
import type { WorkerPool } from './worker-pool.ts'

/** When a server or listener stops taking messages, because what its handlers need is down, and how it finds out that
 *  it is up again. */
export interface PauseSettings {
  /** Share of failures among the last `window` messages from which on it pauses, above 0 to 1. Default 0.5. */
  readonly share?: number
  /** Messages that are looked at; at least 1. Default 20. */
  readonly window?: number
  /** Milliseconds until one message is tried again, and between such trials. Default 30 000. */
  readonly retryAfterMs?: number
}

/** Why a switch is off, for health and logs. */
export interface PauseState {
  readonly reason: unknown
  readonly sinceMs: number
}

export interface PauseSwitchOptions extends Required<PauseSettings> {
  readonly clock: Clock
  /** Called after each change: the state when it pauses, undefined when messages flow again. */
  readonly onChange: (state: PauseState | undefined) => void
}

/** Holds a worker pool when too many of the last messages failed. What arrives meanwhile waits, unsettled, so that the
 *  driver's prefetch ends the intake by itself.
 *  After a while one message is tried: when it passes all flow again, when it fails the pool is held for as long
 *  again. */
export class PauseSwitch {
  readonly #options: PauseSwitchOptions
  readonly #pool: WorkerPool
  /** Outcomes of the last messages, oldest first; true: failed. */
  #outcomes: boolean[] = []
  #state: PauseState | undefined
  #timer: unknown
  #probe: 'none' | 'admitted' | 'running' = 'none'
  #isEnded = false

  constructor(pool: WorkerPool, options: PauseSwitchOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** A handler begins. The function tells how it ended, once: with what it threw, or without anything. */
  begin(): (failure?: { readonly error: unknown }) => void {
    const isProbe = this.#probe === 'admitted'
    if (isProbe) this.#probe = 'running'
    return (failure) => {
      if (this.#isEnded) return
      if (isProbe) this.#endProbe(failure)
      // What was under way when it paused says nothing about now.
      else if (this.#state === undefined) this.#record(failure)
    }
  }

  /** Lets everything go: the server stops, and what waits is handed back or handled. */
  end(): void {
    this.#isEnded = true
    this.#clear()
    this.#pool.release()
  }

  #record(failure: { readonly error: unknown } | undefined): void {
    const { share, window } = this.#options
    this.#outcomes.push(failure !== undefined)
    if (this.#outcomes.length > window) this.#outcomes.shift()
    if (failure === undefined) return
    const failures = this.#outcomes.filter(Boolean).length
    if (failures >= Math.max(1, Math.ceil(share * window))) this.#pause(failure.error)
  }

  #pause(reason: unknown): void {
    const { clock, onChange } = this.#options
    this.#pool.hold()
    const sinceMs = this.#state?.sinceMs ?? clock.wallTime()
    this.#state = { reason, sinceMs }
    this.#wait()
    onChange(this.#state)
  }

  #wait(): void {
    const { clock, retryAfterMs } = this.#options
    this.#probe = 'none'
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      this.#probe = 'admitted'
      this.#pool.admitOne()
    }, retryAfterMs)
  }

  #endProbe(failure: { readonly error: unknown } | undefined): void {
    if (failure !== undefined) return this.#pause(failure.error)
    this.#clear()
    this.#pool.release()
    this.#options.onChange(undefined)
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#probe = 'none'
    this.#state = undefined
    this.#outcomes = []
  }
}
