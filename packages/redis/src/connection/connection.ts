import {
  ClosedError,
  type ComponentHealth,
  createBackoff,
  credentialsFor,
  type Deadline,
  type DriverContext,
  HostRotation,
  type ReadyOptions,
  reportState,
  Supervisor,
  type TransportURL,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import { Link, type LinkOptions } from '../client/link.ts'
import type { RedisOptions } from '../config.ts'
import type { Settings } from '../settings.ts'
import { mapError } from './map-error.ts'

const DEFAULT_PORT = 6379
const RETRY_FATAL_MS = 5000

/** What depends on the connection. */
export interface Dependent {
  /** The link is gone; there will be another one. */
  lost(reason: unknown): void
}

/** What a connection is made from. */
export interface ConnectionParts {
  readonly url: TransportURL
  readonly context: DriverContext<RedisOptions>
  /** All of a link's options but those of the host. */
  readonly link: Omit<LinkOptions, 'host' | 'hostname' | 'port' | 'username' | 'password' | 'onLost'>
  /** Makes the way for replies on each new link, before anything is sent over it. */
  readonly onOpened: (link: Link) => Promise<void>
}

/** How the options want a link; hosts and logins take turns. */
export function linkOptionsOf(
  { options, program, clock }: DriverContext<RedisOptions>,
  settings: Settings,
): ConnectionParts['link'] {
  return {
    ...settings,
    name: program,
    connectTimeoutMs: options.connect_timeout * 1000,
    pingIntervalMs: options.heartbeat * 1000,
    clock,
  }
}

/** The one connection of a driver, through every loss. */
export class Connection {
  readonly #parts: ConnectionParts
  readonly #hosts: HostRotation
  readonly #supervisor: Supervisor
  readonly #dependents = new Set<Dependent>()
  #link: Link | undefined
  #host: string | undefined
  #isUsed = false

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    const { clock, random, logger } = parts.context
    this.#hosts = new HostRotation(parts.url, { defaultPort: DEFAULT_PORT, random })
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify: (error) => (isRefused(error) ? 'fatal' : 'retry'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random }),
      upState: 'connected',
      // Somebody may give the user its rights back.
      retryFatalMs: RETRY_FATAL_MS,
      clock,
      onChange: reportState({ driver: 'redis', kind: 'connection', name: 'redis', logger }),
    })
  }

  /** The link, when it is up. */
  get link(): Link | undefined {
    return this.#link?.isOpen ? this.#link : undefined
  }

  get host(): string | undefined {
    return this.#host
  }

  get error(): unknown {
    return this.#supervisor.error
  }

  get health(): readonly ComponentHealth[] {
    return this.#isUsed ? [this.#supervisor.health('connection', 'redis', this.#host)] : []
  }

  /** Resolves with the link once it is up; rejects as `Supervisor.ready` does. */
  async ready(deadline: Deadline, facts: WaitFacts, options?: ReadyOptions): Promise<Link> {
    this.#isUsed = true
    deadline.check(facts)
    for (;;) {
      const { link } = this
      if (link !== undefined && this.#supervisor.isUp) return link
      await this.#supervisor.ready(deadline, facts, options)
      if (this.link === undefined) this.#supervisor.lost(new ClosedError('The connection was lost'))
    }
  }

  depend(dependent: Dependent): void {
    this.#dependents.add(dependent)
  }

  release(dependent: Dependent): void {
    this.#dependents.delete(dependent)
  }

  async close(signal?: AbortSignal): Promise<void> {
    this.#supervisor.close()
    await this.#link?.close(signal)
    this.#link = undefined
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { context, link, onOpened } = this.#parts
    const at = this.#hosts.next()
    const { address: host } = at
    this.#host = host
    await this.#link?.close(AbortSignal.abort())
    try {
      const login = await credentialsFor(at, context.credentials, signal)
      const opened = await Link.open(
        {
          ...link,
          host,
          hostname: at.hostname,
          port: at.port,
          // A password alone, as in `redis://:secret@host`, is that of the default user.
          username: login?.username || undefined,
          password: login?.password,
          onLost: (reason) => this.#onLost(opened, reason),
        },
        signal,
      )
      this.#link = opened
      await onOpened(opened)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw mapError(error, host)
    }
  }

  #onLost(link: Link, reason: unknown): void {
    if (link !== this.#link) return
    const error = mapError(reason, link.host)
    this.#supervisor.lost(error)
    for (const dependent of this.#dependents) dependent.lost(error)
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OSLO_MESSAGING_AUTHENTICATION'
}
