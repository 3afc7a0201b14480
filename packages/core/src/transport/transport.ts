import type { Logger } from '../diagnostics/logger.ts'
import type { DriverCapabilities } from '../driver/capabilities.ts'
import type { FailureDefaults } from '../driver/driver.ts'
import type { ComponentHealth, Health } from '../driver/health.ts'
import type { ManagedDriver } from '../driver/host/managed-driver.ts'
import { ClosedError } from '../errors.ts'
import type { MessageServer, ServerLoad } from '../server/message-server.ts'
import type { TransportURL } from '../url/transport-url.ts'
import { untilAborted } from '../util/abort.ts'
import { checkOptions, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import type { RemoteErrorTable } from '../wire/remote-error-table.ts'
import { Bus } from './bus.ts'
import { BUS } from './check-target.ts'
import { compareConfigurations, type FoundDriver } from './compare-configurations.ts'
import type { Interceptor } from './interceptor.ts'
import { type CloseOptions, DEFAULT_PATIENCE_MS, type FlushOptions, withPatience } from './patience.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'

/** What a transport was made for. Using the other kind works where the driver allows it, with a warning. */
export type TransportKind = 'rpc' | 'notification'

/** The parts a transport is made of; the factories put them together. */
export interface TransportParts {
  readonly conf: MessagingConfig
  readonly url: TransportURL
  /** What the driver was opened with. */
  readonly found: FoundDriver
  /** Finds the driver that another configuration names. */
  readonly find: (conf: MessagingConfig) => Promise<FoundDriver>
  readonly driver: ManagedDriver
  readonly failureDefaults: FailureDefaults
  readonly remoteErrors: RemoteErrorTable
  readonly logger: Logger
  readonly clock: Clock
}

/** What closing had to leave behind. */
export interface CloseReport {
  /** Messages whose handler had not finished when the patience ended. 0: everything was drained. */
  readonly abandoned: number
}

/** What is under way over a transport. */
export interface TransportLoad {
  /** Calls, casts and notifications that have not settled. */
  readonly outstanding: number
  readonly servers: readonly ServerLoad[]
}

/** How a reload goes about it; everything may be left out. */
export interface ReloadOptions {
  /** Connect anew even when nothing has changed, for certificates whose files hold something else now. Default
   *  false. */
  readonly reconnect?: boolean | undefined
  /** Most time for subscribing anew, and then for what is under way over the old connections, milliseconds; null: as
   *  long as it takes. Default 30 000. */
  readonly timeoutMs?: number | null | undefined
}

/** What a reload did, by the names of options: `[DEFAULT] rpc_response_timeout`. */
export interface ReloadReport {
  /** Changed, and in force. */
  readonly applied: readonly string[]
  /** Changed, and in force for what is made from now on, or not before a restart. */
  readonly needsRestart: readonly string[]
}

const RELOAD_OPTIONS: OptionNames<ReloadOptions> = { reconnect: true, timeoutMs: true }

/** One bus, as applications see it: its state, its interceptors and its end. Made by `getRpcTransport` and
 *  `getNotificationTransport`; clients, servers, notifiers and listeners are made with it. */
export class Transport {
  readonly kind: TransportKind
  readonly logger: Logger
  readonly clock: Clock
  readonly #bus: Bus
  readonly #driver: ManagedDriver
  readonly #servers = new Set<MessageServer>()
  readonly #impatience = new AbortController()
  readonly #find: (conf: MessagingConfig) => Promise<FoundDriver>
  #conf: MessagingConfig
  #found: FoundDriver
  #reloading: Promise<unknown> = Promise.resolve()
  #closing: Promise<CloseReport> | undefined

  constructor(kind: TransportKind, parts: TransportParts) {
    this.kind = kind
    this.#conf = parts.conf
    this.#found = parts.found
    this.#find = parts.find
    this.logger = parts.logger
    this.clock = parts.clock
    this.#driver = parts.driver
    this.#bus = new Bus(kind, parts, this.#servers, () => this.#refuseWhileClosing())
    // What drivers and frameworks need of it is out of the sight of applications: `busOf(transport)`.
    Object.defineProperty(this, BUS, { value: this.#bus })
  }

  /** The configuration; another after a reload. */
  get conf(): MessagingConfig {
    return this.#conf
  }

  /** Prints without its credentials. */
  get url(): TransportURL {
    return this.#found.url
  }

  /** What is under way: sends that have not settled, and what its servers and listeners have; costs nothing. */
  get load(): TransportLoad {
    return { outstanding: this.#driver.outstanding, servers: [...this.#servers].map((server) => server.load) }
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
    return await withPatience('close', options, this.clock, this.#impatience, () => (this.#closing ??= this.#close()))
  }

  /** Waits for what was handed over for sending before: resolves when each of these calls, casts and notifications has
   *  settled, however it ended; what is sent meanwhile is not waited for.
   *  Resolves with how many had not settled when the patience ended, 0 when all have. Never rejects for their sake:
   *  each promise tells its own outcome. */
  async flush(options: FlushOptions = {}): Promise<number> {
    const impatience = new AbortController()
    return await withPatience('flush', options, this.clock, impatience, () => this.#driver.flush(impatience.signal))
  }

  /** Takes another configuration while everything goes on: opens the driver anew with other hosts, credentials,
   *  certificates or options, has servers and listeners subscribe over it before they give up the subscription they
   *  have, and closes the old one when what was under way over it is done. A fanout cast in that moment may come twice.
   *  The report says what of the changes has to wait for a restart. One reload runs at a time.
   *  Rejects, with everything as it was, with what makes the new configuration unusable: ConfigurationError,
   *  ServerListenError, ClosedError. */
  async reload(conf: MessagingConfig, options: ReloadOptions = {}): Promise<ReloadReport> {
    checkOptions('reload', options, RELOAD_OPTIONS)
    const { reconnect = false, timeoutMs = DEFAULT_PATIENCE_MS } = options
    checkTimeout('timeoutMs', timeoutMs)
    const work = this.#reloading.then(async () => await this.#reload(conf, reconnect, timeoutMs))
    this.#reloading = work.catch(() => {})
    return await work
  }

  async #reload(conf: MessagingConfig, reconnect: boolean, timeoutMs: number | null): Promise<ReloadReport> {
    this.#refuseWhileClosing()
    const found = await this.#find(conf)
    const { applied, needsRestart, isNewDriver, workers } = compareConfigurations(
      { conf: this.#conf, found: this.#found },
      { conf, found },
    )
    const replaces = !isNewDriver && (applied.driver.length > 0 || reconnect)
    if (replaces || workers) await this.#renew(conf, replaces ? found : undefined, timeoutMs)
    else this.#conf = conf
    if (reconnect && replaces && applied.driver.length === 0) applied.driver.push('connections')
    return { applied: [...applied.core, ...applied.driver], needsRestart }
  }

  /** Subscribes all servers again, over another driver where there is one, and lets the old subscriptions go. */
  async #renew(conf: MessagingConfig, found: FoundDriver | undefined, timeoutMs: number | null): Promise<void> {
    const before = this.#conf
    const replacement =
      found &&
      (await this.#driver.replace(found.definition, found.url, {
        ...found.context,
        // Names of queues and topics are made of it: it waits for a restart.
        defaultExchange: this.#found.context.defaultExchange,
      }))
    // The servers ask it how many workers they are to have.
    this.#conf = conf
    const renewals = await Promise.allSettled(
      [...this.#servers].map(async (server) => await server.renew({ timeoutMs })),
    )
    const failed = renewals.find((each) => each.status === 'rejected')
    if (failed !== undefined) {
      for (const each of renewals) if (each.status === 'fulfilled') each.value?.undo()
      this.#conf = before
      await replacement?.undo()
      throw failed.reason
    }
    for (const each of renewals) if (each.status === 'fulfilled') each.value?.commit()
    if (found === undefined || replacement === undefined) return
    this.#found = found
    const impatience = new AbortController()
    const patience = { timeoutMs, signal: this.#impatience.signal }
    await withPatience('reload', patience, this.clock, impatience, () => replacement.commit(impatience.signal))
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
    try {
      await this.#driver.close({ signal })
    } finally {
      await this.#bus.closed()
    }
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
