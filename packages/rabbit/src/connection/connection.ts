import { randomUUID } from 'node:crypto'
import {
  type ComponentHealth,
  ClosedError,
  type CredentialsProvider,
  Deadline,
  isMessagingError,
  MessageDeliveryFailure,
  Supervisor,
  type SupervisorChange,
  TransportDriverError,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { ClientConnection, ConnectOptions } from '../client/client.ts'
import { type HeartbeatMonitor, monitorHeartbeat } from '../client/heartbeat-monitor.ts'
import { type BrokerHost, createHostOrder } from './hosts.ts'
import { classify, mapError } from './map-error.ts'
import { waitAtMost } from './wait-at-most.ts'
import { blockedFacts, describeLoss, retryBackoff, sleepAtMost, slowRetryMs } from './recovery.ts'
import { Login } from './login.ts'
import { reportState, type Runtime } from './runtime.ts'

export interface ConnectionOptions {
  readonly runtime: Runtime
  /** What it is for, in health and logs: `publishing`, `consuming`. */
  readonly purpose: string
  readonly hosts: readonly BrokerHost[]
  readonly virtualHost: string
  /** Asked at each attempt, so that certificates can be replaced while the process runs; undefined: no TLS. */
  readonly tls: () => TlsOptions | undefined
  /** Undefined: the credentials of the URL. */
  readonly credentials?: CredentialsProvider | undefined
}

/** One connection that is opened by the first use and from then on kept: lost, it comes back, on the next host where
 *  there are several. Refused credentials make it `failed`; what was open once is tried again now and then, and every
 *  use after a second tries as well, because somebody may have mended them. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #order: ReturnType<typeof createHostOrder>
  readonly #id = randomUUID()
  readonly #unblockedWaiters = new Set<() => void>()
  readonly #supervisor: Supervisor
  #current:
    | {
        readonly connection: ClientConnection
        readonly host: string
        readonly heartbeat: HeartbeatMonitor
        readonly login: Login
      }
    | undefined
  #started = false
  #everConnected = false
  #failedAt = -Infinity
  #blockedReason: string | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { hosts, runtime } = options
    this.#order = createHostOrder(hosts, runtime.options.kombu_failover_strategy, runtime.random)
    this.#supervisor = this.#createSupervisor()
  }

  /** The open connection, if there is one now. */
  get current(): ClientConnection | undefined {
    return this.#current?.connection
  }

  /** `host:port` in use. */
  get host(): string | undefined {
    return this.#current?.host
  }

  /** Why there is none; undefined while there is one, or none was tried. */
  get error(): unknown {
    return this.#supervisor.error
  }

  get blockedReason(): string | null {
    return this.#blockedReason
  }

  /** Resolves with the open connection, opening it if need be. Rejects at the deadline; when the broker refuses for
   *  good; or with MessageDeliveryFailure when more than `retries` attempts have failed since the call (null: no
   *  limit). */
  async ready(deadline: Deadline, retries: number | null = null): Promise<ClientConnection> {
    if (this.#current !== undefined) return this.#current.connection
    this.#started = true
    const facts: WaitFacts = { phase: 'connect', delivery: 'not-sent' }
    if (retries === 0) this.#tryOnce(facts)
    await this.#supervisor.ready(deadline, facts, { retries })
    const { current } = this
    if (current === undefined) return await this.ready(deadline, retries)
    return current
  }

  /** Resolves when the broker takes messages again; at once when it does. Rejects at the deadline. */
  async unblocked(deadline: Deadline): Promise<void> {
    while (this.#blockedReason !== null) {
      const reason = this.#blockedReason
      let wake = (): void => {}
      const freed = new Promise<void>((resolve) => {
        wake = resolve
      })
      this.#unblockedWaiters.add(wake)
      try {
        await deadline.race(freed, blockedFacts(reason))
      } finally {
        this.#unblockedWaiters.delete(wake)
      }
    }
  }

  /** Undefined while nothing has used it. */
  health(): ComponentHealth | undefined {
    if (!this.#started) return undefined
    return this.#supervisor.health('connection', this.#options.purpose, this.#current?.host)
  }

  /** Closes in good order, or at once when `signal` is aborted or the broker does not answer. Idempotent; never
   *  rejects. */
  async close(signal?: AbortSignal): Promise<void> {
    this.#supervisor.close()
    const current = this.#current
    this.#forget()
    if (current === undefined) return
    const { clock } = this.#options.runtime
    const cut = (): void => current.connection.destroy(new ClosedError('Closed'))
    if (signal?.aborted === true) return cut()
    signal?.addEventListener('abort', cut, { once: true })
    await waitAtMost(clock, current.connection.close())
    signal?.removeEventListener('abort', cut)
    cut()
  }

  /** One attempt is what was asked for: a recent failure was that attempt, so that a busy sender does not hammer the
   *  broker, and after an older one it is made now. */
  #tryOnce(facts: WaitFacts): void {
    const { state, error } = this.#supervisor
    if (state !== 'recovering') return
    if (this.#now() - this.#failedAt >= this.#retryIntervalMs) return this.#supervisor.retryNow()
    throw new MessageDeliveryFailure(`Gave up after 1 attempt: ${mapError(error).message}`, {
      ...facts,
      attempts: 1,
      elapsedMs: 0,
      retryable: true,
      cause: error,
    })
  }

  #createSupervisor(): Supervisor {
    const { runtime, purpose } = this.#options
    const { clock } = runtime
    const report = reportState(runtime, 'connection', purpose)
    const supervisor = new Supervisor({
      establish: async (signal) => await this.#establish(supervisor, signal),
      classify,
      upState: 'connected',
      clock,
      backoff: retryBackoff(runtime),
      retryFatalMs: slowRetryMs(runtime),
      onChange: (change) => {
        report(change)
        this.#noteFailure(change)
        // Told with the opening, before the supervisor knew that it was up.
        if (change.state === 'connected' && this.#blockedReason !== null) supervisor.setBlocked(this.#blockedReason)
      },
    })
    return supervisor
  }

  #noteFailure({ state, attempt }: SupervisorChange): void {
    if ((state === 'recovering' && attempt > 0) || state === 'failed') this.#failedAt = this.#now()
  }

  async #establish(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
    // A thousand clients that lost one broker do not come back in the same instant, nor do those that found it not
    // ready yet.
    if (this.#everConnected) await sleepAtMost(this.#options.runtime, signal)
    const failures: unknown[] = []
    for (const host of this.#order.nextPass()) {
      signal.throwIfAborted()
      try {
        const login = new Login(host, this.#options)
        const connection = await this.#connect(login, signal)
        this.#order.connected(host)
        return this.#adopt(supervisor, connection, login)
      } catch (error) {
        failures.push(error)
      }
    }
    // One host that is merely down leaves hope for all of them.
    throw failures.find((error) => classify(error) === 'retry') ?? failures[0]
  }

  async #connect(login: Login, signal: AbortSignal): Promise<ClientConnection> {
    const { runtime } = this.#options
    const attempt = new AbortController()
    const connecting = async (): Promise<ClientConnection> => {
      const host = await login.ask(attempt.signal)
      attempt.signal.throwIfAborted()
      return await runtime.client.connect(this.#connectOptions(host, attempt.signal))
    }
    try {
      return await this.#bounded(connecting(), runtime.settings.connectTimeoutMs, signal)
    } catch (error) {
      attempt.abort()
      throw mapError(error, { host: login.host, phase: 'connect', delivery: 'not-sent' })
    }
  }

  /** A connection that arrives after it was given up is closed, not leaked. */
  async #bounded(
    pending: Promise<ClientConnection>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ClientConnection> {
    const deadline = Deadline.after(timeoutMs, { signal, clock: this.#options.runtime.clock })
    let givenUp = false
    pending.then(
      (connection) => {
        if (givenUp) connection.destroy(new Error('Given up'))
      },
      () => {},
    )
    try {
      return await deadline.race(pending, { phase: 'connect', delivery: 'not-sent' })
    } catch (error) {
      givenUp = true
      if (!isMessagingError(error, 'TIMEOUT')) throw error
      throw new TransportDriverError(`No answer to a connection attempt within ${timeoutMs} ms`, { retryable: true })
    }
  }

  #adopt(supervisor: Supervisor, connection: ClientConnection, login: Login): void {
    const { host } = login
    const { options, clock } = this.#options.runtime
    const thresholdMs = options.heartbeat_timeout_threshold * 1000
    const heartbeat = monitorHeartbeat(connection, { thresholdMs, rate: options.heartbeat_rate, clock })
    this.#current = { connection, host, heartbeat, login }
    this.#everConnected = true
    connection.onClosed = (reason) => {
      const blockedMs = heartbeat.blockedMs()
      this.#forget()
      supervisor.lost(describeLoss(reason, host, blockedMs >= thresholdMs / 2 ? blockedMs : 0))
    }
    connection.onBlocked = (reason) => {
      this.#setBlocked(reason)
      supervisor.setBlocked(reason)
    }
    this.#setBlocked(connection.blockedReason)
    login.keep(connection)
  }

  #forget(): void {
    this.#current?.heartbeat.stop()
    this.#current?.login.stop()
    this.#current = undefined
    this.#setBlocked(null)
  }

  #setBlocked(reason: string | null): void {
    this.#blockedReason = reason
    if (reason === null) for (const wake of this.#unblockedWaiters) wake()
  }

  #connectOptions(host: BrokerHost, signal: AbortSignal): ConnectOptions {
    const { runtime, virtualHost, tls } = this.#options
    const { options, program, settings } = runtime
    const mechanism = options.rabbit_login_method
    return {
      ...host,
      signal,
      virtualHost,
      mechanism: mechanism === 'PLAIN' || mechanism === 'EXTERNAL' ? mechanism : 'AMQPLAIN',
      heartbeat: options.heartbeat_timeout_threshold,
      tls: tls(),
      handshakeTimeoutMs: settings.connectTimeoutMs,
      answerTimeoutMs: settings.answerTimeoutMs,
      confirmTimeoutMs: settings.confirmTimeoutMs,
      clientProperties: {
        product: 'oslo.messaging for Node.js',
        connection_name: `${program}:${process.pid}:${this.#id}`,
      },
    }
  }

  get #retryIntervalMs(): number {
    return this.#options.runtime.options.rabbit_retry_interval * 1000
  }

  #now(): number {
    return this.#options.runtime.clock.now()
  }
}
