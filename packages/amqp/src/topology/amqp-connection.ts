import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type ComponentHealth,
  createBackoff,
  type Deadline,
  type DriverContext,
  isMessagingError,
  OutstandingLimit,
  reportState,
  Supervisor,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import type { Addressing } from './addressing.ts'
import { chooseAddressing } from './choose-addressing.ts'
import type { AmqpOptions } from '../config.ts'
import { ServedHosts } from '../connection/hosts.ts'
import { openConnection, type PeerConnection } from '../connection/peer-connection.ts'

/** What is usable while the connection is up. A new one after each recovery. */
export interface Live {
  readonly connection: PeerConnection
  readonly addressing: Addressing
}

/** Listeners that attach at the same time. A peer that makes a queue for each link says nothing until it has read all
 *  it was sent, not even that it is alive: hundreds at once would be more than its silence may last, and again after
 *  each loss. */
const ATTACHING_AT_ONCE = 16

/** The one connection of a transport, kept up by a supervisor. Links are their owners': they hear of each loss through
 *  `onLost` and attach again. */
export class AmqpConnection {
  /** Places for listeners that attach. */
  readonly attaching: OutstandingLimit = new OutstandingLimit({
    maxMessages: ATTACHING_AT_ONCE,
    maxBytes: Infinity,
    maxWaitingMessages: Infinity,
  })
  readonly #context: DriverContext<AmqpOptions>
  readonly #url: TransportURL
  readonly #hosts: ServedHosts
  readonly #supervisor: Supervisor
  readonly #containerId: string
  #live: Live | undefined
  #wasUp = false

  constructor(url: TransportURL, context: DriverContext<AmqpOptions>) {
    const { options, program, random, clock, logger } = context
    this.#context = context
    this.#url = url
    this.#hosts = new ServedHosts(url, random)
    this.#containerId =
      options.container_name ??
      `openstack.org/om/container/${hostname()}/${program}/${process.pid}/${randomUUID().replaceAll('-', '')}`
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify: (error) => {
        const verdict = this.#hosts.classify(error)
        return this.#mayBeRenewed(error) ? 'retry' : verdict
      },
      backoff: this.#hosts.betweenRounds(
        createBackoff({
          initialMs: options.connection_retry_interval * 1000,
          factor: Math.max(1, options.connection_retry_backoff),
          maxMs: options.connection_retry_interval_max * 1000,
          random,
        }),
      ),
      upState: 'connected',
      clock,
      onChange: reportState({ driver: 'amqp', kind: 'connection', name: 'amqp', logger }),
    })
  }

  /** The live connection; connects first if need be. Rejects at the deadline (phase connect, not sent), with
   *  MessageDeliveryFailure when more than `retries` attempts have failed, for good when credentials are refused, or
   *  with ClosedError. */
  async live(deadline: Deadline, retries: number | null): Promise<Live> {
    for (;;) {
      if (this.#live !== undefined) return this.#live
      // Once it was up it may be lost again before whoever waited gets its turn.
      await this.#supervisor.ready(deadline, { phase: 'connect', delivery: 'not-sent' }, { retries })
    }
  }

  /** The live connection if there is one. */
  get current(): Live | undefined {
    return this.#live
  }

  health(): ComponentHealth {
    return this.#supervisor.health('connection', 'amqp', this.#live?.connection.host)
  }

  /** Closes in good order, as long as the signal lets it. True: the peer has had everything. */
  async close(signal?: AbortSignal): Promise<boolean> {
    const live = this.#live
    this.#live = undefined
    this.#supervisor.close()
    return (await live?.connection.close(signal)) ?? true
  }

  /** Credentials that the application gives are changed while it runs: what the peer refuses now, it takes in a
   *  moment. */
  #mayBeRenewed(error: unknown): boolean {
    return this.#wasUp && this.#context.credentials !== undefined && isMessagingError(error, 'AUTHENTICATION')
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { options, defaultExchange } = this.#context
    const connection = await openConnection(
      { context: this.#context, url: this.#url, containerId: this.#containerId },
      this.#hosts.next(),
      signal,
    )
    const addressing = chooseAddressing({ options, virtualHost: this.#url.virtualHost, defaultExchange }, connection)
    this.#hosts.succeeded()
    this.#live = { connection, addressing }
    this.#wasUp = true
    connection.loss.on((error) => {
      this.#live = undefined
      this.#supervisor.lost(error)
    })
  }
}
