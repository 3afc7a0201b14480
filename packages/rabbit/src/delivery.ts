import type { DeliveryFacts } from '@oslo-messaging/core/driver'
import type { ClientDelivery, MessageProperties } from './client.ts'

/** How a delivery reaches the channel it came on. */
export interface Settlement {
  acknowledge(deliveryTag: number): void
  reject(deliveryTag: number, requeue: boolean): void
}

/** One message in hand. The first way it is settled counts; later ones do nothing. */
export class Delivery {
  readonly properties: MessageProperties
  readonly body: Buffer
  readonly redelivered: boolean
  readonly routingKey: string
  readonly exchange: string
  /** The queue it came from. */
  readonly queue: string
  /** Aborts when the broker has taken the message back. */
  readonly signal: AbortSignal
  readonly #tag: number
  readonly #settlement: Settlement
  #settled = false

  constructor(delivery: ClientDelivery, queue: string, signal: AbortSignal, settlement: Settlement) {
    this.queue = queue
    this.exchange = delivery.exchange
    this.properties = delivery.properties
    this.body = delivery.body
    this.redelivered = delivery.redelivered
    this.routingKey = delivery.routingKey
    this.signal = signal
    this.#tag = delivery.deliveryTag
    this.#settlement = settlement
  }

  get isSettled(): boolean {
    return this.#settled
  }

  acknowledge(): void {
    if (this.#settled) return
    this.#settled = true
    this.#settlement.acknowledge(this.#tag)
  }

  requeue(): void {
    this.#reject(true)
  }

  /** Refuses it: it is lost, or dead-lettered where the queue has a policy. */
  discard(): void {
    this.#reject(false)
  }

  #reject(requeue: boolean): void {
    if (this.#settled) return
    this.#settled = true
    this.#settlement.reject(this.#tag, requeue)
  }
}

/** Counts the deliveries of a message that this driver has put aside and delivered again. */
export const ATTEMPTS_HEADER = 'x-oslo-attempts'

/** What the broker knows about a delivery, for whoever handles it. */
export function deliveryFacts({ redelivered, properties }: Delivery, uniqueId: string | null): DeliveryFacts {
  const { headers } = properties
  const count = headers?.['x-delivery-count'] ?? headers?.[ATTEMPTS_HEADER]
  const traced = headers === undefined ? [] : Object.entries(headers).filter(isTraceHeader)
  return {
    redelivered,
    ...(typeof count === 'number' ? { deliveryCount: count } : {}),
    ...(uniqueId === null ? {} : { uniqueId }),
    ...(traced.length === 0 ? {} : { headers: Object.fromEntries(traced) }),
  }
}

/** Everything textual that is neither the broker's nor the codec's. */
function isTraceHeader(entry: [string, unknown]): entry is [string, string] {
  const [key, value] = entry
  return typeof value === 'string' && key !== 'compression' && !key.startsWith('x-')
}
