import type {
  ClientChannel,
  ClientConfirmChannel,
  ClientConnection,
  ClientDelivery,
  ConnectOptions,
  ConsumeOptions,
  ExchangeDeclaration,
  MessageProperties,
  OutgoingPublish,
  QueueDeclaration,
  QueueFacts,
  RabbitClient,
  ReturnedMessage,
} from '../../src/client/client.ts'

/** One AMQP method as the driver sent it. */
export interface Frame {
  readonly connection: number
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
}

interface StoredMessage {
  readonly exchange: string
  readonly routingKey: string
  readonly properties: MessageProperties
  readonly body: Buffer
  redelivered: boolean
}

interface FakeQueue {
  readonly declaration: QueueDeclaration
  readonly messages: StoredMessage[]
  /** Messages it says it holds; absent: those that wait. A stream keeps what it has delivered. */
  stored?: number
  consumers: FakeConsumer[]
}

interface FakeConsumer {
  readonly tag: string
  readonly channel: FakeChannel
  readonly queue: string
  readonly onDelivery: (delivery: ClientDelivery | null) => void
}

/** An AMQP error as amqplib reports one. */
export function amqpError(code: number, text: string): Error {
  return Object.assign(new Error(`Operation failed: Method; ${code} (NAME) with message "${text}"`), { code })
}

/** RabbitMQ as far as the driver can tell, in memory, with levers to break it. It stands where amqplib stands. */
export class FakeBroker implements RabbitClient {
  readonly frames: Frame[] = []
  readonly exchanges = new Map<string, ExchangeDeclaration>()
  readonly queues = new Map<string, FakeQueue>()
  readonly bindings: { readonly exchange: string; readonly queue: string; readonly key: string }[] = []
  readonly connections: FakeConnection[] = []
  readonly attempts: ConnectOptions[] = []
  /** Called before each method is carried out; what it throws closes the channel. */
  onMethod: (method: string, args: Readonly<Record<string, unknown>>) => void = () => {}
  /** Called for each attempt to connect; what it throws is the failure. */
  onConnect: (options: ConnectOptions) => void | Promise<void> = () => {}
  /** Confirms are held back while this is true. */
  holdConfirms = false
  /** Confirms become nacks, all or those of one exchange. */
  nack: boolean | string = false

  async connect(options: ConnectOptions): Promise<ClientConnection> {
    this.attempts.push(options)
    await this.onConnect(options)
    const connection = new FakeConnection(this, this.connections.length)
    this.connections.push(connection)
    return connection
  }

  get open(): readonly FakeConnection[] {
    return this.connections.filter(({ isOpen }) => isOpen)
  }

  /** Frames of the given methods, in order. */
  sent(...methods: readonly string[]): readonly Frame[] {
    return methods.length === 0 ? this.frames : this.frames.filter(({ method }) => methods.includes(method))
  }

  /** What a peer would publish. */
  publish(
    exchange: string,
    routingKey: string,
    body: string | Uint8Array,
    properties: MessageProperties = JSON_MESSAGE,
  ): void {
    this.route({ exchange, routingKey, properties, body: Buffer.from(body), redelivered: false })
  }

  /** Delivers to every queue that wants it; false when none does. */
  route(message: StoredMessage): boolean {
    const names =
      message.exchange === ''
        ? [message.routingKey]
        : this.bindings
            .filter(
              ({ exchange, key }) =>
                exchange === message.exchange &&
                (this.exchanges.get(exchange)?.type === 'fanout' || key === message.routingKey),
            )
            .map(({ queue }) => queue)
    const queues = [...new Set(names)].map((name) => this.queues.get(name)).filter((queue) => queue !== undefined)
    for (const queue of queues) queue.messages.push({ ...message })
    for (const queue of queues) this.drain(queue)
    return queues.length > 0
  }

  drain(queue: FakeQueue): void {
    while (queue.consumers.length > 0) {
      const message = queue.messages.shift()
      const consumer = queue.consumers.shift()
      if (message === undefined || consumer === undefined) {
        if (consumer !== undefined) queue.consumers.unshift(consumer)
        return
      }
      queue.consumers.push(consumer)
      consumer.channel.deliver(consumer, message)
    }
  }

  /** Deletes a queue under its consumers, who are told. */
  deleteQueue(name: string): void {
    const queue = this.queues.get(name)
    this.queues.delete(name)
    for (const consumer of queue?.consumers ?? []) consumer.onDelivery(null)
  }

  /** Takes the consumers of a queue away without a word. */
  deafen(name: string): void {
    const queue = this.queues.get(name)
    if (queue !== undefined) queue.consumers = []
  }

  settleHeld(): void {
    this.holdConfirms = false
    for (const { channels } of this.connections) for (const channel of channels) channel.settleHeld()
  }
}

const JSON_MESSAGE: MessageProperties = { contentType: 'application/json', contentEncoding: 'utf-8' }

