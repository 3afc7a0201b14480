import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type ComponentHealth,
  ClosedError,
  createBackoff,
  type Deadline,
  type DriverContext,
  emitDiagnostic,
  Supervisor,
  TransportHost,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { type Addresser, chooseAddresser } from './addresser.ts'
import type { AmqpOptions } from './config.ts'
import { classify } from './map-error.ts'
import { openConnection, type PeerConnection } from './peer-connection.ts'

/** What is usable while the connection is up. A new one after each recovery. */
export interface Live {
  readonly connection: PeerConnection
  readonly addresser: Addresser
}

/** The one connection of a transport, kept up by a supervisor. Links are their owners': they hear of each loss through `onLost` and attach again. */
export class AmqpConnection {
  readonly #context: DriverContext<AmqpOptions>
  readonly #url: TransportURL
  readonly #hosts: readonly TransportHost[]
  readonly #supervisor: Supervisor
  readonly #containerId: string
  readonly #lostHandlers = new Set<(error: Error) => void>()
  #nextHost: number
  #live: Live | undefined

  constructor(url: TransportURL, context: DriverContext<AmqpOptions>) {
    const { options, program, random, clock } = context
    this.#context = context
    this.#url = url
    this.#hosts = url.hosts.length === 0 ? [new TransportHost({ hostname: 'localhost' })] : url.hosts
    // Upstream starts at a random host, so that clients spread.
    this.#nextHost = Math.floor(random() * this.#hosts.length)
    this.#containerId =
      options.container_name ??
      `openstack.org/om/container/${hostname()}/${program}/${process.pid}/${randomUUID().replaceAll('-', '')}`
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify: (error) => this.#classify(error),
      backoff: createBackoff({
        initialMs: options.connection_retry_interval * 1000,
        factor: Math.max(1, options.connection_retry_backoff),
        maxMs: options.connection_retry_interval_max * 1000,
        random,
      }),
      upState: 'connected',
      clock,
      onChange: (change) => {
        emitDiagnostic('oslo-messaging:state', () => ({
          driver: 'amqp',
          kind: 'connection',
          name: 'connection',
          ...change,
        }))
        if (change.state === 'failed') for (const handler of this.#lostHandlers) handler(change.error as Error)
      },
    })
  }

  /** The live connection; connects first if need be. Rejects at the deadline (phase connect, not sent), for good when credentials are refused, or with ClosedError. */
  async live(deadline: Deadline): Promise<Live> {
    if (this.#live !== undefined) return this.#live
    await this.#supervisor.ready(deadline, { phase: 'connect', delivery: 'not-sent' })
    // The supervisor was up a moment ago; what is missing now was lost in between.
    return this.#live ?? (await this.live(deadline))
  }

  /** The live connection if there is one. */
  get current(): Live | undefined {
    return this.#live
  }

  /** Hears of each loss of an established connection, and of the end for good. Returns the function that stops that. */
  onLost(handler: (error: Error) => void): () => void {
    this.#lostHandlers.add(handler)
    return () => this.#lostHandlers.delete(handler)
  }

  health(): ComponentHealth {
    const { state, sinceMs, reason } = this.#supervisor
    const host = this.#live?.connection.host
    return {
      kind: 'connection',
      name: 'connection',
      state,
      sinceMs,
      ...(reason === undefined ? {} : { reason }),
      ...(host === undefined ? {} : { host }),
    }
  }

  async close(): Promise<void> {
    const live = this.#live
    this.#live = undefined
    this.#supervisor.close()
    await live?.connection.close()
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const host = this.#hosts[this.#nextHost % this.#hosts.length]
    if (host === undefined) throw new ClosedError('No host to connect to')
    this.#nextHost += 1
    const connection = await openConnection(
      { context: this.#context, url: this.#url, containerId: this.#containerId },
      host,
      signal,
    )
    const addresser = chooseAddresser(
      {
        options: this.#context.options,
        virtualHost: this.#url.virtualHost,
        defaultExchange: this.#context.defaultExchange,
      },
      connection.peer,
    )
    this.#live = { connection, addresser }
    connection.onLost((error) => {
      this.#live = undefined
      for (const handler of this.#lostHandlers) handler(error)
      this.#supervisor.lost(error)
    })
  }

  /** Refused credentials end it only when no other host is left to ask: each has its own. */
  #classify(error: unknown): 'retry' | 'fatal' {
    if (this.#hosts.length > 1 && this.#nextHost % this.#hosts.length !== 0) return 'retry'
    return classify(error)
  }
}
