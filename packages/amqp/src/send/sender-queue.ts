import { type Clock, ClosedError, MessageDeliveryFailure, type MessagingError } from '@oslo-messaging/core/driver'
import {
  type Delivery,
  type EventContext,
  forgetBytes,
  isAllWritten,
  isWritten,
  type Outcome,
  outcomeOf,
  roomOf,
  type Sender,
  sendEncoded,
  settleBeforeSending,
} from '../client/client.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Shipment } from './outgoing-message.ts'

/** The link went before the message was handed to it: another link may take the message. */
export class NotSent extends Error {
  readonly reason: MessagingError
  constructor(reason: MessagingError) {
    super(reason.message, { cause: reason })
    this.reason = reason
  }
}

/** Who is told how a message ended: exactly one of the two is called. */
export interface Ending {
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

interface Waiting extends Ending {
  readonly shipment: Shipment
}

export interface SenderQueueOptions {
  readonly clock: Clock
  /** The link is gone; another has to be opened for the address. */
  readonly onGone: () => void
  /** Messages have waited for credit for a second (a reason), or wait no more (null). */
  readonly onBlocked: (reason: string | null) => void
}

/** Waiting longer than this for credit means that the peer withholds it. */
const BLOCKED_AFTER_MS = 1_000

/** One sender link and the messages that wait for its credit. First come, first served: rhea is handed only what may leave at once, because in its session
 *  a message without credit would hold up those of every other link. */
export class SenderQueue {
  readonly address: string
  readonly #options: SenderQueueOptions
  readonly #waiting = new Set<Waiting>()
  readonly #unsettled = new Map<Delivery, Waiting>()
  /** handed over in this turn, and not yet taken off the credit. */
  #unwritten: Delivery[] = []
  #sender: Sender | undefined
  #lastUsedAt: number
  #blockedTimer: unknown
  #isBlocked = false
  #goneFor: MessagingError | undefined

  constructor(address: string, options: SenderQueueOptions) {
    this.address = address
    this.#options = options
    this.#lastUsedAt = options.clock.now()
  }