export class FakeConnection implements ClientConnection {
  readonly brokerVersion = '3.10.8'
  bytesReceived = 0
  readonly blockedReason = null
  onClosed: ((reason: unknown) => void) | undefined
  onBlocked: ((reason: string | null) => void) | undefined
  readonly channels: FakeChannel[] = []
  readonly broker: FakeBroker
  readonly index: number
  isOpen = true

  constructor(broker: FakeBroker, index: number) {
    this.broker = broker
    this.index = index
  }

  async openChannel(): Promise<ClientChannel> {
    return this.#open()
  }

  async openConfirmChannel(): Promise<ClientConfirmChannel> {
    this.broker.frames.push({ connection: this.index, method: 'confirm.select', args: {} })
    return this.#open()
  }

  async updateSecret(secret: string): Promise<void> {
    this.broker.frames.push({ connection: this.index, method: 'connection.update-secret', args: { secret } })
  }

  async close(): Promise<void> {
    this.#end(undefined)
  }

  destroy(reason: Error): void {
    this.drop(reason)
  }

  /** The connection breaks. */
  drop(reason: unknown = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })): void {
    if (!this.isOpen) return
    this.#end(reason)
    this.onClosed?.(reason)
  }

  #end(reason: unknown): void {
    this.isOpen = false
    for (const channel of this.channels) channel.end(reason)
  }

  #open(): FakeChannel {
    if (!this.isOpen) throw new Error('Connection closed')
    const channel = new FakeChannel(this)
    this.channels.push(channel)
    return channel
  }
}

export class FakeChannel implements ClientConfirmChannel {
  onClosed: ((reason: unknown) => void) | undefined
  onReturn: ((message: ReturnedMessage) => void) | undefined
  readonly reason = undefined
  readonly #connection: FakeConnection
  readonly #unacked = new Map<number, { readonly message: StoredMessage; readonly queue: string }>()
  readonly #consumers = new Map<string, FakeConsumer>()
  #held: (() => void)[] = []
  #unconfirmed = new Set<(error: unknown) => void>()
  #nextTag = 1
  isOpen = true

  constructor(connection: FakeConnection) {
    this.#connection = connection
  }

