import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { TransportURL } from '../url/transport-url.ts'
import { systemClock } from '../util/clock.ts'
import { DONE } from '../util/promise.ts'
import type { MessageKind } from './memory-hooks.ts'
import { MemoryQueue, type StoredMessage } from './memory-queue.ts'

/** Deliveries made within one turn of the event loop before timers and sockets get theirs. */
const BURST = 1000

interface Exchange {
  /** Topic, or `topic.server`, to the queue its servers share. */
  readonly requests: Map<string, MemoryQueue>
  /** Topic to one queue per listening server. */
  readonly fanouts: Map<string, Set<MemoryQueue>>
  /** `topic.priority` to the unpooled queue and those of the pools. */
  readonly notifications: Map<string, Map<string | null, MemoryQueue>>
  readonly deadLetters: Map<MemoryQueue, StoredMessage[]>
}

/** One virtual host of the in-process broker: exchanges, queues and what lies in them. It lives as long as the process,
 *  like a broker that nobody restarts. */
export class MemoryBroker {
  readonly name: string
  readonly #exchanges = new Map<string, Exchange>()
  #ready: MemoryQueue[] = []
  #scheduled = false
  #burst = 0
  #lastId = 0

  constructor(name: string) {
    this.name = name
  }

  /** An id for a message, unique in this broker. */
  nextId(): string {
    this.#lastId += 1
    return `memory-${this.#lastId}`
  }

  /** The queue that servers of `topic`, or the one server named by `topic.server`, consume. Made when missing; it stays
   *  when they go. */
  requestQueue(exchange: string, routingKey: string, maxLength: number): MemoryQueue {
    const { requests } = this.#exchange(exchange)
    let queue = requests.get(routingKey)
    if (queue === undefined) {
      queue = this.#createQueue(routingKey, maxLength)
      requests.set(routingKey, queue)
    }
    return queue
  }

  /** A queue of one server for requests to every server of the topic. It goes with `removeFanoutQueue`. */
  addFanoutQueue(exchange: string, topic: string, maxLength: number): MemoryQueue {
    const { fanouts } = this.#exchange(exchange)
    const queue = this.#createQueue(`${topic}_fanout`, maxLength)
    const queues = fanouts.get(topic)
    if (queues === undefined) fanouts.set(topic, new Set([queue]))
    else queues.add(queue)
    return queue
  }

  removeFanoutQueue(exchange: string, topic: string, queue: MemoryQueue): void {
    const { fanouts } = this.#exchange(exchange)
    const queues = fanouts.get(topic)
    queues?.delete(queue)
    if (queues?.size === 0) fanouts.delete(topic)
  }

  /** The queue of a pool, or the unpooled one (null), for `topic.priority`. Made when missing; it stays. */
  notificationQueue(exchange: string, routingKey: string, pool: string | null, maxLength: number): MemoryQueue {
    const { notifications } = this.#exchange(exchange)
    let queues = notifications.get(routingKey)
    if (queues === undefined) {
      queues = new Map()
      notifications.set(routingKey, queues)
    }
    let queue = queues.get(pool)
    if (queue === undefined) {
      queue = this.#createQueue(pool === null ? routingKey : `${pool}:${routingKey}`, maxLength)
      queues.set(pool, queue)
    }
    return queue
  }

