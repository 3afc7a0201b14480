import { AsyncResource } from 'node:async_hooks'
import { OrderedAcks } from './ordered-acks.ts'
import type { ClientChannel, ClientDelivery } from '../client/client.ts'
import { Delivery, type Settlement } from './delivery.ts'
import { reportDropped } from './dropped.ts'
import type { Runtime } from '../connection/runtime.ts'

export interface ConsumerSessionOptions {
  readonly runtime: Runtime
  /** The listener's name in health and logs: `rpc compute.node1`. */
  readonly name: string
  /** Most deliveries handed over and not settled, over all queues together. */
  readonly prefetch: number
  /** Gets each delivery; returns at once and does not throw. */
  readonly onDelivery: (delivery: Delivery) => void
}

/** Called when a delivery is settled on the channel it came on, and need not be delivered again. */
type OnSettled = () => void

interface Waiting {
  readonly delivery: ClientDelivery
  readonly queue: string
  readonly onSettled: OnSettled | undefined
  /** In which it arrived: agents for tracing have made its trace the active one there. */
  readonly context: AsyncResource
  readonly since: number
}

/** One channel with its consumers, from subscription to loss: what was delivered on it and how it is settled. */
export class ConsumerSession {
  readonly channel: ClientChannel
  readonly acks: OrderedAcks
  /** Consumer tags by queue. */
  readonly tags: Map<string, string> = new Map()
  readonly #options: ConsumerSessionOptions
  readonly #revoked = new AbortController()
  /** Delivered by the broker beyond what may be in hand: each queue of the listener has the whole prefetch for
   *  itself. */
  readonly #waiting: Waiting[] = []
  readonly #settlement: Settlement
  #consumers = 0
  #inHand = 0
  #lost = false

  constructor(channel: ClientChannel, options: ConsumerSessionOptions) {
    this.channel = channel
    this.acks = new OrderedAcks(channel)
    this.#options = options
    this.#settlement = {
      acknowledge: (tag) => {
        if (!this.#lost) this.acks.acknowledge(tag)
        this.#release()
      },
      reject: (tag, requeue) => {
        if (!this.#lost) this.acks.reject(tag, requeue)
        this.#release()
      },
    }
  }

  get isLost(): boolean {
    return this.#lost
  }

  /** Whether more could be delivered now. */
  get hasRoom(): boolean {
    return this.#inHand < this.#options.prefetch && this.#waiting.length === 0
  }

  /** A consumer tag for the queue; each is used once, because the broker may remember one it has taken away. */
  tagFor(queue: string): string {
    this.#consumers += 1
    const tag = String(this.#consumers)
    this.tags.set(queue, tag)
    return tag
  }

  deliver(delivery: ClientDelivery, queue: string, onSettled?: OnSettled): void {
    if (this.#inHand < this.#options.prefetch) this.#handOver(delivery, queue, onSettled)
    else {
      const context = new AsyncResource('oslo-messaging:delivery')
      this.#waiting.push({ delivery, queue, onSettled, context, since: this.#options.runtime.clock.now() })
    }
  }

  /** What was not handed over goes back to the broker. */
  giveBackWaiting(): void {
    for (const { delivery } of this.#waiting.splice(0)) this.acks.reject(delivery.deliveryTag, true)
  }

  /** The channel is over, or about to be: what is in hand is the broker's again. False when that was known. */
  end(reason: unknown): boolean {
    if (this.#lost) return false
    this.#lost = true
    this.#waiting.length = 0
    this.#revoked.abort(reason)
    return true
  }

  #handOver(delivery: ClientDelivery, queue: string, onSettled: OnSettled | undefined): void {
    this.#inHand += 1
    const settlement = onSettled === undefined ? this.#settlement : this.#noting(onSettled)
    this.#options.onDelivery(new Delivery(delivery, queue, this.#revoked.signal, settlement))
  }

  #noting(onSettled: OnSettled): Settlement {
    return {
      acknowledge: (tag) => {
        if (!this.#lost) onSettled()
        this.#settlement.acknowledge(tag)
      },
      reject: (tag, requeue) => {
        if (!this.#lost && !requeue) onSettled()
        this.#settlement.reject(tag, requeue)
      },
    }
  }

  #release(): void {
    this.#inHand -= 1
    while (this.#inHand < this.#options.prefetch) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (!this.#hasExpired(next.delivery, next.since))
        return next.context.runInAsyncScope(() => this.#handOver(next.delivery, next.queue, next.onSettled))
      this.acks.acknowledge(next.delivery.deliveryTag)
      next.onSettled?.()
      reportDropped(this.#options.runtime, this.#options.name, 'expired', {})
    }
  }

  /** The broker drops what expires in its queue; what expires while it waits here is dropped here. */
  #hasExpired({ properties }: ClientDelivery, since: number): boolean {
    if (properties.expiration === undefined) return false
    return this.#options.runtime.clock.now() - since >= Number(properties.expiration)
  }
}
