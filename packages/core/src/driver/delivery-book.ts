import { ClosedError } from '../errors.ts'
import { Fifo } from '../util/fifo.ts'

/** What a delivery is settled with. */
export type Settlement = 'acknowledge' | 'requeue'

/** What a book needs of a listener. */
export interface DeliveryBookOptions {
  /** Most that are delivered and not settled at the same time. At least 1. */
  readonly prefetch: number
  /** Called when nothing waits any more and there is room: for drivers that fetch, to fetch again. Must not throw. */
  readonly onRoom?: () => void
}

/** One delivery, from the broker to its settlement. */
export interface BookedDelivery {
  /** Tells the broker. Called once at most, never after `lose`. What it throws or rejects with is swallowed: a
   *  settlement that does not arrive brings the message again. */
  readonly settle: (how: Settlement) => Promise<void> | void
  /** Hands the message to core with the ways to settle it. Must not throw. Never called for what is handed back
   *  first. */
  readonly deliver: (delivery: OpenDelivery) => void
}

/** What a message that core was given is settled through. Of `acknowledge` and `requeue` the first counts, and neither
 *  throws. */
export interface OpenDelivery {
  acknowledge(): void
  requeue(): void
  /** Frees its place and tells the broker nothing. */
  leave(): void
  /** Aborts when the broker has taken the message away. */
  readonly signal: AbortSignal
  /** Not settled, and not taken away. */
  readonly isOpen: boolean
}

/** The deliveries of one listener: no more than `prefetch` are out, each is settled once, none comes after `stop`, and
 *  what the connection took with it is settled no more. What comes without room waits here, in order. */
export class DeliveryBook {
  readonly #options: DeliveryBookOptions
  readonly #waiting = new Fifo<BookedDelivery>()
  readonly #open = new Set<Delivery>()
  #isStopped = false
  #isDelivering = false

  constructor(options: DeliveryBookOptions) {
    if (!(options.prefetch >= 1)) throw new TypeError(`prefetch must be at least 1, not ${options.prefetch}`)
    this.#options = options
  }

  /** Delivered and not settled. */
  get outstanding(): number {
    return this.#open.size
  }

  /** Received and not delivered, for want of room. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** How many more can be delivered at once: what to fetch, or the credit to give. */
  get room(): number {
    return this.#isStopped ? 0 : Math.max(0, this.#options.prefetch - this.#open.size - this.#waiting.length)
  }

  /** Takes what the broker delivered: handed over now or when there is room; handed back at once after `stop`. */
  add(delivery: BookedDelivery): void {
    if (this.#isStopped) return tell(delivery, 'requeue')
    this.#waiting.push(delivery)
    this.#deliver()
  }

  /** Nothing is delivered any more; what waits goes back to the broker, in order. What is out can still be settled. */
  stop(): void {
    this.#isStopped = true
    for (const delivery of this.#waiting.drain()) tell(delivery, 'requeue')
  }

  /** Stops, and hands back everything: what is out came first and goes back first. */
  close(): void {
    this.#isStopped = true
    for (const delivery of this.#open) delivery.requeue()
    this.stop()
  }

  /** The connection is gone, and the broker delivers everything again: what waits is forgotten, what is out is aborted
   *  and settled no more. The book goes on with the next connection. */
  lose(reason: unknown = new ClosedError('The broker has taken the message away')): void {
    this.#waiting.drain()
    for (const delivery of this.#open) delivery.abort(reason)
    this.#open.clear()
  }

  #deliver(): void {
    // A handler that settles at once must not deliver the next one from within.
    if (this.#isDelivering) return
    this.#isDelivering = true
    try {
      while (this.#open.size < this.#options.prefetch) {
        const next = this.#waiting.shift()
        if (next === undefined) break
        const delivery = new Delivery(next, () => this.#settled(delivery))
        this.#open.add(delivery)
        next.deliver(delivery)
      }
    } finally {
      this.#isDelivering = false
    }
  }

  #settled(delivery: Delivery): void {
    this.#open.delete(delivery)
    if (this.#isStopped || this.#isDelivering) return
    this.#deliver()
    if (this.room > 0) this.#options.onRoom?.()
  }
}

class Delivery implements OpenDelivery {
  readonly #booked: BookedDelivery
  readonly #onEnd: () => void
  readonly #abort = new AbortController()
  #isOpen = true

  constructor(booked: BookedDelivery, onEnd: () => void) {
    this.#booked = booked
    this.#onEnd = onEnd
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  acknowledge(): void {
    if (this.#end()) tell(this.#booked, 'acknowledge')
  }

  requeue(): void {
    if (this.#end()) tell(this.#booked, 'requeue')
  }

  leave(): void {
    this.#end()
  }

  abort(reason: unknown): void {
    this.#isOpen = false
    this.#abort.abort(reason)
  }

  /** True for the first of all endings. */
  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#onEnd()
    return true
  }
}

function tell({ settle }: BookedDelivery, how: Settlement): void {
  try {
    Promise.resolve(settle(how)).catch(swallow)
  } catch (error) {
    swallow(error)
  }
}

/** The broker delivers again what it was not told of, and the supervisor of the connection reports why it was not. */
function swallow(_error: unknown): void {}
