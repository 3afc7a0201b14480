import amqplib from 'amqplib'
import { until } from '../load/until.ts'

/** Nodes may be on their way back. */
const PATIENCE_MS = 60_000
const CONNECT_MS = 10_000
const PREFETCH = 1_000
const QUIET_MS = 2_000

/** An exchange, and the routing key of a binding or a message. */
export interface Origin {
  readonly exchange: string
  readonly key: string
}

/** A program that is none of ours, on a connection of its own past the proxies: hand-written amqplib. */
export class PlainClient {
  readonly #urls: readonly string[]

  /** `urls` of amqplib, one for each node; whichever answers is used. */
  constructor(urls: readonly string[]) {
    this.#urls = urls
  }

  /** A queue that gets a copy of everything that exchanges carry under these keys. */
  async mirror(
    queue: string,
    bindings: readonly Origin[],
    queueArguments: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#with(async (channel) => {
      await channel.assertQueue(queue, { durable: true, arguments: queueArguments })
      for (const { exchange, key } of bindings) await channel.bindQueue(queue, exchange, key)
    })
  }

  /** Takes everything out of a queue and hands over each body with where it came from, in order. Resolves when the
   *  queue is empty. */
  async drain(queue: string, onMessage: (origin: Origin, body: Buffer) => void): Promise<void> {
    await this.#with(async (channel) => {
      const { messageCount } = await channel.checkQueue(queue)
      if (messageCount === 0) return
      await channel.prefetch(PREFETCH)
      await new Promise<void>((resolve, reject) => {
        let timer = setTimeout(resolve, QUIET_MS)
        const take = (message: amqplib.ConsumeMessage | null): void => {
          if (message === null) return reject(new Error(`${queue} is gone`))
          clearTimeout(timer)
          timer = setTimeout(resolve, QUIET_MS)
          onMessage({ exchange: message.fields.exchange, key: message.fields.routingKey }, message.content)
          channel.ack(message)
        }
        channel.once('error', reject)
        channel.consume(queue, take).catch(reject)
      })
    })
  }

  async #with<T>(work: (channel: amqplib.Channel) => Promise<T>): Promise<T> {
    const connection = await until(() => this.#connect(), 'a connection of the outside reader', PATIENCE_MS)
    // What goes wrong with the connection also ends what is being done on it.
    connection.on('error', (error: Error) => console.error(`outside reader: ${error.message}`))
    try {
      const channel = await connection.createChannel()
      const result = await work(channel)
      await channel.close()
      return result
    } finally {
      await connection.close()
    }
  }

  /** The first node that answers; each is asked alone, because a second connection would have nobody to hear of its
   *  end. */
  async #connect(): Promise<amqplib.ChannelModel> {
    let last: unknown
    for (const url of this.#urls) {
      try {
        return await amqplib.connect(url, { timeout: CONNECT_MS })
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}
