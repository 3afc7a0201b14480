import type { Channel, ConfirmChannel, Message, Options } from 'amqplib'
import { createDeferred } from '@oslo-messaging/core/driver'
import { hasInternals } from './internals.ts'
import type {
  ArgumentTable,
  ClientChannel,
  ClientConfirmChannel,
  ClientDelivery,
  ConsumeOptions,
  ExchangeDeclaration,
  OutgoingPublish,
  QueueDeclaration,
  QueueFacts,
  ReturnedMessage,
} from './client-types.ts'
import type { DirectChannel } from './direct-channel.ts'
import type { DirectConnection } from './direct-connection.ts'
import { CONTENT_ENCODING, CONTENT_TYPE } from './publish-frames.ts'
import { WatchedMessages } from './watched-messages.ts'

/** What a channel asks its connection. */
export interface ChannelOwner {
  /** Why the connection is over, while channels report their own end. */
  readonly reason: unknown
  /** Whether it is over or closing: nothing can be sent. */
  readonly isOver: boolean
}

/** A channel of amqplib. What comes often goes the direct way where there is one. */
export class AmqplibChannel<C extends Channel = Channel> implements ClientChannel {
  onClosed: ((reason: unknown) => void) | undefined
  protected readonly channel: C
  protected readonly direct: DirectChannel | undefined
  readonly #connection: ChannelOwner
  readonly #over = createDeferred<void>()
  readonly #watched = new WatchedMessages()
  #error: unknown
  #ended = false
  #closing = false

