import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import {
  Deadline,
  type Driver,
  type DriverCapabilities,
  type Health,
  type IncomingNotification,
  type IncomingRequest,
  type Listener,
  type NotificationMessage,
  type RPCReply,
  type SendOptions,
  Target,
} from '@oslo-messaging/core/driver'
import { Happenings } from './happenings.ts'
import { Inbox } from './inbox.ts'
import { type Levers, leversOf } from './levers.ts'
import type { ConformanceKnobs, ConformanceOptions } from './options.ts'

/** A subscription and what it got. */
export interface Subscribed<Message> {
  readonly listener: Listener
  readonly inbox: Inbox<Message>
}

export interface ServeOptions {
  readonly deadline?: Deadline
  readonly prefetch?: number
  readonly acknowledge?: 'before' | 'after'
  /** Called for each request as it comes. Default: nothing, so that the case settles and answers. */
  readonly onRequest?: (request: IncomingRequest) => void
}

export interface SubscribeOptions {
  readonly deadline?: Deadline
  readonly prefetch?: number
  readonly priorities?: readonly string[]
  readonly pool?: string | null
  readonly allowRequeue?: boolean
  /** Called for each notification as it comes. Default: nothing. */
  readonly onNotification?: (notification: IncomingNotification) => void
}

const DEFAULT_PATIENCE_MS = 10_000
const DEFAULT_GRACE_MS = 2_000
const RETRY_MS = 20

/** Levers that last until they are ended. */
type Lasting = 'outage' | 'freeze' | 'latency' | 'split' | 'block' | 'killNode'
type Momentary = 'cut' | 'halfOpen' | 'restart' | 'revoke'

