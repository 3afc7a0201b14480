import type { Logger } from '../diagnostics/logger.ts'
import type { DriverCapabilities } from '../driver/capabilities.ts'
import type { FailureDefaults } from '../driver/driver.ts'
import type { ComponentHealth, Health } from '../driver/health.ts'
import type { ManagedDriver } from '../driver/host/managed-driver.ts'
import { ClosedError } from '../errors.ts'
import type { MessageServer } from '../server/message-server.ts'
import type { TransportURL } from '../url/transport-url.ts'
import { onAbort, untilAborted } from '../util/abort.ts'
import { checkOptions, checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import type { RemoteErrorTable } from '../wire/remote-error-table.ts'
import { Bus } from './bus.ts'
import { BUS } from './check-target.ts'
import type { Interceptor } from './interceptor.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'

/** What a transport was made for. Using the other kind works where the driver allows it, with a warning. */
export type TransportKind = 'rpc' | 'notification'

/** The parts a transport is made of; the factories put them together. */
export interface TransportParts {
  readonly conf: MessagingConfig
  readonly url: TransportURL
  readonly driver: ManagedDriver
  readonly failureDefaults: FailureDefaults
  readonly remoteErrors: RemoteErrorTable
  readonly logger: Logger
  readonly clock: Clock
}

/** How long `close` is ready to wait for what is under way. */
export interface CloseOptions {
  /** Most time to drain, milliseconds; then what is left is cut off. null: as long as it takes. Default 30 000. */
  readonly timeoutMs?: number | null | undefined
  /** Cuts off what is left when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** How long `flush` is ready to wait. */
export type FlushOptions = CloseOptions

const CLOSE_OPTIONS: OptionNames<CloseOptions> = { timeoutMs: true, signal: true }

/** What closing had to leave behind. */
export interface CloseReport {
  /** Messages whose handler had not finished when the patience ended. 0: everything was drained. */
  readonly abandoned: number
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000

/** One bus, as applications see it: its state, its interceptors and its end. Made by `getRpcTransport` and
 *  `getNotificationTransport`; clients, servers, notifiers and listeners are made with it. */
export class Transport {
  readonly kind: TransportKind
  readonly conf: MessagingConfig
  /** Prints without its credentials. */
  readonly url: TransportURL
  readonly logger: Logger
  readonly clock: Clock
  readonly #bus: Bus
  readonly #driver: ManagedDriver
  readonly #servers = new Set<MessageServer>()
  readonly #impatience = new AbortController()
  #closing: Promise<CloseReport> | undefined

  constructor(kind: TransportKind, parts: TransportParts) {
    this.kind = kind
    this.conf = parts.conf
    this.url = parts.url
    this.logger = parts.logger
    this.clock = parts.clock
    this.#driver = parts.driver
    this.#bus = new Bus(kind, parts, this.#servers, () => this.#refuseWhileClosing())
    // What drivers and frameworks need of it is out of the sight of applications: `busOf(transport)`.
    Object.defineProperty(this, BUS, { value: this.#bus })
  }

  /** The driver's name, for people. */
  get driverName(): string {
    return this.#driver.name
  }

  get capabilities(): DriverCapabilities {
    return this.#driver.capabilities
  }

  /** Has an interceptor see, change or refuse what goes over this transport from now on: calls, casts and notifications
   *  of its clients, requests and notifications at its servers and listeners.
   *  The first that was added is outermost. The returned function takes it out again. Throws TypeError that names what
   *  is wrong with it. */
  use(interceptor: Interceptor): () => void {
    return this.#bus.interceptors.add(interceptor)
  }

  /** What is up and what is not, from the driver's own states; costs nothing and never waits. */
  health(): Health {
    const health = this.#withPauses(this.#driver.health())
    return this.#closing === undefined || this.#driver.isClosed ? health : { ...health, status: 'draining' }
  }

  /** Drains and closes, in order: no new messages in, handlers finish and their replies go out, what was accepted for
   *  sending is flushed, the driver closes.
   *  Handlers may still send meanwhile; nobody can once they are done. Idempotent: a second call waits for the first,
   *  and the shortest patience counts. */
  async close(options: CloseOptions = {}): Promise<CloseReport> {
    return await this.#patiently('close', options, this.#impatience, () => (this.#closing ??= this.#close()))
  }

  /** Waits for what was handed over for sending before: resolves when each of these calls, casts and notifications has
   *  settled, however it ended; what is sent meanwhile is not waited for.
   *  Resolves with how many had not settled when the patience ended, 0 when all have. Never rejects for their sake:
   *  each promise tells its own outcome. */
  async flush(options: FlushOptions = {}): Promise<number> {
    const impatience = new AbortController()
    return await this.#patiently('flush', options, impatience, () => this.#driver.flush(impatience.signal))
  }

  /** Runs the work, and aborts `impatience` when this caller's patience ends before it. */
  async #patiently<T>(
    step: string,
    options: CloseOptions,
    impatience: AbortController,
    work: () => Promise<T>,
  ): Promise<T> {
    checkOptions(step, options, CLOSE_OPTIONS)
    const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, signal } = options
    checkTimeout('timeoutMs', timeoutMs)
    checkSignal(signal)
    const hurry = (): void => impatience.abort()
    const timer = timeoutMs === null ? undefined : this.clock.setTimeout(hurry, timeoutMs)
    const release = signal && onAbort(signal, hurry)
    if (signal?.aborted) hurry()
    try {
      return await work()
    } finally {
      if (timer !== undefined) this.clock.clearTimeout(timer)
      release?.()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<CloseReport> {
    const { signal } = this.#impatience
    const servers = [...this.#servers]
    if (servers.length > 0) {
      const drained = Promise.allSettled(
        servers.map(async (server) => {
          await server.stop()
          await server.wait({ logAfterMs: 0 })
        }),
      )
      await untilAborted(drained, signal)
    }
    const abandoned = servers.reduce((sum, server) => sum + server.unfinished, 0)
    if (abandoned > 0) {
      for (const server of servers) server.abandon(this.#closedError())
      this.logger.warn(`${abandoned} messages were still being handled when ${this.url.redacted} was closed`, {
        abandoned,
      })
    }
    await this.#driver.close({ signal })
    return { abandoned }
  }

  /** Servers that are paused are up for the driver, and not for whoever waits for their work. */
  #withPauses(health: Health): Health {
    let paused: ComponentHealth[] | undefined
    for (const server of this.#servers) {
      const component = server.health
      if (component !== undefined) (paused ??= []).push(component)
    }
    if (paused === undefined) return health
    const status = health.status === 'ok' || health.status === 'idle' ? 'degraded' : health.status
    return { status, components: [...health.components, ...paused] }
  }

  #refuseWhileClosing(): void {
    if (this.#closing !== undefined) throw this.#closedError()
  }

  #closedError(): ClosedError {
    return new ClosedError(`The ${this.driverName} transport is closed`, { delivery: 'not-sent' })
  }
}
