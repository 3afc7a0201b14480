import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  BODY,
  content,
  cutFrames,
  FieldReader,
  frame,
  HEADER,
  HEARTBEAT,
  long,
  method,
  type MethodName,
  nameOf,
  type ReceivedFrame,
  short,
  table,
  u16,
  u32,
  u64,
  u8,
} from './amqp-frames.ts'

/** One method a client sent, before it is answered. */
export interface ReceivedMethod {
  readonly name: MethodName
  readonly channel: number
  readonly connection: OddConnection
  /** What is declared, bound, consumed or published to, or the secret of a login; `''` for methods that name
   *  nothing. */
  readonly entity: string
  /** Answers as an honest broker would. */
  readonly answer: () => void
}

interface StoredMessage {
  readonly exchange: string
  readonly routingKey: string
  readonly properties: Buffer
  readonly body: Buffer
  redelivered: boolean
}

interface OddConsumer {
  readonly connection: OddConnection
  readonly channel: number
  readonly tag: string
  readonly queue: string
}

interface OddQueue {
  readonly messages: StoredMessage[]
  consumers: OddConsumer[]
}

interface OddChannel {
  isConfirming: boolean
  published: number
  delivered: number
  readonly unacknowledged: Map<number, { readonly message: StoredMessage; readonly queue: string }>
  publishing: { exchange: string; key: string; properties: Buffer; size: number; parts: Buffer[] } | undefined
}

/** A dumb AMQP 0-9-1 server over raw frames. It answers honestly until a test takes a method into its own hands, and
 *  sends any bytes at any moment. */
export class OddPeer {
  /** Asked about each method; `true`: the test has answered, or nobody is going to. */
  onMethod: (received: ReceivedMethod) => boolean | void = () => {}
  /** Does not close its side of a connection when the client closes its own. */
  keepsOpen = false
  readonly queues = new Map<string, OddQueue>()
  readonly exchanges = new Map<string, { readonly queue: string; readonly key: string }[]>()
  /** Every connection there was, in order. */
  readonly connections: OddConnection[] = []
  readonly #server: Server
  readonly #heart: ReturnType<typeof setInterval>

