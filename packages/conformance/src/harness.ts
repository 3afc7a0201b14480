import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  Deadline,
  type Driver,
  type DriverCapabilities,
  type IncomingNotification,
  type IncomingRequest,
  type Listener,
  type NotificationMessage,
  type RPCReply,
  type SendOptions,
  Target,
} from '@oslo-messaging/core/driver'
import { Inbox } from './inbox.ts'
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

/** What one case works with: drivers, unique names, and short forms of what the contract asks for at length. Everything it opens is closed after the case. */
export class Harness {
  readonly options: ConformanceOptions
  readonly #closers: (() => Promise<unknown>)[] = []

  constructor(options: ConformanceOptions) {
    this.options = options
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
    this.afterwards(() => driver.close())
    return driver
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
    return this.inBackground(this.#call(driver, target, method, args, changes))
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
    const outcome = await driver.send(target, { context: {}, message: { method, args } }, options)
    assert.equal(outcome, undefined, 'send without waitForReply must resolve with undefined')
  }

  async serve(driver: Driver, target: Target, options: ServeOptions = {}): Promise<Subscribed<IncomingRequest>> {
    const { deadline = this.deadline(), prefetch = 100, acknowledge, onRequest } = options
    const inbox = new Inbox<IncomingRequest>(this.patienceMs, onRequest)
    const listener = await driver.listen(target, {
      deadline,
      prefetch,
      ...(acknowledge === undefined ? {} : { acknowledge }),
      onMessage: inbox.onMessage,
    })
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
    await driver.sendNotification(
      target.with({ topic: `${target.topic}.${priority}` }),
      {
        context: changes.context ?? {},
        message,
        ...(changes.headers && { headers: changes.headers }),
        ...(changes.orderingKey !== undefined && { orderingKey: changes.orderingKey }),
      },
      { version: changes.version ?? '2.0', deadline: changes.deadline ?? this.deadline(), retries: null },
    )
    return message
  }

  async subscribe(
    driver: Driver,
    targets: Target | readonly Target[],
    options: SubscribeOptions = {},
  ): Promise<Subscribed<IncomingNotification>> {
    const { prefetch = 100, priorities = ['info'], pool = null, allowRequeue = false, onNotification } = options
    const { deadline = this.deadline() } = options
    const inbox = new Inbox<IncomingNotification>(this.patienceMs, onNotification)
    const sources = (targets instanceof Target ? [targets] : targets).flatMap((target) =>
      priorities.map((priority) => ({ target, priority })),
    )
    const listener = await driver.listenForNotifications(sources, {
      deadline,
      prefetch,
      pool,
      allowRequeue,
      onMessage: inbox.onMessage,
    })
    this.#watch(listener)
    return { listener, inbox }
  }

  #watch(listener: Listener): void {
    // A loss for good fails the case where it looks; here it must only not count as unhandled.
    listener.closed.catch(() => undefined)
    this.afterwards(() => listener.close())
  }
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