/** What one case works with: drivers, unique names, and short forms of what the contract asks for at length. Everything it opens is closed after the case. */
export class Harness {
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
    this.note(`${this.#nameOf(driver)} opened`)
    this.afterwards(() => driver.close())
    return driver
  }

  #nameOf(driver: Driver): string {
    return `driver ${this.#numbers.get(driver) ?? '?'}`
  }

  /** Remembers what happened, for the text of a failure. */
  note(text: string): void {
    this.happenings.note(text)
  }

  /** Notes the beginning and the end of some work. */
  async #noted<T>(text: string, work: Promise<T>): Promise<T> {
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
    await this.#noted(name, this.#needed(this.#levers[name], name)())
  }

  /** Moves a lever that lasts; the function it resolves with ends the fault, as does the end of the case. */
  async begin(name: Lasting): Promise<() => Promise<void>> {
    const stop = await this.#noted(name, this.#needed(this.#levers[name], name)())
    let ended: Promise<void> | undefined
    const end = (): Promise<void> => (ended ??= this.#noted(`end of ${name}`, stop()))
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

  async cleanUp(): Promise<void> {
    for (const close of this.#closers.reverse()) await this.soon(close(), 'end of what the case opened')
    this.#closers.length = 0
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

  /** Says that nobody may be waiting for the promise when it rejects; the case waits for it later, if it gets so far. */
  inBackground<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined)
    return promise
  }

  // --- requests --------------------------------------------------------------------------------------------------

  sendOptions(changes: Partial<SendOptions> = {}): SendOptions {
    const deadline = changes.deadline ?? this.deadline()
    const waitForReply = changes.waitForReply ?? true
    return {
      waitForReply,
      deadline,
      expiresInMs: waitForReply ? deadline.timeoutMs : null,
      callMonitorTimeoutMs: null,
      retries: null,
      atLeastOnce: false,
      ...changes,
    }
  }

  /** Calls and gives the reply. The promise may be left behind when the case fails elsewhere. */
  call(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    changes: Partial<SendOptions> = {},
  ): Promise<RPCReply> {
    const call = this.#call(driver, target, method, args, changes)
    return this.inBackground(this.#noted(`${this.#nameOf(driver)}: call ${method}`, call))
  }

  async #call(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>>,
    changes: Partial<SendOptions>,
  ): Promise<RPCReply> {
    const reply = await driver.send(target, { context: {}, message: { method, args } }, this.sendOptions(changes))
    assert.ok(reply !== undefined, 'send with waitForReply must resolve with the reply')
    return reply
  }

  async cast(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    changes: Partial<SendOptions> = {},
  ): Promise<void> {
    const options = this.sendOptions({ waitForReply: false, ...changes })
    const sent = driver.send(target, { context: {}, message: { method, args } }, options)
    const outcome = await this.#noted(`${this.#nameOf(driver)}: cast ${method}`, sent)
    assert.equal(outcome, undefined, 'send without waitForReply must resolve with undefined')
  }

  async serve(driver: Driver, target: Target, options: ServeOptions = {}): Promise<Subscribed<IncomingRequest>> {
    const { deadline = this.deadline(), prefetch = 100, acknowledge, onRequest } = options
    const name = `${this.#nameOf(driver)}: server ${target.server ?? ''}`
    const inbox = new Inbox<IncomingRequest>(this.patienceMs, (request) => {
      this.note(`${name} got ${String(request.message['method'])}${request.redelivered === true ? ' again' : ''}`)
      onRequest?.(request)
    })
    const listening = driver.listen(target, {
      deadline,
      prefetch,
      ...(acknowledge === undefined ? {} : { acknowledge }),
      onMessage: inbox.onMessage,
    })
    const listener = await this.#noted(`${name} listens`, listening)
    this.#watch(listener)
    return { listener, inbox }
  }

  // --- notifications ---------------------------------------------------------------------------------------------

  async notify(
    driver: Driver,
    target: Target,
    priority: string,
    payload: unknown,
    changes: {
      readonly version?: '1.0' | '2.0'
      readonly eventType?: string
      readonly context?: Readonly<Record<string, unknown>>
      readonly publisherId?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly orderingKey?: string
      readonly deadline?: Deadline
      readonly retries?: number
    } = {},
  ): Promise<NotificationMessage> {
    const message: NotificationMessage = {
      message_id: randomUUID(),
      publisher_id: changes.publisherId ?? 'conformance',
      event_type: changes.eventType ?? 'conformance.event',
      priority: priority.toUpperCase(),
      payload,
      timestamp: '2026-01-02 03:04:05.000006',
    }
    const sent = driver.sendNotification(
      target.with({ topic: `${target.topic}.${priority}` }),
      {
        context: changes.context ?? {},
        message,
        ...(changes.headers && { headers: changes.headers }),
        ...(changes.orderingKey !== undefined && { orderingKey: changes.orderingKey }),
      },
      {
        version: changes.version ?? '2.0',
        deadline: changes.deadline ?? this.deadline(),
        retries: changes.retries ?? null,
      },
    )
    await this.#noted(`${this.#nameOf(driver)}: notify ${shown(payload)}`, sent)
    return message
  }

  async subscribe(
    driver: Driver,
    targets: Target | readonly Target[],
    options: SubscribeOptions = {},
  ): Promise<Subscribed<IncomingNotification>> {
    const { prefetch = 100, priorities = ['info'], pool = null, allowRequeue = false, onNotification } = options
    const { deadline = this.deadline() } = options
    const name = `${this.#nameOf(driver)}: listener`
    const inbox = new Inbox<IncomingNotification>(this.patienceMs, (message) => {
      this.note(`${name} got ${shown(message.message['payload'])}${message.redelivered === true ? ' again' : ''}`)
      onNotification?.(message)
    })
    const sources = (targets instanceof Target ? [targets] : targets).flatMap((target) =>
      priorities.map((priority) => ({ target, priority })),
    )
    const listening = driver.listenForNotifications(sources, {
      deadline,
      prefetch,
      pool,
      allowRequeue,
      onMessage: inbox.onMessage,
    })
    const listener = await this.#noted(`${name} listens`, listening)
    this.#watch(listener)
    return { listener, inbox }
  }

  #watch(listener: Listener): void {
    // A loss for good fails the case where it looks; here it must only not count as unhandled.
    listener.closed.catch(() => undefined)
    this.afterwards(() => listener.close())
  }
}

/** A payload in a few characters. */
function shown(payload: unknown): string {
  return inspect(payload, { depth: 1, breakLength: Infinity, maxStringLength: 40, maxArrayLength: 3 })
}

/** Asserts a MessagingError with the code, given without its prefix. */
export function assertCode(
  error: unknown,
  code: string,
  what: string,
): asserts error is Error & Readonly<Record<string, unknown>> {
  assert.ok(error instanceof Error, `${what}: an Error was expected, not ${String(error)}`)
  const actual = 'code' in error ? error.code : undefined
  assert.equal(actual, `OSLO_MESSAGING_${code}`, `${what}: ${error.name}: ${error.message}`)
}

/** Acknowledges the request and answers with its arguments. */
export function echo(request: IncomingRequest): void {
  request.acknowledge()
  void request.reply({ result: request.message['args'] ?? null, failure: null })
}

/** Acknowledges what came. */
export function acknowledge(message: { acknowledge(): void }): void {
  message.acknowledge()
}

/** `payload` of each notification. */
export function payloads(messages: readonly IncomingNotification[]): readonly unknown[] {
  return messages.map(({ message }) => message['payload'])
}

/** `method` of each request. */
export function methods(messages: readonly IncomingRequest[]): readonly unknown[] {
  return messages.map(({ message }) => message['method'])
}

/** Numbers from the smallest, in a new array. */
export function ascending(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((x, y) => x - y)
}
