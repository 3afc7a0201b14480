import type { MemoryQueue, QueueConsumer, QueueEntry } from './memory-queue.ts'

/** Takes part in several queues at once under one bound for what is delivered and not settled. */
export class MemorySubscription implements QueueConsumer {
  readonly #prefetch: number
  readonly #onEntry: (queue: MemoryQueue, settlement: Settlement) => void
  readonly #unsettled = new Set<Settlement>()
  #queues: readonly MemoryQueue[] = []
  readonly #revoked = new AbortController()
  #consuming = false
  #turn = 0

  constructor(prefetch: number, onEntry: (queue: MemoryQueue, settlement: Settlement) => void) {
    this.#prefetch = prefetch
    this.#onEntry = onEntry
  }

  get hasRoom(): boolean {
    return this.#consuming && this.#unsettled.size < this.#prefetch
  }

  consume(queues: readonly MemoryQueue[]): void {
    this.#queues = queues
    this.#consuming = true
    for (const queue of queues) queue.addConsumer(this)
  }

  /** Takes nothing more; what was delivered can still be settled. */
  stop(): void {
    if (!this.#consuming) return
    this.#consuming = false
    for (const queue of this.#queues) {
      queue.removeConsumer(this)
      // A message that was about to come here may go to another consumer.
      queue.wake()
    }
  }

  /** Aborts when what is not settled is taken away: one for all, because all of it goes at once. */
  get revoked(): AbortSignal {
    return this.#revoked.signal
  }

  /** Puts whatever is not settled back into its queue, in order. Settling it afterwards does nothing. */
  giveBack(reason: Error): void {
    // Latest first: each goes in front of those that came after it, so the queue has little to search.
    for (const settlement of [...this.#unsettled].reverse()) settlement.requeue()
    this.#revoked.abort(reason)
  }

  take(queue: MemoryQueue, entry: QueueEntry): void {
    const settlement = new Settlement(this, queue, entry)
    this.#unsettled.add(settlement)
    this.#onEntry(queue, settlement)
  }

  /** Called by the settlement itself. */
  settled(settlement: Settlement): void {
    const wasFull = this.#unsettled.size >= this.#prefetch
    this.#unsettled.delete(settlement)
    if (!wasFull || !this.#consuming) return
    // Each queue in turn is the first to use the room, so that a long one does not shut the others out.
    const queues = this.#queues
    this.#turn = (this.#turn + 1) % queues.length
    for (let index = 0; index < queues.length; index += 1) queues[(this.#turn + index) % queues.length]!.wake()
  }
}

/** The open end of one delivery: the first of `acknowledge` and `requeue` counts. */
export class Settlement {
  readonly #subscription: MemorySubscription
  readonly #queue: MemoryQueue
  readonly entry: QueueEntry
  /** Deliveries before this one. */
  readonly deliveriesBefore: number
  /** Called when it is settled, with how. */
  onSettled: ((outcome: 'acknowledged' | 'requeued') => void) | undefined
  #open = true

  constructor(subscription: MemorySubscription, queue: MemoryQueue, entry: QueueEntry) {
    this.#subscription = subscription
    this.#queue = queue
    this.entry = entry
    this.deliveriesBefore = entry.deliveries
  }

  get queueName(): string {
    return this.#queue.name
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Aborts when the message is taken away; undefined once it is settled. */
  get signal(): AbortSignal | undefined {
    return this.#open ? this.#subscription.revoked : undefined
  }

  acknowledge(): void {
    if (!this.#open) return
    this.#open = false
    this.onSettled?.('acknowledged')
    this.#subscription.settled(this)
  }

  requeue(): void {
    if (!this.#open) return
    this.#open = false
    this.entry.deliveries += 1
    this.onSettled?.('requeued')
    this.#queue.putBack(this.entry)
    this.#subscription.settled(this)
  }
}