  /** Takes a pool out of every exchange. False: there is none. */
  removePool(pool: string): boolean {
    const places = [...this.#exchanges.values()].flatMap(({ notifications }) => [...notifications.values()])
    return places.filter((queues) => queues.delete(pool)).length > 0
  }

  /** Queues a request to one of the servers reaches: one or none. */
  findRequestQueue(exchange: string, routingKey: string): MemoryQueue | undefined {
    return this.#exchanges.get(exchange)?.requests.get(routingKey)
  }

  /** Queues a request to all servers reaches. */
  findFanoutQueues(exchange: string, topic: string): readonly MemoryQueue[] {
    return [...(this.#exchanges.get(exchange)?.fanouts.get(topic) ?? [])]
  }

  /** Queues a notification reaches: that of the unpooled listeners, which is made here so that it is kept until they
   *  come, and those of the pools. */
  findNotificationQueues(exchange: string, routingKey: string, maxLength: number): readonly MemoryQueue[] {
    this.notificationQueue(exchange, routingKey, null, maxLength)
    return [...this.#exchange(exchange).notifications.get(routingKey)!.values()]
  }

  /** Keeps a copy of a notification with the dead letters of its queue. */
  bury(exchange: string, from: MemoryQueue, letter: StoredMessage): void {
    const { deadLetters } = this.#exchange(exchange)
    const letters = deadLetters.get(from) ?? []
    deadLetters.set(from, letters)
    letters.push(letter)
  }

  /** Every queue that has dead letters, and the letters, oldest first. The lists are the broker's own: taking a letter
   *  out is done there. */
  deadLetters(): readonly { readonly queue: MemoryQueue; readonly letters: StoredMessage[] }[] {
    return [...this.#exchanges.values()].flatMap(({ deadLetters }) =>
      [...deadLetters].map(([queue, letters]) => ({ queue, letters })),
    )
  }

  /** Puts text that no driver has written where listeners of the place get it, for tests of what cannot be read.
   *  `routingKey`: `topic` or `topic.server` of a request, `topic.priority` of a notification. */
  publishText(place: {
    readonly kind: MessageKind
    readonly exchange: string
    readonly routingKey: string
    readonly text: string
  }): void {
    const { kind, exchange, routingKey, text } = place
    const message: StoredMessage = {
      text,
      headers: undefined,
      uniqueId: this.nextId(),
      expiresAt: Infinity,
      clock: systemClock,
      replyTo: null,
      callMonitorTimeout: null,
      orderingKey: undefined,
    }
    const queues =
      kind === 'request'
        ? [this.requestQueue(exchange, routingKey, Infinity)]
        : this.findNotificationQueues(exchange, routingKey, Infinity)
    for (const queue of queues) queue.push(message)
  }

  #exchange(name: string): Exchange {
    let exchange = this.#exchanges.get(name)
    if (exchange === undefined) {
      exchange = { requests: new Map(), fanouts: new Map(), notifications: new Map(), deadLetters: new Map() }
      this.#exchanges.set(name, exchange)
    }
    return exchange
  }

  #createQueue(name: string, maxLength: number): MemoryQueue {
    return new MemoryQueue(name, { maxLength, onReady: this.#schedule, onExpired: reportExpired })
  }

  // Deliveries are made in a microtask of their own, never inside the sender's call, and after a burst of them in the
  // next turn of the event loop, so that handlers which send again cannot keep timers and sockets waiting for ever.
  readonly #schedule = (queue: MemoryQueue): void => {
    if (queue.scheduled) return
    queue.scheduled = true
    this.#ready.push(queue)
    if (this.#scheduled) return
    this.#scheduled = true
    // Not `queueMicrotask`, which makes an object and enters a scope each time: this is on the way of every message.
    if (this.#burst < BURST) void DONE.then(this.#deliverReady)
    else {
      this.#burst = 0
      setImmediate(this.#deliverReady)
    }
  }

  readonly #deliverReady = (): void => {
    this.#scheduled = false
    const ready = this.#ready
    this.#ready = []
    for (const queue of ready) {
      queue.scheduled = false
      this.#burst += queue.deliver()
    }
  }
}

function reportExpired(queue: MemoryQueue, message: StoredMessage): void {
  emitDiagnostic('oslo-messaging:message-dropped', () => ({
    driver: 'memory',
    source: queue.name,
    reason: 'expired',
    uniqueId: message.uniqueId,
  }))
}

const brokers = new Map<string, MemoryBroker>()

/** The broker of a URL: transports of one process whose URLs name the same hosts and the same virtual host share it,
 *  whatever the scheme. */
export function brokerOf(url: TransportURL): MemoryBroker {
  const hosts = url.hosts.map(({ hostname, port }) => `${hostname ?? ''}${port === null ? '' : `:${port}`}`)
  const name = `${hosts.join(',')}/${url.virtualHost ?? ''}`
  let broker = brokers.get(name)
  if (broker === undefined) {
    broker = new MemoryBroker(name)
    brokers.set(name, broker)
  }
  return broker
}