  get #broker(): FakeBroker {
    return this.#connection.broker
  }

  async declareExchange({ name, type, durable, autoDelete }: ExchangeDeclaration): Promise<void> {
    this.#method('exchange.declare', { exchange: name, type, durable, auto_delete: autoDelete })
    this.#broker.exchanges.set(name, { name, type, durable, autoDelete })
  }

  async declareQueue(declaration: QueueDeclaration): Promise<QueueFacts> {
    const { name, durable, autoDelete } = declaration
    const args = { queue: name, durable, auto_delete: autoDelete, arguments: declaration.arguments }
    this.#method('queue.declare', args)
    const queue: FakeQueue = this.#broker.queues.get(name) ?? { declaration, messages: [], consumers: [] }
    this.#broker.queues.set(name, queue)
    return { messageCount: queue.messages.length, consumerCount: queue.consumers.length }
  }

  async checkQueue(name: string): Promise<QueueFacts> {
    this.#method('queue.check', { queue: name })
    const queue = this.#broker.queues.get(name)
    if (queue === undefined) throw this.#fail(amqpError(404, `NOT_FOUND - no queue '${name}' in vhost '/'`))
    return { messageCount: queue.stored ?? queue.messages.length, consumerCount: queue.consumers.length }
  }

  async bindQueue(queue: string, exchange: string, key: string): Promise<void> {
    this.#method('queue.bind', { queue, exchange, routing_key: key })
    this.#broker.bindings.push({ exchange, queue, key })
  }

  async deleteQueue(queue: string): Promise<void> {
    this.#method('queue.delete', { queue })
    this.#broker.deleteQueue(queue)
  }

  async prefetch(count: number): Promise<void> {
    this.#method('basic.qos', { prefetch_count: count })
  }

  async consume(
    queue: string,
    { consumerTag, noAck, arguments: table }: ConsumeOptions,
    onDelivery: (delivery: ClientDelivery | null) => void,
  ): Promise<void> {
    this.#method('basic.consume', { queue, consumer_tag: consumerTag, no_ack: noAck, arguments: table })
    const found = this.#broker.queues.get(queue)
    if (found === undefined) throw this.#fail(amqpError(404, `NOT_FOUND - no queue '${queue}' in vhost '/'`))
    const consumer = { tag: consumerTag, channel: this, queue, onDelivery }
    this.#consumers.set(consumerTag, consumer)
    found.consumers.push(consumer)
    setImmediate(() => this.#broker.drain(found))
  }

  async cancel(consumerTag: string): Promise<void> {
    this.#method('basic.cancel', { consumer_tag: consumerTag })
    const consumer = this.#consumers.get(consumerTag)
    if (consumer !== undefined) this.#remove(consumer)
  }

  async get(queue: string): Promise<ClientDelivery | null> {
    this.#method('basic.get', { queue })
    const message = this.#broker.queues.get(queue)?.messages.shift()
    return message === undefined ? null : this.#hand(message, queue)
  }

  acknowledge(deliveryTag: number, multiple: boolean): boolean {
    if (!this.isOpen) return false
    this.#record('basic.ack', { delivery_tag: deliveryTag, multiple })
    for (const tag of this.#unacked.keys())
      if (tag === deliveryTag || (multiple && tag < deliveryTag)) this.#unacked.delete(tag)
    return true
  }

  reject(deliveryTag: number, requeue: boolean): boolean {
    if (!this.isOpen) return false
    this.#record('basic.reject', { delivery_tag: deliveryTag, requeue })
    const entry = this.#unacked.get(deliveryTag)
    this.#unacked.delete(deliveryTag)
    if (entry !== undefined && requeue) this.#requeue(entry)
    return true
  }

  async close(): Promise<void> {
    this.end(undefined)
  }

  publish(message: OutgoingPublish, onConfirm: (error: unknown) => void): boolean {
    if (!this.isOpen) return false
    const { exchange, routingKey, mandatory, expiration, headers, body } = message
    const long = Object.keys(headers).find((name) => Buffer.byteLength(name) > 255)
    if (long !== undefined) throw new TypeError(`${long} is no short string`)
    const properties = {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers,
      deliveryMode: 2,
      priority: 0,
      ...(expiration === undefined ? {} : { expiration }),
    }
    this.#record('basic.publish', {
      exchange,
      routing_key: routingKey,
      mandatory,
      properties,
      body: body.toString('utf8'),
      bytes: body,
    })
    this.#unconfirmed.add(onConfirm)
    setImmediate(() => this.#take(message, properties, onConfirm))
    return true
  }

  get unacked(): number {
    return this.#unacked.size
  }

  deliver(consumer: FakeConsumer, message: StoredMessage): void {
    consumer.onDelivery(this.#hand(message, consumer.queue))
  }

  #hand(message: StoredMessage, queue: string): ClientDelivery {
    const { exchange, routingKey, properties, body, redelivered } = message
    const deliveryTag = this.#nextTag
    this.#nextTag += 1
    this.#unacked.set(deliveryTag, { message, queue })
    return { deliveryTag, redelivered, exchange, routingKey, properties, body }
  }

  settleHeld(): void {
    const held = this.#held
    this.#held = []
    for (const settle of held) settle()
  }

  /** The channel is over; `reason` undefined when the driver closed it. */
  end(reason: unknown): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const consumer of this.#consumers.values()) this.#remove(consumer)
    for (const entry of this.#unacked.values()) this.#requeue(entry)
    this.#unacked.clear()
    const unconfirmed = this.#unconfirmed
    this.#unconfirmed = new Set()
    for (const onConfirm of unconfirmed) onConfirm(reason ?? new Error('channel closed'))
    this.onClosed?.(reason)
  }

  #take(message: OutgoingPublish, properties: MessageProperties, onConfirm: (error: unknown) => void): void {
    if (!this.isOpen) return
    const { exchange, routingKey, body, mandatory } = message
    if (exchange !== '' && !this.#broker.exchanges.has(exchange)) {
      this.#fail(amqpError(404, `NOT_FOUND - no exchange '${exchange}' in vhost '/'`))
      return
    }
    const nack = this.#broker.nack === true || this.#broker.nack === exchange
    const routed = nack || this.#broker.route({ exchange, routingKey, properties, body, redelivered: false })
    if (!routed && mandatory) this.onReturn?.({ replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey, body })
    const settle = (): void => {
      if (this.#unconfirmed.delete(onConfirm)) onConfirm(nack ? new Error('message nacked') : null)
    }
    if (this.#broker.holdConfirms) this.#held.push(settle)
    else settle()
  }

  #requeue({ message, queue }: { readonly message: StoredMessage; readonly queue: string }): void {
    const found = this.#broker.queues.get(queue)
    if (found === undefined) return
    found.messages.unshift({ ...message, redelivered: true })
    setImmediate(() => this.#broker.drain(found))
  }

  #remove(consumer: FakeConsumer): void {
    this.#consumers.delete(consumer.tag)
    const queue = this.#broker.queues.get(consumer.queue)
    if (queue !== undefined) queue.consumers = queue.consumers.filter((other) => other !== consumer)
  }

  #record(method: string, args: Readonly<Record<string, unknown>>): void {
    this.#broker.frames.push({ connection: this.#connection.index, method, args })
  }

  #method(method: string, args: Readonly<Record<string, unknown>>): void {
    if (!this.isOpen) throw new Error('Channel closed')
    this.#record(method, args)
    try {
      this.#broker.onMethod(method, args)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  #fail(error: unknown): unknown {
    this.end(error)
    return error
  }
}
