import { randomUUID } from 'node:crypto'
import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import { checkMethods, checkOptions, kindOf, type OptionNames, shown } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import { Deadline } from '../util/deadline.ts'
import { errorText } from '../util/text.ts'
import type { IdempotencyOptions, IdempotencyStore } from './idempotency-store.ts'

const OPTIONS: OptionNames<IdempotencyOptions> = {
  store: true,
  scope: true,
  leaseMs: true,
  keepMs: true,
  retryAfterMs: true,
}
/** Shorter leases would be over before the store has answered twice. */
const SHORTEST_LEASE_MS = 1000
const DAY_MS = 86_400_000
/** A store that does not answer for so long is one that cannot be reached. */
const MOST_ANSWER_MS = 10_000
/** Renewals in the time of one lease: two may fail. */
const RENEWALS = 3
const WAITING = { phase: 'confirm', delivery: 'unknown', waitingFor: 'answer of the idempotency store' } as const

export interface OnceParts {
  /** Names the server or listener in logs. */
  readonly name: string
  /** The default one. */
  readonly scope: string
  readonly clock: Clock
  readonly logger: Logger
}

/** Claims messages in a store, so that of all processes one handles each. */
export class Once {
  readonly retryAfterMs: number
  readonly #store: IdempotencyStore
  readonly #scope: string
  readonly #leaseMs: number
  readonly #keepMs: number
  readonly #parts: OnceParts
  /** Names this process among the owners. */
  readonly #self = randomUUID()
  #count = 0

  /** Throws TypeError that names the option which cannot be used. */
  constructor(options: IdempotencyOptions, parts: OnceParts) {
    checkOptions('idempotency', options, OPTIONS)
    const { store, scope = parts.scope, leaseMs = 60_000, keepMs = DAY_MS, retryAfterMs = 1000 } = options
    if (typeof store !== 'object' || store === null)
      throw new TypeError(
        `idempotency.store must be an object with the methods claim, done, release, not ${kindOf(store)}`,
      )
    checkMethods('idempotency.store', store, ['claim', 'done', 'release'])
    if (typeof scope !== 'string' || scope === '')
      throw new TypeError(`idempotency.scope must be a name, not ${scope === '' ? 'empty text' : kindOf(scope)}`)
    checkLeast('leaseMs', leaseMs, SHORTEST_LEASE_MS)
    checkLeast('keepMs', keepMs, 1)
    checkLeast('retryAfterMs', retryAfterMs, 1)
    this.retryAfterMs = retryAfterMs
    this.#store = store
    this.#scope = scope
    this.#leaseMs = leaseMs
    this.#keepMs = keepMs
    this.#parts = parts
  }

  /** Asks for a message. A store that cannot be reached says as much as one that says `held`. Never rejects. */
  async claim(id: string): Promise<Claim | 'held' | 'done'> {
    const key = `${this.#scope}:${id}`
    this.#count += 1
    const owner = `${this.#self}:${this.#count}`
    const ask = (): Promise<unknown> => this.#store.claim(key, { owner, leaseMs: this.#leaseMs })
    const state = await this.#ask('claim', ask)
    if (state === 'claimed')
      return new Claim({
        renew: () => this.#ask('claim', ask),
        renewMs: this.#leaseMs / RENEWALS,
        done: () => this.#ask('done', () => this.#store.done(key, { owner, keepMs: this.#keepMs })),
        release: () => this.#ask('release', () => this.#store.release(key, { owner })),
        clock: this.#parts.clock,
      })
    if (state === 'done' || state === 'held') return state
    if (state !== undefined)
      this.#report('claim', new TypeError(`It answered ${kindOf(state)}, not claimed, held or done`))
    return 'held'
  }

  /** The answer; undefined when there is none. */
  async #ask(step: string, ask: () => Promise<unknown>): Promise<unknown> {
    const { clock } = this.#parts
    try {
      return await Deadline.after(Math.min(this.#leaseMs, MOST_ANSWER_MS), { clock }).race(ask(), WAITING)
    } catch (error) {
      this.#report(step, error)
      return undefined
    }
  }

  #report(step: string, error: unknown): void {
    const { logger, name } = this.#parts
    logger.error(`${name}: ${step} of the idempotency store failed: ${errorText(error)}`, { error })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: `idempotency store of ${name}`, error }))
  }
}

interface ClaimParts {
  readonly renew: () => Promise<unknown>
  readonly renewMs: number
  readonly done: () => Promise<unknown>
  readonly release: () => Promise<unknown>
  readonly clock: Clock
}

/** A message that is this process's to handle. Renews its lease until it ends, by `done` or `release`, which never
 *  reject: a store that cannot be told forgets the claim when the lease is over. */
export class Claim {
  readonly #parts: ClaimParts
  #timer: unknown
  #isOpen = true

  constructor(parts: ClaimParts) {
    this.#parts = parts
    this.#arm()
  }

  async done(): Promise<void> {
    if (this.#end()) await this.#parts.done()
  }

  async release(): Promise<void> {
    if (this.#end()) await this.#parts.release()
  }

  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#parts.clock.clearTimeout(this.#timer)
    return true
  }

  #arm(): void {
    const { clock, renew, renewMs } = this.#parts
    this.#timer = clock.setTimeout(() => {
      void renew().then(() => {
        if (this.#isOpen) this.#arm()
      })
    }, renewMs)
  }
}

function checkLeast(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return
  throw new TypeError(`idempotency.${name} must be milliseconds, ${least} or more, not ${shown(value)}`)
}
