import { failedAttemptsOf } from '@oslo-messaging/core/driver'
import type { ClientDelivery, MessageProperties } from '../client/client.ts'

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

/** What the headers of a delivery say, for whoever handles it. */
export interface HeaderFacts {
  readonly deliveryCount: number | undefined
  /** Of a copy that was put aside and came again; 0 otherwise. */
  readonly failedAttempts: number
  /** Trace context and the like; undefined when there is none. */
  readonly traced: Readonly<Record<string, string>> | undefined
}

const NO_FACTS: HeaderFacts = Object.freeze({ deliveryCount: undefined, failedAttempts: 0, traced: undefined })

export function headerFacts({ properties: { headers } }: Delivery): HeaderFacts {
  if (headers === undefined || isEmpty(headers)) return NO_FACTS
  const count = headers['x-delivery-count']
  const traced = Object.entries(headers).filter(isTraceHeader)
  return {
    deliveryCount: typeof count === 'number' ? count : undefined,
    failedAttempts: failedAttemptsOf(headers),
    traced: traced.length === 0 ? undefined : Object.fromEntries(traced),
  }
}

function isEmpty(record: object): boolean {
  for (const _key in record) return false
  return true
}

/** Everything textual that is neither the broker's nor the codec's. */
function isTraceHeader(entry: [string, unknown]): entry is [string, string] {
  const [key, value] = entry
  return typeof value === 'string' && key !== 'compression' && !key.startsWith('x-')
}
