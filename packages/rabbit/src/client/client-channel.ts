import type { Channel, ConfirmChannel, Message, Options } from 'amqplib'
import { createDeferred, Lifetime } from '@oslo-messaging/core/driver'
import type { ChannelInternals } from './internals.ts'
import { NO_ANSWER, waitForAnswer } from './wait-for-answer.ts'
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
import { ConfirmWatch } from './confirm-watch.ts'
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
  readonly answerTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly blockedReason: string | null
  /** The broker has not answered in time that the channel is closed: its number stays taken until it does. */
  noteUnansweredClose(channel: object): void
  /** A question stayed without an answer. */
  noteNoAnswer(): void
  noteAnsweredClose(channel: object): void
}

/** A channel of amqplib. What comes often goes the direct way. It is over at the first of: the broker or the connection
 *  ends it, it breaks the rules, a question stays unanswered, we close it. Then nothing is sent on it any more, and the
 *  broker is told as far as it listens. */
export class AmqplibChannel<C extends Channel = Channel> implements ClientChannel {
  onClosed: ((reason: unknown) => void) | undefined
  protected readonly channel: C & ChannelInternals
  protected readonly direct: DirectChannel
  protected readonly connection: ChannelOwner
  readonly #watched = new WatchedMessages()
  /** Ends whoever waits for an answer. */
  readonly #life = new Lifetime()
  /** The broker has nothing more to say about it. */
  readonly #gone = createDeferred<void>()
  #error: unknown
  #isOver = false
  #isGone = false

  /** The channel is being opened. */
  constructor(connection: ChannelOwner, channel: C & ChannelInternals, direct: DirectConnection) {
    this.connection = connection
    this.channel = channel
    this.direct = direct.openChannel(channel)
    channel.on('error', (error) => this.#end(error))
    channel.on('close', () => {
      this.#isGone = true
      this.#gone.resolve()
      connection.noteAnsweredClose(this)
      this.#end(connection.reason ?? new Error('Channel closed'))
    })
    // amqplib would tell only when the broker has answered, and publish until then.
    const closeWithError = channel.closeWithError.bind(channel)
    channel.closeWithError = (id, reason, code, error) => {
      closeWithError(id, reason, code, error)
      this.#end(error)
    }
  }

  get reason(): unknown {
    return this.#error ?? this.connection.reason
  }

  /** Resolves when the broker has opened it. */
  async opened(answer: Promise<unknown>): Promise<void> {
    await this.#answer('channel.open', answer)
  }

  async declareExchange({ name, type, durable, autoDelete, mode }: ExchangeDeclaration): Promise<void> {
    if (mode === 'passive') await this.#rpc('exchange.declare (passive)', () => this.channel.checkExchange(name))
    if (mode === undefined)
      await this.#rpc('exchange.declare', () => this.channel.assertExchange(name, type, { durable, autoDelete }))
  }

  async declareQueue({ name, durable, autoDelete, arguments: table, mode }: QueueDeclaration): Promise<QueueFacts> {
    if (mode === 'none') return NO_FACTS
    if (mode === 'passive') return await this.checkQueue(name)
    return await this.#rpc('queue.declare', () =>
      this.channel.assertQueue(name, { durable, autoDelete, arguments: encodeTable(table) }),
    )
  }

  async checkQueue(queue: string): Promise<QueueFacts> {
    return await this.#rpc('queue.declare (passive)', () => this.channel.checkQueue(queue))
  }

  async bindQueue(queue: string, exchange: string, key: string): Promise<void> {
    await this.#rpc('queue.bind', () => this.channel.bindQueue(queue, exchange, key, {}))
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#rpc('queue.delete', () => this.channel.deleteQueue(queue))
  }

  async prefetch(count: number): Promise<void> {
    await this.#rpc('basic.qos', () => this.channel.prefetch(count, false))
  }

  async consume(
    queue: string,
    { consumerTag, noAck, arguments: table }: ConsumeOptions,
    onDelivery: (delivery: ClientDelivery | null) => void,
  ): Promise<void> {
    await this.#rpc('basic.consume', () =>
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
    await this.#rpc('basic.cancel', () => this.channel.cancel(consumerTag))
  }

