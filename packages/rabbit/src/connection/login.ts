import {
  credentialsFor,
  type CredentialsProvider,
  Deadline,
  type HostCredentials,
  TransportHost,
} from '@oslo-messaging/core/driver'
import type { ClientConnection } from '../client/client.ts'
import { type BrokerHost, hostText } from './hosts.ts'
import type { Runtime } from './runtime.ts'

/** Renewed when a fifth of their time is left, and a minute before the end at the latest. */
const REST = 0.2
const MOST_REST_MS = 60_000
const LEAST_REST_MS = 1000
/** Timers of Node bear no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface LoginOptions {
  readonly runtime: Runtime
  /** Undefined: the credentials of the URL. */
  readonly credentials?: CredentialsProvider | undefined
}

/** Who logs in to one host, for one connection: with the credentials of the URL, or with those the application gives,
 *  which are renewed before they expire. */
export class Login {
  /** `host:port`. */
  readonly host: string
  readonly #host: BrokerHost
  readonly #options: LoginOptions
  readonly #over = new AbortController()
  #given: HostCredentials | undefined
  #givenAt = 0
  #timer: unknown

  constructor(host: BrokerHost, options: LoginOptions) {
    this.host = hostText(host)
    this.#host = host
    this.#options = options
  }

  /** The host with the credentials to use now. Rejects with TransportDriverError, retryable, when the application has
   *  none. */
  async ask(signal: AbortSignal): Promise<BrokerHost> {
    const { credentials, runtime } = this.#options
    if (credentials === undefined) return this.#host
    const { hostname, port } = this.#host
    const at = { hostname, port, address: this.host, host: new TransportHost() }
    this.#given = await credentialsFor(at, credentials, signal)
    this.#givenAt = runtime.clock.now()
    if (this.#given === undefined) return this.#host
    const { username, password } = this.#given
    return { hostname, port, username, password }
  }

  /** Renews the credentials of the connection for as long as it lasts. Where that is not possible it is replaced by a
   *  new one, before the broker ends it. */
  keep(connection: ClientConnection): void {
    const { clock } = this.#options.runtime
    const expiresInMs = this.#given?.expiresInMs
    if (expiresInMs === undefined || this.#over.signal.aborted) return
    const rest = Math.min(expiresInMs * REST, MOST_REST_MS)
    const inMs = Math.max(0, this.#givenAt + expiresInMs - rest - clock.now())
    this.#timer = clock.setTimeout(() => void this.#renew(connection), Math.min(inMs, LONGEST_TIMER_MS))
  }

  /** The connection is over. */
  stop(): void {
    this.#over.abort()
    if (this.#timer !== undefined) this.#options.runtime.clock.clearTimeout(this.#timer)
  }

  async #renew(connection: ClientConnection): Promise<void> {
    const { clock, settings } = this.#options.runtime
    const before = this.#given
    const { signal } = this.#over
    try {
      const deadline = Deadline.after(settings.connectTimeoutMs, { signal, clock })
      const facts = { phase: 'connect', delivery: 'not-sent', waitingFor: 'new credentials' } as const
      const { username, password } = await deadline.race(this.ask(signal), facts)
      if (username !== before?.username) throw new Error('the new ones are of another user')
      await connection.updateSecret(password)
      this.keep(connection)
    } catch (error) {
      if (signal.aborted) return
      // What has not expired yet still serves: the application may have new ones in a moment.
      const leftMs = this.#givenAt + (before?.expiresInMs ?? 0) - clock.now()
      if (leftMs > LEAST_REST_MS) {
        this.#timer = clock.setTimeout(() => void this.#renew(connection), leftMs / 2)
        return
      }
      const why = error instanceof Error ? error.message : String(error)
      connection.destroy(new Error(`The credentials expire and cannot be renewed: ${why}`, { cause: error }))
    }
  }
}