  /** Throws NotSent when the peer has closed the link in the same breath in which it opened it. */
  attach(sender: Sender): void {
    if (this.#goneFor !== undefined) throw new NotSent(this.#goneFor)
    this.#sender = sender
    sender.on('sendable', () => this.#pump())
    // Whoever asks for the credit back gets it: what is left is not needed now, and is asked for again by the next message.
    sender.on('sender_draining', () => sender.set_drained(true))
    const onOutcome = (context: EventContext): void => this.#settled(context)
    for (const event of ['accepted', 'released', 'modified', 'rejected']) sender.on(event, onOutcome)
    // A peer may settle without an outcome: accepted, says the specification.
    sender.on('settled', onOutcome)
  }

  /** Resolves with the peer's outcome, or when a pre-settled message is on its way. Rejects at the deadline; with NotSent when the link goes before the message was handed to it;
   *  with MessageDeliveryFailure (delivery unknown) when it goes after. */
  send(shipment: Shipment): Promise<Outcome> {
    this.#lastUsedAt = this.#options.clock.now()
    const { deadline, progress } = shipment
    progress.phase = 'publish'
    return new Promise<Outcome>((resolve, reject) => {
      let cancel: (() => void) | undefined
      const waiting: Waiting = {
        shipment,
        settle: (outcome) => {
          cancel?.()
          resolve(outcome)
        },
        fail: (error) => {
          cancel?.()
          reject(error)
        },
      }
      this.#waiting.add(waiting)
      this.#pump()
      if (shipment.preSettled && !this.#waiting.has(waiting)) return
      cancel = deadline.watch(progress, (error) => {
        this.#waiting.delete(waiting)
        reject(error)
        this.#watchForCredit()
      })
      this.#watchForCredit()
    })
  }

  /** `send` for whoever keeps the time himself, without promise and timer. False when the message would have to wait: then nothing was done. */
  post(shipment: Shipment, { settle, fail }: Ending): boolean {
    const sender = this.#sender
    if (sender === undefined || this.#waiting.size > 0 || !this.#hasRoom(sender)) return false
    this.#lastUsedAt = this.#options.clock.now()
    this.#hand(sender, { shipment, settle, fail })
    return true
  }

  /** Nothing was sent since then, and nothing waits. */
  idleSince(time: number): boolean {
    return this.#lastUsedAt < time && this.#waiting.size === 0 && this.#unsettled.size === 0
  }

  /** Closes the link. What waits fails. */
  close(): void {
    const sender = this.#sender
    this.lost(new ClosedError('The link was closed'))
    sender?.close()
  }

  /** The link, its session or its connection is gone: ends what waits and what is under way. */
  lost(reason: MessagingError): void {
    if (this.#goneFor !== undefined) return
    this.#goneFor = reason
    this.#sender = undefined
    this.#options.clock.clearTimeout(this.#blockedTimer)
    if (this.#isBlocked) this.#options.onBlocked(null)
    this.#options.onGone()
    const [waiting, unsettled] = [[...this.#waiting], [...this.#unsettled.values()]]
    this.#waiting.clear()
    this.#unsettled.clear()
    for (const each of waiting) each.fail(new NotSent(reason))
    for (const each of unsettled) each.fail(failureOf(reason))
  }

  #pump(): void {
    const sender = this.#sender
    if (sender === undefined || this.#waiting.size === 0) return
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(sender)) return
      this.#waiting.delete(waiting)
      // Whoever wanted it has been told why not.
      if (waiting.shipment.isWanted?.() === false) waiting.fail(new ClosedError('Nobody waits for it any more'))
      else this.#hand(sender, waiting)
    }
    this.#watchForCredit()
  }

  #hasRoom(sender: Sender): boolean {
    // They leave in the order in which they were handed over, and usually all at once.
    const [oldest] = this.#unwritten
    if (oldest !== undefined && isAllWritten(sender)) this.#unwritten.length = 0
    else if (oldest !== undefined && isWritten(oldest))
      this.#unwritten = this.#unwritten.filter((delivery) => !isWritten(delivery))
    return roomOf(sender, this.#unwritten.length) > 0
  }

  #hand(sender: Sender, waiting: Waiting): void {
    const { message, preSettled, progress } = waiting.shipment
    const delivery = sendEncoded(sender, encodeMessage({ ...message, to: this.address }))
    this.#unwritten.push(delivery)
    progress.delivery = 'unknown'
    if (preSettled) {
      settleBeforeSending(delivery)
      progress.phase = 'reply'
      waiting.settle({ type: 'accepted' })
    } else {
      progress.phase = 'confirm'
      this.#unsettled.set(delivery, waiting)
    }
  }

  #settled({ delivery }: EventContext): void {
    if (delivery === undefined) return
    const waiting = this.#unsettled.get(delivery)
    if (waiting === undefined) return
    this.#unsettled.delete(delivery)
    // A peer that gives the outcome first and settles later keeps the delivery in the session until then, unless we settle it.
    if (!delivery.remote_settled) delivery.update(true)
    forgetBytes(delivery)
    waiting.settle(outcomeOf(delivery))
  }

  /** Tells when messages have waited for a second, and when none does any more. */
  #watchForCredit(): void {
    const { clock, onBlocked } = this.#options
    if (this.#waiting.size === 0) {
      clock.clearTimeout(this.#blockedTimer)
      this.#blockedTimer = undefined
      if (!this.#isBlocked) return
      this.#isBlocked = false
      onBlocked(null)
    } else if (this.#blockedTimer === undefined && this.#goneFor === undefined) {
      this.#blockedTimer = clock.setTimeout(() => {
        if (this.#waiting.size === 0) return this.#watchForCredit()
        this.#isBlocked = true
        onBlocked(`the peer gives no credit for ${this.address}`)
      }, BLOCKED_AFTER_MS)
    }
  }
}

const failureOf = (reason: MessagingError): MessageDeliveryFailure =>
  new MessageDeliveryFailure(`The link was lost before the peer had settled the message: ${reason.message}`, {
    cause: reason,
    retryable: true,
    phase: 'confirm',
    delivery: 'unknown',
    attempts: 1,
  })
