import type { MessageContext } from '../driver/messages.ts'
import type { Clock } from '../util/clock.ts'
import { Fifo } from '../util/fifo.ts'

/** A message as the broker keeps it: text, so that sender and receiver never share an object. */
export interface StoredMessage {
  readonly text: string
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly uniqueId: string
  /** When it stops being worth delivering, on the `now` of `clock`; Infinity: never. */
  readonly expiresAt: number
  readonly clock: Clock
  /** Where the reply goes; null for casts and notifications. */
  readonly replyTo: ReplyAddress | null
  readonly callMonitorTimeout: number | null
  /** Notifications of one key are handled in order; undefined: no order is asked for. */
  readonly orderingKey: string | undefined
}

/** What `StoredMessage.text` holds. */
export interface StoredBody {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
}

/** The way back to one waiting call. */
export interface ReplyAddress {
  /** Takes the reply: the JSON text of a result, or a failure. */
  receive(id: string, resultText: string | null, failure: string | null): void
  /** False when nobody waits any more. */
  heartbeat(id: string): boolean
  /** For reports. */
  readonly name: string
}

/** One message in one queue. */
export interface QueueEntry {
  readonly message: StoredMessage
  /** Its place: entries that come back return to it. */
  readonly position: number
  /** Deliveries so far. */
  deliveries: number
}

/** Whoever takes messages from a queue. */
export interface QueueConsumer {
  /** It may be given one more message now. */
  readonly hasRoom: boolean
  take(queue: MemoryQueue, entry: QueueEntry): void
}

/** A first in, first out queue with competing consumers. It delivers only when its broker tells it to (`deliver`). */
export class MemoryQueue {
  readonly name: string
  /** Set while the broker has it on its list of queues to look at. */
  scheduled = false
  readonly #maxLength: number
  readonly #onReady: (queue: MemoryQueue) => void
  readonly #onExpired: (queue: MemoryQueue, message: StoredMessage) => void
  readonly #entries = new Fifo<QueueEntry>()
  #nextPosition = 0
  #consumers: QueueConsumer[] = []
  #turn = 0
  readonly #waitingForRoom = new Set<() => void>()

  constructor(
    name: string,
    options: {
      readonly maxLength: number
      readonly onReady: (queue: MemoryQueue) => void
      readonly onExpired: (queue: MemoryQueue, message: StoredMessage) => void
    },
  ) {
    this.name = name
    this.#maxLength = options.maxLength
    this.#onReady = options.onReady
    this.#onExpired = options.onExpired
  }

  /** Messages that wait to be delivered. */
  get length(): number {
    return this.#entries.length
  }

  get consumers(): number {
    return this.#consumers.length
  }

  /** One more message fits. */
  get hasRoom(): boolean {
    return this.length < this.#maxLength
  }

  /** No message may be added now, because it does not fit or because others wait to add theirs; whoever wants to uses
   *  `whenRoom`. */
  get isFull(): boolean {
    return !this.hasRoom || this.#waitingForRoom.size > 0
  }

  push(message: StoredMessage): void {
    // As in a real broker, what is too old goes when it reaches the head, so that a queue nobody reads does not keep
    // it.
    this.#dropExpired()
    this.#entries.push({ message, position: this.#nextPosition, deliveries: 0 })
    this.#nextPosition += 1
    if (this.#consumers.length > 0) this.#onReady(this)
  }

  /** Puts a delivered entry back where it was: before everything that came after it. */
  putBack(entry: QueueEntry): void {
    this.#entries.insert(entry, (other) => other.position > entry.position)
    if (this.#consumers.length > 0) this.#onReady(this)
  }

  /** Calls `admit` once as soon as a message may be added, first come, first served; the returned function calls that
   *  off. */
  whenRoom(admit: () => void): () => void {
    this.#waitingForRoom.add(admit)
    return () => this.#waitingForRoom.delete(admit)
  }

  addConsumer(consumer: QueueConsumer): void {
    this.#consumers.push(consumer)
    if (this.length > 0) this.#onReady(this)
  }

  removeConsumer(consumer: QueueConsumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
  }

  /** Something may have changed for a consumer: look again soon. */
  wake(): void {
    if (this.length > 0) this.#onReady(this)
  }

  /** Hands messages to the consumers in turn, as many as they have room for. What is added meanwhile waits for the next
   *  round. Returns how many it were. */
  deliver(): number {
    const { length } = this
    let delivered = 0
    while (delivered < length) {
      this.#dropExpired()
      if (this.length === 0) break
      const consumer = this.#nextConsumer()
      const entry = consumer && this.#shift()
      if (consumer === undefined || entry === undefined) break
      delivered += 1
      consumer.take(this, entry)
    }
    return delivered
  }

  #nextConsumer(): QueueConsumer | undefined {
    const consumers = this.#consumers
    for (let tried = 0; tried < consumers.length; tried += 1) {
      this.#turn = (this.#turn + 1) % consumers.length
      const consumer = consumers[this.#turn]!
      if (consumer.hasRoom) return consumer
    }
    return undefined
  }

  #dropExpired(): void {
    for (let oldest = this.#entries.first; oldest !== undefined; oldest = this.#entries.first) {
      const { message } = oldest
      if (message.expiresAt === Infinity || message.clock.now() < message.expiresAt) return
      this.#shift()
      this.#onExpired(this, message)
    }
  }

  #shift(): QueueEntry | undefined {
    const entry = this.#entries.shift()
    for (const admit of this.#waitingForRoom) {
      if (!this.hasRoom) break
      this.#waitingForRoom.delete(admit)
      admit()
    }
    return entry
  }
}