  constructor(connection: ChannelOwner, channel: C, direct: DirectConnection | undefined) {
    this.#connection = connection
    this.channel = channel
    this.direct = hasInternals(channel) ? direct?.openChannel(channel) : undefined
    channel.on('error', (error) => {
      this.#error ??= error
    })
    channel.on('close', () => {
      this.direct?.release()
      this.#over.resolve()
      if (this.#ended) return
      this.#ended = true
      const reason = this.#error ?? connection.reason ?? new Error('Channel closed')
      this.onClosed?.(this.#closing ? undefined : reason)
    })
  }

  get reason(): unknown {
    return this.#error ?? this.#connection.reason
  }

  async declareExchange({ name, type, durable, autoDelete, mode }: ExchangeDeclaration): Promise<void> {
    if (mode === 'passive') await this.#rpc(() => this.channel.checkExchange(name))
    if (mode === undefined) await this.#rpc(() => this.channel.assertExchange(name, type, { durable, autoDelete }))
  }

  async declareQueue({ name, durable, autoDelete, arguments: table, mode }: QueueDeclaration): Promise<QueueFacts> {
    if (mode === 'none') return NO_FACTS
    if (mode === 'passive') return await this.checkQueue(name)
    return await this.#rpc(() => this.channel.assertQueue(name, { durable, autoDelete, arguments: encodeTable(table) }))
  }

  async checkQueue(queue: string): Promise<QueueFacts> {
    return await this.#rpc(() => this.channel.checkQueue(queue))
  }

  async bindQueue(queue: string, exchange: string, key: string): Promise<void> {
    await this.#rpc(() => this.channel.bindQueue(queue, exchange, key, {}))
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#rpc(() => this.channel.deleteQueue(queue))
  }

  async prefetch(count: number): Promise<void> {
    await this.#rpc(() => this.channel.prefetch(count, false))
  }

  async consume(
    queue: string,
    { consumerTag, noAck, arguments: table }: ConsumeOptions,
    onDelivery: (delivery: ClientDelivery | null) => void,
  ): Promise<void> {
    await this.#rpc(() =>
      this.channel.consume(
        queue,
        (message) => {
          onDelivery(message === null ? null : this.#received(message))
        },
        { consumerTag, noAck, arguments: encodeTable(table) },
      ),
    )
  }

  async cancel(consumerTag: string): Promise<void> {
    await this.#rpc(() => this.channel.cancel(consumerTag))
  }

  async get(queue: string): Promise<ClientDelivery | null> {
    const message = await this.#rpc(() => this.channel.get(queue, { noAck: false }))
    return message === false ? null : deliveryOf(message)
  }

  acknowledge(deliveryTag: number, multiple: boolean): boolean {
    const watched = this.#watched.take(deliveryTag, multiple)
    if (watched !== undefined || this.direct === undefined)
      return this.#settle(() => this.channel.ack(watched ?? settleable(deliveryTag), multiple))
    if (this.ended) return false
    this.direct.acknowledge(deliveryTag, multiple)
    return true
  }

  reject(deliveryTag: number, requeue: boolean): boolean {
    const watched = this.#watched.take(deliveryTag, false)
    return this.#settle(() => this.channel.reject(watched ?? settleable(deliveryTag), requeue))
  }

  async close(): Promise<void> {
    if (this.#ended || this.#closing) return
    this.#closing = true
    this.direct?.release()
    // amqplib never settles its own promise when the connection ends while the channel closes, and throws when it is over already.
    await Promise.race([this.channel.close().catch(() => this.#over.resolve()), this.#over.promise])
  }

  protected get ended(): boolean {
    return this.#ended || this.#closing || this.#connection.isOver
  }

  #received(message: Message): ClientDelivery {
    this.#watched.note(message)
    return deliveryOf(message)
  }

  /** amqplib rejects what is pending with a text of its own when channel or connection end; the real reason is kept here. */
  async #rpc<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code !== undefined) throw error
      throw this.#error ?? this.#connection.reason ?? error
    }
  }

  #settle(operation: () => void): boolean {
    if (this.ended) return false
    try {
      operation()
      return true
    } catch {
      // Thrown only when the channel ended a moment ago: `onClosed` tells.
      return false
    }
  }
}

export class AmqplibConfirmChannel extends AmqplibChannel<ConfirmChannel> implements ClientConfirmChannel {
  onReturn: ((message: ReturnedMessage) => void) | undefined

  constructor(connection: ChannelOwner, channel: ConfirmChannel, direct: DirectConnection | undefined) {
    super(connection, channel, direct)
    channel.on('return', ({ fields, content }) => {
      const { exchange, routingKey } = fields
      const replyCode = 'replyCode' in fields ? Number(fields.replyCode) : 0
      const replyText = 'replyText' in fields ? String(fields.replyText) : ''
      this.onReturn?.({ replyCode, replyText, exchange, routingKey, body: content })
    })
  }

  publish(message: OutgoingPublish, onConfirm: (error: unknown) => void): boolean {
    if (this.ended) return false
    try {
      this.#publish(message, onConfirm)
      return true
    } catch (error) {
      // The channel ended a moment ago: nothing was sent, and another one will do. Anything else would meet every channel.
      if (this.ended || (error instanceof Error && error.name === 'IllegalOperationError')) return false
      throw error
    }
  }

  #publish(
    { exchange, routingKey, mandatory, expiration, headers, body, content = OWN_CONTENT }: OutgoingPublish,
    onConfirm: (error: unknown) => void,
  ): void {
    const options: Options.Publish = { mandatory, deliveryMode: 2, priority: 0 }
    if (content.type !== undefined) options.contentType = content.type
    if (content.encoding !== undefined) options.contentEncoding = content.encoding
    if (expiration !== undefined) options.expiration = expiration
    // Agents for tracing write into them: each attempt has headers of its own. None are made for a message without any.
    if (!isEmpty(headers)) options.headers = { ...headers }
    this.channel.publish(exchange, routingKey, body, options, onConfirm)
  }
}

const OWN_CONTENT = Object.freeze({ type: CONTENT_TYPE, encoding: CONTENT_ENCODING })

function isEmpty(record: object): boolean {
  for (const _key in record) return false
  return true
}

function deliveryOf({ fields, properties, content }: Message): ClientDelivery {
  const { deliveryTag, redelivered, exchange, routingKey } = fields
  return { deliveryTag, redelivered, exchange, routingKey, properties, body: content }
}

/** What amqplib's `ack` and `reject` read of a message. */
function settleable(deliveryTag: number) {
  const fields = { deliveryTag, redelivered: false, exchange: '', routingKey: '', consumerTag: '' }
  return { fields, content: EMPTY, properties: NO_PROPERTIES }
}

const EMPTY = Buffer.alloc(0)
const NO_PROPERTIES = Object.freeze({
  contentType: undefined,
  contentEncoding: undefined,
  headers: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
})

function encodeTable(table: ArgumentTable): Record<string, unknown> {
  const entries = Object.entries(table)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'number' ? { '!': 'int', value } : value]),
  )
}

const NO_FACTS: QueueFacts = Object.freeze({ messageCount: 0, consumerCount: 0 })
