import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Deadline, type Driver, type DriverCapabilities, type Health, Target } from '@oslo-messaging/core/driver'
import { Happenings } from './happenings.ts'
import { type Levers, leversOf } from './levers.ts'
import type { ConformanceKnobs, ConformanceOptions } from './options.ts'

const DEFAULT_PATIENCE_MS = 10_000
const DEFAULT_GRACE_MS = 2_000
const RETRY_MS = 20

/** Levers that last until they are ended. */
type Lasting = 'outage' | 'freeze' | 'latency' | 'split' | 'block' | 'killNode' | 'revoke'
type Momentary = 'cut' | 'halfOpen' | 'restart'

/** Where one case runs: its times and names, the drivers it opens, what it waits for and the faults it causes.
 *  Everything it opens is closed after the case. */
export class Stage {
  readonly options: ConformanceOptions
  readonly happenings: Happenings = new Happenings()
  readonly #levers: Levers
  readonly #numbers = new Map<Driver, number>()
  readonly #closers: (() => Promise<unknown>)[] = []

  constructor(options: ConformanceOptions) {
    this.options = options
    this.#levers = leversOf(options)
  }

  get capabilities(): DriverCapabilities {
    return this.options.capabilities
  }

  get knobs(): ConformanceKnobs {
    return this.options.knobs ?? {}
  }

  /** A time of the suite, in milliseconds of this broker. */
  scaled(ms: number): number {
    return ms * (this.knobs.timeScale ?? 1)
  }

  /** Most time for one thing to happen. */
  get patienceMs(): number {
    return this.scaled(this.knobs.patienceMs ?? DEFAULT_PATIENCE_MS)
  }

  /** `ms` before scaling; default: the suite's patience. */
  deadline(ms?: number, signal?: AbortSignal): Deadline {
    return Deadline.after(ms === undefined ? this.patienceMs : this.scaled(ms), { signal })
  }

  /** A name nobody else uses. */
  unique(prefix = 'conformance'): string {
    return `${prefix}-${randomUUID().slice(0, 8)}`
  }

  /** A target with a topic of its own. */
  target(fields: { readonly server?: string; readonly exchange?: string } = {}): Target {
    return new Target({ topic: this.unique(), ...fields })
  }

  async open(options: { readonly vhost?: string } = {}): Promise<Driver> {
    const signal = AbortSignal.timeout(this.patienceMs)
    const driver = await this.options.createDriver({ ...options, signal })
    this.#numbers.set(driver, this.#numbers.size + 1)
    this.note(`${this.nameOf(driver)} opened`)
    this.afterwards(() => driver.close())
    return driver
  }

  protected nameOf(driver: Driver): string {
    return `driver ${this.#numbers.get(driver) ?? '?'}`
  }

  /** Remembers what happened, for the text of a failure. */
  note(text: string): void {
    this.happenings.note(text)
  }

  /** Notes the beginning and the end of some work. */
  protected async noted<T>(text: string, work: Promise<T>): Promise<T> {
    this.note(`${text} ...`)
    return await work.then(
      (value) => {
        this.note(`${text}: resolved`)
        return value
      },
      (error: unknown) => {
        this.note(`${text}: rejected with ${String(error).split('\n', 1)[0]}`)
        throw error
      },
    )
  }

  // --- faults ----------------------------------------------------------------------------------------------------

  get levers(): Levers {
    return this.#levers
  }

  /** Most time a send takes beyond its deadline, and a driver to close. */
  get graceMs(): number {
    return this.scaled(this.knobs.graceMs ?? DEFAULT_GRACE_MS)
  }

  /** Moves a lever of the moment. */
  async pull(name: Momentary): Promise<void> {
    await this.noted(name, this.#needed(this.#levers[name], name)())
  }

  /** Moves a lever that lasts; the function it resolves with ends the fault, as does the end of the case. */
  async begin(name: Lasting): Promise<() => Promise<void>> {
    const stop = await this.noted(name, this.#needed(this.#levers[name], name)())
    let ended: Promise<void> | undefined
    const end = (): Promise<void> => (ended ??= this.noted(`end of ${name}`, stop()))
    this.afterwards(end)
    return end
  }

  #needed<T>(lever: T | undefined, name: string): T {
    assert.ok(lever !== undefined, `the case needs the lever ${name}`)
    return lever
  }

  /** Repeats what may fail while something is being mended; fails with the last failure. */
  async eventually<T>(attempt: () => Promise<T> | T, ms: number = this.patienceMs): Promise<T> {
    const giveUpAt = performance.now() + ms
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (performance.now() > giveUpAt) throw error
        await this.pause(RETRY_MS)
      }
    }
  }

  /** Lets time pass: `ms` as they are. */
  async pause(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms))
  }

  /** Resolves when the health of a driver is as wanted. */
  async healthy(driver: Driver, isWanted: (status: Health['status']) => boolean, what: string): Promise<Health> {
    return await this.eventually(() => {
      const health = driver.health()
      assert.ok(isWanted(health.status), `${what}, not ${JSON.stringify(health)}`)
      return health
    })
  }

  /** Runs after the case, the last one first. */
  afterwards(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  /** Ends everything, also behind what does not end; rejects with the first failure. */
  async cleanUp(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse())
      await this.soon(close(), 'end of what the case opened').catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  /** The promise's value, or a failure that says what did not happen in time. */
  async soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return await this.deadline().race(promise, { phase: 'reply', delivery: 'unknown', waitingFor: what })
  }

  /** What the promise rejects with; a failure of the case when it resolves. */
  rejection(promise: Promise<unknown>, what: string): Promise<unknown> {
    return this.inBackground(this.#rejection(promise, what))
  }

  async #rejection(promise: Promise<unknown>, what: string): Promise<unknown> {
    const outcome = await this.soon(
      promise.then(
        () => ({ rejected: false, error: undefined }),
        (error: unknown) => ({ rejected: true, error }),
      ),
      `end of ${what}`,
    )
    assert.ok(outcome.rejected, `${what} must reject, and it resolved`)
    return outcome.error
  }

  /** Says that nobody may be waiting for the promise when it rejects; the case waits for it later, if it gets so
   *  far. */
  inBackground<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined)
    return promise
  }
}
