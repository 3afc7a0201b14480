import { ADVICE, type Logger } from '../diagnostics/logger.ts'
import type { DriverCapabilities } from '../driver/capabilities.ts'
import type {
  FailureDefaults,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
  SendOptions,
} from '../driver/driver.ts'
import type { ComponentHealth, Health } from '../driver/health.ts'
import type { ManagedDriver } from '../driver/host/managed-driver.ts'
import type { OutgoingNotification, OutgoingRequest, RPCReply } from '../driver/messages.ts'
import { type RefusableCapability, requireCapability } from '../driver/host/require-capability.ts'
import { ClosedError } from '../errors.ts'
import type { MessageServer, ServerHost } from '../server/message-server.ts'
import type { Target } from '../target.ts'
import type { TransportURL } from '../url/transport-url.ts'
import { onAbort, untilAborted } from '../util/abort.ts'
import { checkOptions, checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import type { RemoteErrorTable } from '../wire/remote-error-table.ts'
import { isBlank, noTopicError, requireServerTarget, requireTopic } from './check-target.ts'
import { type Interceptor, Interceptors } from './interceptor.ts'
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

/** One bus: checks targets and capabilities, then hands everything to its driver. Made by `getRpcTransport` and
 *  `getNotificationTransport`. */
export class Transport implements ServerHost {
  readonly kind: TransportKind
  readonly conf: MessagingConfig
  /** Prints without its credentials. */
  readonly url: TransportURL
  readonly logger: Logger
  readonly clock: Clock
  /** What remote errors its clients may rebuild. */
  readonly remoteErrors: RemoteErrorTable
  /** What older options of the driver's own say about failing notifications. */
  readonly failureDefaults: FailureDefaults
  /** What goes around its operations; `use` adds to it. */
  readonly interceptors: Interceptors = new Interceptors()
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
    this.remoteErrors = parts.remoteErrors
    this.failureDefaults = parts.failureDefaults
    this.#driver = parts.driver
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
    return this.interceptors.add(interceptor)
  }

  /** Throws UnsupportedCapability with the remedy unless the driver has it. */
  require(capability: RefusableCapability): void {
    requireCapability(this.#driver, capability)
  }

  /** Warns that `user` was given a transport of the other kind. */
  warnUnlessKind(kind: TransportKind, user: string): void {
    if (kind === this.kind) return
    const factory = kind === 'rpc' ? 'getRpcTransport' : 'getNotificationTransport'
    this.logger.warn(
      `${user} was given the ${this.kind} transport of ${this.url.redacted}; make one with ${factory}`,
      ADVICE,
    )
  }

  /** Sends one request. See `Driver.send`. Rejects with InvalidTarget when there is no topic. */
  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    if (isBlank(target.topic)) return Promise.reject(noTopicError(target))
    return this.#driver.send(target, request, options)
  }

  /** Stores one notification. See `Driver.sendNotification`. Rejects with InvalidTarget when there is no topic. */
  sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    if (isBlank(target.topic)) return Promise.reject(noTopicError(target))
    return this.#driver.sendNotification(target, notification, options)
  }

  /** Subscribes an RPC server. Rejects with InvalidTarget unless the target has a topic and a server. */
  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    requireServerTarget(target)
    this.require('rpc')
    this.#refuseWhileClosing()
    return await this.#driver.listen(target, options)
  }

  /** Subscribes a notification listener. Rejects with InvalidTarget unless every target has a topic. */
  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    for (const { target } of sources) requireTopic(target, 'A listener')
    this.require('notifications')
    if (options.pool !== null) this.require('pools')
    this.#refuseWhileClosing()
    return await this.#driver.listenForNotifications(sources, options)
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

  /** A server that listens over this transport, to be drained before it closes. */
  attach(server: MessageServer): void {
    this.#servers.add(server)
  }

  detach(server: MessageServer): void {
    this.#servers.delete(server)
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
