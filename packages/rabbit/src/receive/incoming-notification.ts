import type { FailureFacts, IncomingNotification, MessageContext } from '@oslo-messaging/core/driver'
import { type Delivery, headerFacts } from './delivery.ts'
import { Duplicates } from './duplicates.ts'
import { decodeBody, splitNotification } from '../wire/message.ts'
import type { FailedCopies } from './failed-copies.ts'
import type { Runtime } from '../connection/runtime.ts'

type Decoded = ReturnType<typeof splitNotification>

/** What core is given of a notification whose bytes say nothing. */
const UNREADABLE: Decoded = Object.freeze({ context: {}, message: {}, uniqueId: null })

/** Turns the deliveries of a notification listener into notifications. Unlike Python's, a repeat is acknowledged, so
 *  that it does not use up the prefetch (WIRE 10.4). */
export class NotificationReader {
  readonly #onMessage: (notification: IncomingNotification) => void
  /** Ids that were acknowledged. */
  readonly #acknowledged: Duplicates
  readonly #copies: FailedCopies
  readonly #mostBytes: number

  constructor(
    runtime: Runtime,
    name: string,
    copies: FailedCopies,
    onMessage: (notification: IncomingNotification) => void,
  ) {
    this.#copies = copies
    this.#mostBytes = runtime.settings.maxDecompressedBytes
    this.#onMessage = onMessage
    this.#acknowledged = new Duplicates(runtime, name)
  }

  read(delivery: Delivery): void {
    let decoded: Decoded
    try {
      decoded = splitNotification(decodeBody(delivery.properties, delivery.body, this.#mostBytes))
    } catch (error) {
      return this.#onMessage(new RabbitNotification(delivery, UNREADABLE, this.#copies, () => {}, error))
    }
    const { uniqueId } = decoded
    if (uniqueId !== null && this.#acknowledged.has(uniqueId)) {
      delivery.acknowledge()
      return this.#acknowledged.reportHeldBack(uniqueId)
    }
    if (uniqueId !== null) this.#acknowledged.reportAgain(uniqueId)
    this.#onMessage(
      new RabbitNotification(delivery, decoded, this.#copies, () => {
        if (uniqueId !== null) this.#acknowledged.add(uniqueId)
      }),
    )
  }
}

class RabbitNotification implements IncomingNotification {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly priority?: string
  readonly signal: AbortSignal
  readonly redelivered: boolean
  readonly deliveryCount?: number
  readonly uniqueId?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly #delivery: Delivery
  readonly failedAttempts?: number
  readonly unreadable?: { readonly error: unknown }
  readonly #copies: FailedCopies
  readonly #onAcknowledged: () => void

  constructor(
    delivery: Delivery,
    decoded: Decoded,
    copies: FailedCopies,
    onAcknowledged: () => void,
    unreadable?: unknown,
  ) {
    this.#copies = copies
    if (unreadable !== undefined) this.unreadable = { error: unreadable }
    this.context = decoded.context
    this.message = decoded.message
    this.signal = delivery.signal
    this.redelivered = delivery.redelivered
    if (decoded.uniqueId !== null) this.uniqueId = decoded.uniqueId
    const { deliveryCount, failedAttempts, traced } = headerFacts(delivery)
    if (failedAttempts > 0) this.failedAttempts = failedAttempts
    if (deliveryCount !== undefined) this.deliveryCount = deliveryCount
    if (traced !== undefined) this.headers = traced
    this.#delivery = delivery
    this.#onAcknowledged = onAcknowledged
  }

  acknowledge(): void {
    if (this.#delivery.isSettled) return
    this.#delivery.acknowledge()
    this.#onAcknowledged()
  }

  requeue(): void {
    this.#delivery.requeue()
  }

  discard(): void {
    this.#delivery.discard()
  }

  async bury(failure: FailureFacts): Promise<void> {
    await this.#copies.bury(this.#delivery, failure)
  }

  async retryLater(delayMs: number, failure: FailureFacts): Promise<void> {
    await this.#copies.retryLater(this.#delivery, delayMs, failure)
  }
}
