import type { IncomingNotification, MessageContext } from '@oslo-messaging/core/driver'
import { type Delivery, headerFacts } from './delivery.ts'
import { reportDropped } from './dropped.ts'
import { Duplicates } from './duplicates.ts'
import { decodeBody, splitNotification } from '../wire/message.ts'
import type { NotificationFailures } from './notification-failures.ts'
import type { Runtime } from '../connection/runtime.ts'

type Decoded = ReturnType<typeof splitNotification>

/** Turns the deliveries of a notification listener into notifications. Unlike Python's, a repeat is acknowledged, so that it does not use up the prefetch (WIRE 10.4). */
export class NotificationReader {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #onMessage: (notification: IncomingNotification) => void
  /** Ids that were acknowledged. */
  readonly #acknowledged: Duplicates
  readonly #failures: NotificationFailures | undefined

  /** `failures`: undefined leaves failing notifications to core. */
  constructor(
    runtime: Runtime,
    name: string,
    failures: NotificationFailures | undefined,
    onMessage: (notification: IncomingNotification) => void,
  ) {
    this.#failures = failures
    this.#runtime = runtime
    this.#name = name
    this.#onMessage = onMessage
    this.#acknowledged = new Duplicates(runtime, name)
  }

  read(delivery: Delivery): void {
    let decoded: Decoded
    try {
      decoded = splitNotification(decodeBody(delivery.properties, delivery.body))
    } catch (error) {
      if (this.#failures === undefined) delivery.discard()
      else this.#failures.unreadable(delivery, error)
      return reportDropped(this.#runtime, this.#name, 'unreadable', { error })
    }
    const { uniqueId } = decoded
    if (uniqueId !== null && this.#acknowledged.has(uniqueId)) {
      delivery.acknowledge()
      return this.#acknowledged.reportHeldBack(uniqueId)
    }
    if (uniqueId !== null) this.#acknowledged.reportAgain(uniqueId)
    this.#onMessage(
      new RabbitNotification(delivery, decoded, this.#failures, () => {
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
  /** There when the driver has a policy for it. */
  readonly failed?: (error: unknown) => void
  readonly #onAcknowledged: () => void

  constructor(
    delivery: Delivery,
    decoded: Decoded,
    failures: NotificationFailures | undefined,
    onAcknowledged: () => void,
  ) {
    if (failures !== undefined) this.failed = (error) => failures.handle(delivery, error)
    this.context = decoded.context
    this.message = decoded.message
    this.signal = delivery.signal
    this.redelivered = delivery.redelivered
    if (decoded.uniqueId !== null) this.uniqueId = decoded.uniqueId
    const { deliveryCount, traced } = headerFacts(delivery)
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
}
