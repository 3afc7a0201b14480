import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import type { ComponentHealth } from '../driver/health.ts'
import type { Clock } from '../util/clock.ts'
import { errorText } from '../util/text.ts'
import { type PauseSettings, type PauseState, PauseSwitch } from './pause-switch.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface PausingOptions {
  /** Names the server or listener in health and logs. */
  readonly name: string
  readonly driver: string
  /** null: it never pauses. */
  readonly settings: Required<PauseSettings> | null
  readonly logger: Logger
  readonly clock: Clock
}

/** The pause of one server or listener, over all its starts: tells health, the logger and the diagnostics channels. */
export class Pausing {
  readonly #options: PausingOptions
  #state: PauseState | undefined

  constructor(options: PausingOptions) {
    this.#options = options
  }

  /** Undefined while messages flow. */
  get health(): ComponentHealth | undefined {
    if (this.#state === undefined) return undefined
    const { name } = this.#options
    return {
      kind: 'listener',
      name,
      state: 'paused',
      sinceMs: this.#state.sinceMs,
      reason: errorText(this.#state.reason),
    }
  }

  /** The switch for one start; undefined when it never pauses. */
  begin(pool: WorkerPool): PauseSwitch | undefined {
    const { settings, clock } = this.#options
    this.#state = undefined
    if (settings === null) return undefined
    return new PauseSwitch(pool, { ...settings, clock, onChange: (state) => this.#enter(state) })
  }

  /** It was stopped. */
  end(pause: PauseSwitch | undefined): void {
    pause?.end()
    this.#state = undefined
  }

  #enter(state: PauseState | undefined): void {
    const { name, driver, logger, settings } = this.#options
    const previous = this.#state === undefined ? 'consuming' : 'paused'
    this.#state = state
    if (state !== undefined && previous === 'paused') return
    if (state === undefined) logger.info(`${name} goes on: a message was handled`)
    else
      logger.error(
        `${name} is paused, because too many of its messages failed; one is tried every ${settings?.retryAfterMs} ms: ${errorText(state.reason)}`,
        { error: state.reason },
      )
    emitDiagnostic('oslo-messaging:state', () => ({
      driver,
      kind: 'listener',
      name,
      state: state === undefined ? 'consuming' : 'paused',
      previous,
      attempt: 0,
      ...(state === undefined ? {} : { error: state.reason }),
    }))
  }
}