  async get(queue: string): Promise<ClientDelivery | null> {
    const message = await this.#rpc('basic.get', () => this.channel.get(queue, { noAck: false }))
    return message === false ? null : deliveryOf(message)
  }

  acknowledge(deliveryTag: number, multiple: boolean): boolean {
    if (this.ended) return false
    const watched = this.#watched.take(deliveryTag, multiple)
    if (watched !== undefined) {
      this.channel.ack(watched, multiple)
      return true
    }
    this.direct.acknowledge(deliveryTag, multiple)
    return true
  }

  reject(deliveryTag: number, requeue: boolean): boolean {
    if (this.ended) return false
    this.channel.reject(this.#watched.take(deliveryTag, false) ?? settleable(deliveryTag), requeue)
    return true
  }

  async close(): Promise<void> {
    if (!this.#isOver) {
      this.#end(undefined)
      this.#sayClose()
    }
    if (this.#isGone) return
    // Nobody waits longer for a farewell, whatever holds up the broker.
    const farewell = { ...this.#question('channel.close'), isHeldUp: () => false }
    await waitForAnswer(this.#gone.promise, farewell).catch(() => {
      if (this.connection.blockedReason === null) this.connection.noteUnansweredClose(this)
    })
  }

  protected get ended(): boolean {
    return this.#isOver || this.connection.isOver
  }

  /** `reason` undefined: it was closed on purpose. */
  #end(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#error = reason
    this.direct.release()
    const error = this.reason ?? new Error('Channel closed')
    this.#life.end(error)
    // amqplib tells them only when the broker has answered.
    const unconfirmed = this.channel.unconfirmed
    this.channel.unconfirmed = []
    for (const onConfirm of unconfirmed) if (typeof onConfirm === 'function') onConfirm(error)
    this.onClosed?.(reason)
  }

  #sayClose(): void {
    try {
      this.channel.closeBecause('Goodbye', 200)
    } catch {
      // Thrown only when the connection ended a moment ago, and the channel with it.
      this.#gone.resolve()
    }
  }

  #received(message: Message): ClientDelivery {
    this.#watched.note(message)
    return deliveryOf(message)
  }

  /** amqplib rejects what is pending with a text of its own when channel or connection end; the real reason is kept
   *  here. */
  async #rpc<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (this.ended) throw this.reason ?? new Error('Channel closed')
    return await this.#answer(what, ask())
  }

  async #answer<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      return await this.#life.race(waitForAnswer(answer, this.#question(what)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code !== undefined) {
        if (error.code === NO_ANSWER) this.abandon(error)
        throw error
      }
      throw this.reason ?? error
    }
  }

  /** The next answer would be taken for that of another question. */
  protected abandon(error: unknown): void {
    if (this.#isOver) return
    this.#end(error)
    this.#sayClose()
    void this.close()
    this.connection.noteNoAnswer()
  }

  #question(what: string) {
    return { what, ms: this.connection.answerTimeoutMs, isHeldUp: () => this.connection.blockedReason !== null }
  }
}

export class AmqplibConfirmChannel extends AmqplibChannel<ConfirmChannel> implements ClientConfirmChannel {
  onReturn: ((message: ReturnedMessage) => void) | undefined
  readonly #confirms: ConfirmWatch

  constructor(connection: ChannelOwner, channel: ConfirmChannel & ChannelInternals, direct: DirectConnection) {
    super(connection, channel, direct)
    this.#confirms = new ConfirmWatch(connection, channel, (error) => this.abandon(error))
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
      this.#confirms.expect()
      return true
    } catch (error) {
      // The channel ended a moment ago: nothing was sent, and another one will do. Anything else would meet every
      // channel.
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
    entries.map(([key, value]) => [key, typeof value === 'number' ? { '!': integerType(value), value } : value]),
  )
}

/** 32 bits as Python's library sends them, while they suffice: offsets of streams outgrow them. */
function integerType(value: number): 'int' | 'long' {
  return (value | 0) === value ? 'int' : 'long'
}

const NO_FACTS: QueueFacts = Object.freeze({ messageCount: 0, consumerCount: 0 })