  private constructor(server: Server) {
    this.#server = server
    this.#heart = setInterval(() => {
      for (const connection of this.open) connection.beat()
    }, 200)
    server.on('connection', (socket) => this.connections.push(new OddConnection(this, socket)))
  }

  static async start(): Promise<OddPeer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const peer = new OddPeer(server)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return peer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `rabbit://guest:guest@127.0.0.1:${this.port}/`
  }

  /** Connections whose socket is open. */
  get open(): readonly OddConnection[] {
    return this.connections.filter(({ socket }) => !socket.destroyed)
  }

  /** Channels the clients hold open. */
  get openChannels(): number {
    return this.open.reduce((sum, { channels }) => sum + channels.size, 0)
  }

  consumersOf(queue: string): number {
    return this.queues.get(queue)?.consumers.length ?? 0
  }

  /** Puts a message into every queue that wants it; false when none does. */
  route(message: StoredMessage): boolean {
    const { exchange, routingKey } = message
    const names =
      exchange === ''
        ? [routingKey]
        : (this.exchanges.get(exchange) ?? [])
            .filter(({ key }) => key === routingKey || exchange.endsWith('_fanout'))
            .map(({ queue }) => queue)
    const queues = [...new Set(names)].filter((name) => this.queues.has(name))
    for (const name of queues) {
      this.queues.get(name)?.messages.push({ ...message })
      this.deliver(name)
    }
    return queues.length > 0
  }

  deliver(name: string): void {
    const queue = this.queues.get(name)
    if (queue === undefined) return
    while (queue.messages.length > 0) {
      const consumer = queue.consumers.shift()
      if (consumer === undefined) return
      queue.consumers.push(consumer)
      const message = queue.messages.shift()
      if (message !== undefined) consumer.connection.deliver(consumer, message)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#heart)
    for (const { socket } of this.open) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** One client, as the server sees it. */
export class OddConnection {
  readonly socket: Socket
  readonly channels = new Map<number, OddChannel>()
  readonly #peer: OddPeer
  #received: Buffer = Buffer.alloc(0)
  #greeted = false
  isTuned = false

  constructor(peer: OddPeer, socket: Socket) {
    this.#peer = peer
    this.socket = socket
    socket.setNoDelay()
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => {
      this.#forget()
      if (!peer.keepsOpen) socket.end()
    })
    socket.on('close', () => this.#forget())
  }

  /** A heartbeat, once the connection is tuned. */
  beat(): void {
    if (this.isTuned) this.send(frame(HEARTBEAT, 0, Buffer.alloc(0)))
  }

  /** Writes the bytes in one piece. */
  send(...bytes: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes))
  }

  deliver(consumer: OddConsumer, message: StoredMessage): void {
    const channel = this.channels.get(consumer.channel)
    if (channel === undefined) return
    channel.delivered += 1
    channel.unacknowledged.set(channel.delivered, { message, queue: consumer.queue })
    const { exchange, routingKey, properties, body, redelivered } = message
    this.send(
      method(
        consumer.channel,
        'basic.deliver',
        short(consumer.tag),
        u64(channel.delivered),
        u8(redelivered ? 1 : 0),
        short(exchange),
        short(routingKey),
      ),
      content(consumer.channel, properties, body),
    )
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    if (!this.#greeted) {
      if (this.#received.length < 8) return
      this.#greeted = true
      this.#received = this.#received.subarray(8)
      this.#ask('connection.start', 0, '', () => this.send(greeting()))
    }
    const { frames, rest } = cutFrames(this.#received)
    this.#received = rest
    for (const each of frames) this.#takeFrame(each)
  }

  #takeFrame(received: ReceivedFrame): void {
    const name = nameOf(received)
    if (name !== undefined) return this.#takeMethod(name, received)
    const { type, channel: number, payload } = received
    const channel = this.channels.get(number)
    const publishing = channel?.publishing
    if (channel === undefined || publishing === undefined) return
    if (type === HEADER) {
      publishing.size = new FieldReader(payload.subarray(4)).u64()
      publishing.properties = Buffer.from(payload.subarray(12))
    } else if (type === BODY) publishing.parts.push(Buffer.from(payload))
    if (publishing.parts.reduce((sum, { length }) => sum + length, 0) < publishing.size) return
    channel.publishing = undefined
    channel.published += 1
    const tag = channel.published
    this.#ask('basic.publish', number, publishing.exchange || publishing.key, () => {
      const { exchange, key, properties, parts } = publishing
      this.#peer.route({ exchange, routingKey: key, properties, body: Buffer.concat(parts), redelivered: false })
      if (channel.isConfirming) this.send(method(number, 'basic.ack', u64(tag), u8(0)))
    })
  }

  #ask(name: MethodName, channel: number, entity: string, act: () => void): void {
    const asked = this.channels.get(channel)
    // Whatever a broker still has to do for a channel ends with it. A consumer that came to be afterwards would swallow
    // what is delivered to it.
    const answer = (): void => {
      if (this.channels.get(channel) === asked) act()
    }
    if (this.#peer.onMethod({ name, channel, entity, connection: this, answer }) !== true) answer()
  }

  #takeMethod(name: MethodName, { channel: number, payload }: ReceivedFrame): void {
    const fields = new FieldReader(payload.subarray(4))
    const channel = this.channels.get(number)
    // Like a broker, it ignores what a client sends before it hears that its channel was closed.
    if (channel === undefined && number !== 0 && !OPENING_OR_CLOSING.has(name)) return
    const say = (answer: MethodName, ...parts: readonly Uint8Array[]): void =>
      this.send(method(number, answer, ...parts))
    switch (name) {
      case 'connection.start-ok': {
        // Properties of the client and the mechanism come before the response.
        fields.long()
        fields.short()
        return this.#ask(name, number, fields.long(), () => say('connection.tune', u16(2047), u32(131_072), u16(60)))
      }
      case 'connection.tune-ok':
        this.isTuned = true
        return
      case 'connection.open':
        return this.#ask(name, number, fields.short(), () => say('connection.open-ok', short('')))
      case 'connection.close':
        return this.#ask(name, number, '', () => {
          say('connection.close-ok')
          this.socket.end()
        })
      case 'connection.update-secret':
        return this.#ask(name, number, fields.long(), () => say('connection.update-secret-ok'))
      case 'channel.open': {
        this.channels.set(number, newChannel())
        return this.#ask(name, number, '', () => say('channel.open-ok', long('')))
      }
      case 'channel.close':
        this.#forgetChannel(number)
        return this.#ask(name, number, '', () => say('channel.close-ok'))
      case 'channel.close-ok':
        return this.#forgetChannel(number)
      case 'confirm.select':
        if (channel !== undefined) channel.isConfirming = true
        return this.#ask(name, number, '', () => say('confirm.select-ok'))
      case 'exchange.declare': {
        fields.u16()
        const exchange = fields.short()
        return this.#ask(name, number, exchange, () => {
          if (!this.#peer.exchanges.has(exchange)) this.#peer.exchanges.set(exchange, [])
          say('exchange.declare-ok')
        })
      }
      case 'queue.declare': {
        fields.u16()
        const queue = fields.short()
        const isPassive = (fields.u8() & 1) === 1
        return this.#ask(name, number, queue, () => {
          if (!this.#peer.queues.has(queue)) {
            if (isPassive) return this.closeChannel(number, 404, `NOT_FOUND - no queue '${queue}' in vhost '/'`)
            this.#peer.queues.set(queue, { messages: [], consumers: [] })
          }
          const { messages, consumers } = this.#peer.queues.get(queue) ?? newQueue()
          say('queue.declare-ok', short(queue), u32(messages.length), u32(consumers.length))
        })
      }
      case 'queue.bind': {
        fields.u16()
        const [queue, exchange, key] = [fields.short(), fields.short(), fields.short()]
        return this.#ask(name, number, queue, () => {
          this.#peer.exchanges.get(exchange)?.push({ queue, key })
          say('queue.bind-ok')
        })
      }
      case 'queue.delete': {
        fields.u16()
        const queue = fields.short()
        return this.#ask(name, number, queue, () => {
          this.#peer.queues.delete(queue)
          say('queue.delete-ok', u32(0))
        })
      }
      case 'basic.qos':
        return this.#ask(name, number, '', () => say('basic.qos-ok'))
      case 'basic.consume': {
        fields.u16()
        const [queue, tag] = [fields.short(), fields.short()]
        return this.#ask(name, number, queue, () => {
          say('basic.consume-ok', short(tag))
          this.#peer.queues.get(queue)?.consumers.push({ connection: this, channel: number, tag, queue })
          this.#peer.deliver(queue)
        })
      }
      case 'basic.cancel': {
        const tag = fields.short()
        return this.#ask(name, number, tag, () => {
          for (const queue of this.#peer.queues.values())
            queue.consumers = queue.consumers.filter(
              (each) => each.connection !== this || each.channel !== number || each.tag !== tag,
            )
          say('basic.cancel-ok', short(tag))
        })
      }
      case 'basic.get':
        return this.#ask(name, number, '', () => say('basic.get-empty', short('')))
      case 'basic.publish': {
        fields.u16()
        const [exchange, key] = [fields.short(), fields.short()]
        if (channel !== undefined)
          channel.publishing = { exchange, key, properties: Buffer.alloc(2), size: Infinity, parts: [] }
        return
      }
      case 'basic.ack':
      case 'basic.reject':
      case 'basic.nack': {
        const [tag, flag] = [fields.u64(), fields.u8()]
        return this.#ask(name, number, '', () => {
          if (channel !== undefined) this.#settle(channel, name, tag, flag)
        })
      }
      default:
        return this.#ask(name, number, '', () => {})
    }
  }

  #settle(channel: OddChannel, name: MethodName, tag: number, flag: number): void {
    const isMultiple = name !== 'basic.reject' && (flag & 1) === 1
    const isBack = name === 'basic.reject' ? flag === 1 : name === 'basic.nack' && (flag & 2) === 2
    for (const [each, { message, queue }] of channel.unacknowledged) {
      if (isMultiple ? each > tag : each !== tag) continue
      channel.unacknowledged.delete(each)
      if (isBack) this.#giveBack(queue, message)
    }
  }

  /** Sends `channel.close`, and forgets the channel. */
  closeChannel(number: number, code: number, text: string): void {
    this.send(method(number, 'channel.close', u16(code), short(text), u16(0), u16(0)))
    this.#forgetChannel(number)
  }

  /** `connection.close` as bytes, to go with others. */
  static closing(code: number, text: string): Buffer {
    return method(0, 'connection.close', u16(code), short(text), u16(0), u16(0))
  }

  #giveBack(name: string, message: StoredMessage): void {
    this.#peer.queues.get(name)?.messages.unshift({ ...message, redelivered: true })
    this.#peer.deliver(name)
  }

  #forgetChannel(number: number): void {
    const channel = this.channels.get(number)
    if (channel === undefined) return
    this.channels.delete(number)
    for (const queue of this.#peer.queues.values())
      queue.consumers = queue.consumers.filter((each) => each.connection !== this || each.channel !== number)
    for (const { message, queue } of [...channel.unacknowledged.values()].reverse()) this.#giveBack(queue, message)
  }

  #forget(): void {
    for (const number of this.channels.keys()) this.#forgetChannel(number)
  }
}

/** What is heard on a channel that is not open. */
const OPENING_OR_CLOSING: ReadonlySet<MethodName> = new Set(['channel.open', 'channel.close', 'channel.close-ok'])

function newChannel(): OddChannel {
  return { isConfirming: false, published: 0, delivered: 0, unacknowledged: new Map(), publishing: undefined }
}

function newQueue(): OddQueue {
  return { messages: [], consumers: [] }
}

function greeting(): Buffer {
  const properties = table({ product: 'odd peer', version: '3.10.8' })
  return method(0, 'connection.start', u8(0), u8(9), properties, long('PLAIN AMQPLAIN EXTERNAL'), long('en_US'))
}
