import { Link, type LinkHandlers, type LinkIdentity, type LinkSession } from './link.ts'
import { type Settlement, STATES } from './delivery-state.ts'
import type { Attach, Flow, Transfer } from './performatives.ts'
import { serial } from './serial.ts'

/** A message that came in, as bytes. */
export interface Delivery {
  readonly link: ReceiverLink
  readonly id: number
  /** The peer has forgotten it already: nothing of it can be given back. */
  readonly isSettled: boolean
  readonly bytes: Buffer
}

export interface ReceiverHandlers extends LinkHandlers {
  readonly onMessage: (delivery: Delivery) => void
  /** A message was rejected because it is larger than the link takes. */
  readonly onTooLarge: (bytes: number) => void
  /** The peer has no more for the credit it was given: it was asked to say so. */
  readonly onDrained?: () => void
}

/** What has come of a delivery that is not whole. */
interface Partial {
  readonly id: number
  settled: boolean
  parts: Buffer[]
  bytes: number
}

/** A link that messages come in by, and the account of its credit. */
export class ReceiverLink extends Link {
  readonly #handlers: ReceiverHandlers
  readonly #maxMessageSize: number
  #credit = 0
  #deliveryCount = 0
  #partial: Partial | undefined
  #isGone = false

  constructor(session: LinkSession, identity: LinkIdentity, maxMessageSize: number, handlers: ReceiverHandlers) {
    super(session, identity, handlers)
    this.#handlers = handlers
    this.#maxMessageSize = maxMessageSize === 0 ? Infinity : maxMessageSize
  }

  /** Messages the peer may still send, as far as is known here. */
  get credit(): number {
    return this.#credit
  }

  /** Lets the peer send so many messages more. */
  addCredit(count: number): void {
    if (!this.isOpen || count <= 0) return
    this.#credit += count
    this.#flow(false)
  }

  /** Lets the peer send so many more and has it say when it has no others. */
  drain(count: number): void {
    if (!this.isOpen) return
    this.#credit += count
    this.#flow(true)
  }

  /** Takes back the credit the peer has not used. Draining would make a peer send what it has, only to get it handed
   *  back. What is under way already still comes. */
  withdrawCredit(): void {
    this.#credit = 0
    if (this.isOpen) this.#flow(false)
  }

  /** Settles a message of this link, unless it is settled, or the link is gone and the peer has taken it back. */
  settle(delivery: Delivery, how: Settlement): void {
    if (!delivery.isSettled && !this.#isGone) this.session.settle(delivery.id, STATES[how])
  }

  /** For the session. */
  onTransfer({ deliveryId, settled, more, aborted }: Transfer, payload: Buffer): void {
    if (this.#isGone) return
    let partial = this.#partial
    if (partial === undefined || (deliveryId !== undefined && deliveryId !== partial.id)) {
      // Whoever begins another message has given up the one before.
      if (deliveryId === undefined) throw new RangeError('the peer began a message without a delivery-id')
      this.#credit = Math.max(0, this.#credit - 1)
      this.#deliveryCount = serial(this.#deliveryCount + 1)
      partial = { id: deliveryId, settled, parts: [], bytes: 0 }
    } else if (settled) partial.settled = true
    this.#partial = more && !aborted ? partial : undefined
    if (aborted) return
    partial.bytes += payload.length
    if (partial.bytes > this.#maxMessageSize) partial.parts = []
    else partial.parts.push(payload)
    if (more) return
    const { id, bytes, parts } = partial
    const [only] = parts
    const whole = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    const delivery = { link: this, id, isSettled: partial.settled, bytes: whole }
    if (bytes <= this.#maxMessageSize) return this.#handlers.onMessage(delivery)
    this.settle(delivery, 'too-large')
    this.#handlers.onTooLarge(bytes)
  }

  /** For the session. */
  onFlow({ deliveryCount, linkCredit = 0, drain }: Flow): void {
    if (!drain || !this.isOpen) return
    // What it had no messages for is used up all the same.
    if (deliveryCount !== undefined) this.#deliveryCount = deliveryCount
    this.#credit = linkCredit
    this.#handlers.onDrained?.()
  }

  protected opened(remote: Attach): void {
    // RabbitMQ 4.0 starts just below 2^32.
    this.#deliveryCount = remote.initialDeliveryCount ?? 0
  }

  protected gone(): void {
    this.#isGone = true
    this.#partial = undefined
    this.#credit = 0
  }

  #flow(drain: boolean): void {
    this.session.sendFlow({
      handle: this.handle,
      deliveryCount: this.#deliveryCount,
      linkCredit: this.#credit,
      drain,
    })
  }
}
