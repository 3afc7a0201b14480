import { TransportDriverError } from '@oslo-messaging/core/driver'
import { type ClientChannel, type ClientConnection, NO_ANSWER } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import type { Runtime } from '../connection/runtime.ts'

/** What the watchdog needs to know of a consumer. */
export interface WatchedConsumer {
  readonly isConsuming: boolean
  readonly deliveries: number
  readonly hasRoom: boolean
  /** `shared`: other processes consume the queue as well, so that the broker's count of consumers says little. */
  readonly queues: readonly { readonly name: string; readonly shared: boolean }[]
  /** Why the broker cannot be asked about it, for health reports; undefined: it can. */
  unverified: string | undefined
  lost(reason: Error): void
}

/** Questions a second at most: a process with many idle listeners asks about each of them less often. */
const MOST_A_SECOND = 8

/** Asks the broker, not the socket, whether consumers still exist (P01): a consumer can be gone without a word. Own
 *  queue without a consumer: lost. Shared queue that holds messages while this listener has room and hears nothing:
 *  lost as well. A listener that has had a delivery since the last round is alive and costs nothing. Where the broker
 *  does not let this user ask, that is said once and nothing more is asked. */
export class Watchdog {
  readonly #runtime: Runtime
  readonly #connection: Connection
  readonly #watched = new Map<WatchedConsumer, number>()
  #timer: unknown
  #channel: { readonly connection: ClientConnection; readonly channel: ClientChannel } | undefined
  /** Queues the user may not ask about, by the connection that was told so. */
  #refused: { readonly connection: ClientConnection | undefined; readonly queues: Set<string> } = NOTHING_REFUSED
  #pauseEnds: (() => void) | undefined
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
    this.#pauseEnds?.()
  }

  #arm(): void {
    const { clock, random, settings } = this.#runtime
    if (this.#timer !== undefined || this.#closed || this.#watched.size === 0 || settings.watchdogIntervalMs === 0)
      return
    const delayMs = settings.watchdogIntervalMs * (0.75 + random() / 2)
    this.#timer = clock.setTimeout(() => void this.#round(), delayMs)
  }

  async #round(): Promise<void> {
    // So many of a round follow each other at once.
    let free = Math.floor((this.#runtime.settings.watchdogIntervalMs / 1000) * MOST_A_SECOND)
    const pace = async (): Promise<void> => {
      free -= 1
      if (free < 0) await this.#pause(1000 / MOST_A_SECOND)
    }
    try {
      for (const [consumer, before] of this.#watched) {
        const { deliveries } = consumer
        this.#watched.set(consumer, deliveries)
        if (consumer.isConsuming && deliveries === before) await this.#check(consumer, pace)
      }
    } finally {
      this.#timer = undefined
      this.#arm()
    }
  }

  async #check(consumer: WatchedConsumer, pace: () => Promise<void>): Promise<void> {
    const { deliveries } = consumer
    consumer.unverified = undefined
    for (const { name, shared } of consumer.queues) {
      if (this.#mayAsk(name)) {
        await pace()
        // Meanwhile it may have heard something, or be no more.
        if (!consumer.isConsuming || consumer.deliveries !== deliveries) return
        const doubt = await this.#ask(name, shared, consumer)
        if (doubt !== undefined && consumer.isConsuming && consumer.deliveries === deliveries)
          return consumer.lost(new TransportDriverError(doubt, { retryable: true, host: this.#connection.host }))
      }
      if (!this.#mayAsk(name))
        consumer.unverified = `cannot be verified: the broker does not say whether it still has the consumer of queue '${name}'`
    }
  }

  /** What is wrong with the queue; undefined when nothing is, or when the broker could not be asked. */
  async #ask(queue: string, shared: boolean, consumer: WatchedConsumer): Promise<string | undefined> {
    try {
      const channel = await this.#channelNow()
      if (channel === undefined) return undefined
      const { consumerCount, messageCount } = await channel.checkQueue(queue)
      if (consumerCount === 0) return `Queue '${queue}' has no consumer although this listener consumes it`
      if (shared && messageCount > 0 && consumer.hasRoom)
        return `Queue '${queue}' holds ${messageCount} messages that are not delivered`
    } catch (error) {
      const code = brokerCodeOf(error)
      if (code === 404) return `Queue '${queue}' does not exist any more`
      if (typeof code === 'number') this.#noteRefusal(queue, error)
      // Some brokers keep silent about a queue whose node is down, and a connection may be lost while it is asked: that
      // is told elsewhere.
      else if (code !== NO_ANSWER) this.#channel = undefined
    }
    return undefined
  }

  #mayAsk(queue: string): boolean {
    return this.#refused.connection !== this.#connection.current || !this.#refused.queues.has(queue)
  }

  /** RabbitMQ 4.2.6 and 4.3.0 want the right to configure a queue for the mere question whether it exists. */
  #noteRefusal(queue: string, error: unknown): void {
    const { current } = this.#connection
    if (this.#refused.connection !== current) {
      this.#refused = { connection: current, queues: new Set() }
      this.#runtime.logger.warn(
        `Listeners cannot be verified: the broker does not let this user ask whether it still has their consumers (${mapError(error).message})`,
        { queue, error },
      )
    }
    this.#refused.queues.add(queue)
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

  async #pause(ms: number): Promise<void> {
    const { clock } = this.#runtime
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, ms)
      this.#pauseEnds = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#pauseEnds = undefined
  }
}

const NOTHING_REFUSED = { connection: undefined, queues: new Set<string>() }
