import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib'

import { compress, decompress } from '../../../packages/rabbit/src/wire/compression.ts'
import { MOST_BYTES } from './most-bytes.ts'
import { bytesOf, propertiesOf } from '../../../packages/rabbit/test/support/vector-sets.ts'
import type { VectorFrame } from '../../../packages/rabbit/test/support/vectors.ts'

/** Plain amqplib in the place of a Python program: puts exactly what was captured, and takes what comes. */
export class Hand {
  readonly #model: ChannelModel
  readonly #channel: Channel

  private constructor(model: ChannelModel, channel: Channel) {
    this.#model = model
    this.#channel = channel
  }

  static async connect(url: string): Promise<Hand> {
    const model = await connect(url.replace(/^rabbit:/, 'amqp:'), { noDelay: true })
    // Closing, or losing a virtual host under one's feet, is no error of a test.
    model.on('error', () => {})
    const channel = await model.createChannel()
    channel.on('error', () => {})
    return new Hand(model, channel)
  }

  /** A queue as a Python service declares it by default, bound when an exchange is named. */
  async queue(name: string, exchange?: string): Promise<void> {
    await this.#channel.assertQueue(name, { durable: false, autoDelete: false })
    if (exchange === undefined) return
    await this.#channel.assertExchange(exchange, 'topic', { durable: false, autoDelete: false })
    await this.#channel.bindQueue(name, exchange, name)
  }

  async exchange(name: string, type: 'topic' | 'fanout', durable: boolean): Promise<void> {
    await this.#channel.assertExchange(name, type, { durable, autoDelete: type === 'fanout' })
  }

  /** Publishes the bytes of a captured frame with its properties; `replace` changes ids in the text. */
  put(
    frame: VectorFrame,
    to: { exchange: string; routingKey: string },
    replace = (text: string): string => text,
  ): void {
    const properties = propertiesOf(frame)
    const headers = frame.properties?.['headers'] as Readonly<Record<string, unknown>> | undefined
    this.#channel.publish(to.exchange, to.routingKey, replaceText(headers, bytesOf(frame), replace), properties)
  }

  /** Consumes a queue without acknowledgements. */
  async take(queue: string, onMessage: (message: ConsumeMessage) => void): Promise<void> {
    const take = (message: ConsumeMessage | null): void => {
      if (message !== null) onMessage(message)
    }
    await this.#channel.consume(queue, take, { noAck: true })
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#channel.deleteQueue(name)
  }

  async close(): Promise<void> {
    await this.#model.close()
  }
}

/** Packed bodies are unpacked for it and packed again the same way. */
function replaceText(
  headers: Readonly<Record<string, unknown>> | undefined,
  body: Buffer,
  replace: (text: string) => string,
): Buffer {
  const kind = headers?.['compression']
  if (kind === undefined) {
    const text = body.toString('utf8')
    const replaced = replace(text)
    // What is no text stays as it is.
    return replaced === text ? body : Buffer.from(replaced)
  }
  return Buffer.from(
    compress(
      kind === 'application/x-gzip' ? 'gzip' : 'bzip2',
      Buffer.from(replace(decompress(headers, body, MOST_BYTES).toString())),
    ).body,
  )
}
