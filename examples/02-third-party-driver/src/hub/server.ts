import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Answer, readLines, type Request } from './protocol.ts'

interface Message {
  readonly body: string
  readonly expiresAt: number
  redelivered: boolean
}

interface Consumer {
  readonly as: string
  readonly socket: Socket
  readonly queues: readonly string[]
  readonly prefetch: number | null
  readonly unsettled: Map<number, { readonly queue: string; readonly message: Message }>
  isCancelled: boolean
}

interface QueueState {
  readonly waiting: Message[]
  readonly consumers: Consumer[]
  readonly isPrivate: boolean
}

/** Publish ids that are remembered, so that a repeated one is not stored twice. */
const REMEMBERED = 1_000

/** The broker: queues in memory, bound to keys, with competing consumers. `npm start` starts one; a real one would be a
 *  program of its own. */
export class Hub {
  readonly #queues = new Map<string, QueueState>()
  readonly #bindings = new Map<string, Set<string>>()
  readonly #consumers = new Set<Consumer>()
  readonly #sockets = new Set<Socket>()
  readonly #published = new Map<string, number>()
  readonly #server: Server
  #deliveries = 0

  private constructor() {
    this.#server = createServer((socket) => this.#welcome(socket))
  }

  /** Listens on loopback; port 0 takes a free one. */
  static async start(port = 0): Promise<Hub> {
    const hub = new Hub()
    hub.#server.listen(port, '127.0.0.1')
    await once(hub.#server, 'listening')
    return hub
  }

  get url(): string {
    return `hub://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Cuts every connection; queues stay. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    readLines(socket, (line) => {
      const request = JSON.parse(line) as Request
      this.#tell(socket, { id: request.id, taken: this.#handle(socket, request) })
    })
    // A reset says 'error' before 'close'; both mean that the client is gone.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      for (const consumer of this.#consumers) if (consumer.socket === socket) this.#cancel(consumer, true)
    })
  }

  #handle(socket: Socket, request: Request): number {
    switch (request.do) {
      case 'consume': {
        const { as, prefetch } = request
        // A client that was not sure asks again.
        for (const other of this.#consumers) if (other.socket === socket && other.as === as) return 0
        const queues = [...new Set(request.queues.map(({ name }) => name))]
        const consumer = { as, socket, queues, prefetch, unsettled: new Map(), isCancelled: false }
        this.#consumers.add(consumer)
        for (const { name, key, private: isPrivate = false } of request.queues) this.#bind(name, key, isPrivate)
        for (const name of queues) this.#queues.get(name)?.consumers.push(consumer)
        for (const name of queues) this.#deliver(name)
        return 0
      }
      case 'cancel':
        for (const consumer of this.#consumers)
          if (consumer.socket === socket && consumer.as === request.as) this.#cancel(consumer, request.release)
        return 0
      case 'publish':
        if (request.store) this.#bind(request.key, request.key, false)
        return this.#publish(request.id, request.key, request.body, request.expiresInMs ?? Infinity)
      default:
        for (const consumer of this.#consumers)
          if (consumer.socket === socket) this.#settle(consumer, request.delivery, request.do === 'requeue')
        return 0
    }
  }

  #bind(queue: string, key: string, isPrivate: boolean): void {
    if (!this.#queues.has(queue)) this.#queues.set(queue, { waiting: [], consumers: [], isPrivate })
    this.#bindings.set(key, (this.#bindings.get(key) ?? new Set()).add(queue))
  }

  #publish(id: string, key: string, body: string, expiresInMs: number): number {
    const before = this.#published.get(id)
    if (before !== undefined) return before
    const queues = [...(this.#bindings.get(key) ?? [])]
    this.#published.set(id, queues.length)
    if (this.#published.size > REMEMBERED)
      for (const oldest of this.#published.keys()) {
        this.#published.delete(oldest)
        break
      }
    for (const name of queues) {
      this.#queues.get(name)?.waiting.push({ body, expiresAt: Date.now() + expiresInMs, redelivered: false })
      this.#deliver(name)
    }
    return queues.length
  }

  /** Hands out what waits while a consumer has room; each consumer goes to the end of the line with each message. */
  #deliver(name: string): void {
    const queue = this.#queues.get(name)
    if (queue === undefined) return
    for (;;) {
      while (queue.waiting[0] !== undefined && queue.waiting[0].expiresAt <= Date.now()) queue.waiting.shift()
      const index = queue.consumers.findIndex(
        ({ unsettled, prefetch }) => prefetch === null || unsettled.size < prefetch,
      )
      const consumer = queue.consumers[index]
      if (consumer === undefined) return
      const message = queue.waiting.shift()
      if (message === undefined) return
      queue.consumers.push(...queue.consumers.splice(index, 1))
      const delivery = ++this.#deliveries
      if (consumer.prefetch !== null) consumer.unsettled.set(delivery, { queue: name, message })
      const { body, redelivered } = message
      this.#tell(consumer.socket, { as: consumer.as, delivery, redelivered, body })
    }
  }

  #settle(consumer: Consumer, delivery: number, isRequeued: boolean): void {
    const taken = consumer.unsettled.get(delivery)
    if (taken === undefined) return
    consumer.unsettled.delete(delivery)
    if (consumer.isCancelled && consumer.unsettled.size === 0) this.#consumers.delete(consumer)
    if (isRequeued) {
      taken.message.redelivered = true
      this.#queues.get(taken.queue)?.waiting.unshift(taken.message)
    }
    // There is room again, for whatever waits in any of its queues.
    for (const name of new Set([...consumer.queues, taken.queue])) this.#deliver(name)
  }

  #cancel(consumer: Consumer, isReleased: boolean): void {
    consumer.isCancelled = true
    for (const name of consumer.queues) {
      const queue = this.#queues.get(name)
      const at = queue?.consumers.indexOf(consumer) ?? -1
      if (at !== -1) queue?.consumers.splice(at, 1)
    }
    if (isReleased) {
      // All of it is put back before any of it is handed out again: else the last would be the first.
      const taken = [...consumer.unsettled.values()]
      consumer.unsettled.clear()
      for (const { queue, message } of taken.toReversed()) {
        message.redelivered = true
        this.#queues.get(queue)?.waiting.unshift(message)
      }
      for (const name of new Set(taken.map(({ queue }) => queue))) this.#deliver(name)
    }
    if (consumer.unsettled.size === 0) this.#consumers.delete(consumer)
    for (const name of consumer.queues) {
      const queue = this.#queues.get(name)
      if (queue === undefined || !queue.isPrivate || queue.consumers.length > 0) continue
      this.#queues.delete(name)
      for (const bound of this.#bindings.values()) bound.delete(name)
    }
  }

  #tell(socket: Socket, answer: Answer): void {
    if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`)
  }
}
