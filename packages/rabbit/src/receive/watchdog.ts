import { TransportDriverError } from '@oslo-messaging/core/driver'
import type { ClientChannel, ClientConnection } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { brokerCodeOf } from '../connection/map-error.ts'
import { waitAtMost } from '../connection/wait-at-most.ts'
import type { Runtime } from '../connection/runtime.ts'

/** What the watchdog needs to know of a consumer. */
export interface WatchedConsumer {
  readonly isConsuming: boolean
  readonly deliveries: number
  readonly hasRoom: boolean
  /** `shared`: other processes consume the queue as well, so that the broker's count of consumers says little. */
  readonly queues: readonly { readonly name: string; readonly shared: boolean }[]
  lost(reason: Error): void
}

/** How long the broker may take to answer one question. */
const ANSWER_MS = 5000

/** Asks the broker, not the socket, whether consumers still exist (P01): a consumer can be gone without a word.
 *  Own queue without a consumer: lost. Shared queue that holds messages while this listener has room and hears nothing: lost as well.
 *  A listener that has had a delivery since the last round is alive and costs nothing. */
export class Watchdog {
  readonly #runtime: Runtime
  readonly #connection: Connection
  readonly #watched = new Map<WatchedConsumer, number>()
  #timer: unknown
  #channel: { readonly connection: ClientConnection; readonly channel: ClientChannel } | undefined
  #closed = false

  constructor(runtime: Runtime, connection: Connection) {
    this.#runtime = runtime
    this.#connection = connection
  }

  watch(consumer: WatchedConsumer): void {
    this.#watched.set(consumer, -1)
    this.#arm()
  }

  unwatch(consumer: WatchedConsumer): void {
    this.#watched.delete(consumer)
  }

  close(): void {
    this.#closed = true
    this.#watched.clear()
    if (this.#timer !== undefined) this.#runtime.clock.clearTimeout(this.#timer)
  }

  #arm(): void {
    const { clock, random, settings } = this.#runtime
    if (this.#timer !== undefined || this.#closed || this.#watched.size === 0 || settings.watchdogIntervalMs === 0)
      return
    const delayMs = settings.watchdogIntervalMs * (0.75 + random() / 2)
    this.#timer = clock.setTimeout(() => void this.#round(), delayMs)
  }

  async #round(): Promise<void> {
    try {
      for (const [consumer, before] of this.#watched) {
        const { deliveries } = consumer
        this.#watched.set(consumer, deliveries)
        if (consumer.isConsuming && deliveries === before) await this.#check(consumer)
      }
    } finally {
      this.#timer = undefined
      this.#arm()
    }
  }

  async #check(consumer: WatchedConsumer): Promise<void> {
    const { deliveries } = consumer
    for (const { name, shared } of consumer.queues) {
      const doubt = await this.#ask(name, shared, consumer)
      if (doubt !== undefined && consumer.isConsuming && consumer.deliveries === deliveries)
        return consumer.lost(new TransportDriverError(doubt, { retryable: true, host: this.#connection.host }))
    }
  }

  /** What is wrong with the queue; undefined when nothing is, or when the broker could not be asked. */
  async #ask(queue: string, shared: boolean, consumer: WatchedConsumer): Promise<string | undefined> {
    let doubt: string | undefined
    const asked = this.#channelNow().then(async (channel) => {
      if (channel === undefined) return
      try {
        const { consumerCount, messageCount } = await channel.checkQueue(queue)
        if (consumerCount === 0) doubt = `Queue '${queue}' has no consumer although this listener consumes it`
        else if (shared && messageCount > 0 && consumer.hasRoom)
          doubt = `Queue '${queue}' holds ${messageCount} messages that are not delivered`
      } catch (error) {
        if (brokerCodeOf(error) === 404) doubt = `Queue '${queue}' does not exist any more`
      }
    })
    let answered = false
    asked.then(
      () => {
        answered = true
      },
      () => {},
    )
    await waitAtMost(this.#runtime.clock, asked, ANSWER_MS)
    // Some brokers keep silent about a queue whose node is down: the question is left behind with its channel.
    if (!answered) this.#channel = undefined
    return doubt
  }

  async #channelNow(): Promise<ClientChannel | undefined> {
    const connection = this.#connection.current
    if (connection === undefined) return undefined
    if (this.#channel?.connection === connection) return this.#channel.channel
    const channel = await connection.openChannel()
    const entry = { connection, channel }
    channel.onClosed = () => {
      if (this.#channel === entry) this.#channel = undefined
    }
    this.#channel = entry
    return channel
  }
}
