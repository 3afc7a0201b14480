import {
  type Clock,
  ClosedError,
  MessageDeliveryFailure,
  type MessagingError,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { Outcome } from '../session/delivery-state.ts'
import type { SenderLink } from '../session/sender-link.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

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
  readonly outgoing: OutgoingMessage
}

export interface SenderQueueOptions {
  readonly clock: Clock
  /** The link is gone; another has to be opened for the address. */
  readonly onGone: () => void
  /** Messages have waited for credit for a second (a reason), or wait no more (null). */
  readonly onBlocked: (reason: string | null) => void
  /** A message was handed to the socket that nobody learns of any more. */
  readonly onSettledWritten: () => void
}

/** Waiting longer than this for credit, or for a link, means that the peer withholds it. */
export const BLOCKED_AFTER_MS = 1_000

/** One sender link and the messages that wait for its credit and the session's window. First come, first served: what
 *  waits is ours, and can be withdrawn, time out, or be sent over another link. */
export class SenderQueue {
  readonly address: string
  readonly #options: SenderQueueOptions
  readonly #waiting = new Set<Waiting>()
  /** Handed over, each with what forgets it. */
  readonly #unsettled = new Map<Waiting, () => void>()
  /** Settled, and not yet handed to the socket. */
  #unwritten = new Set<Waiting>()
  #sender: SenderLink | undefined
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
  attach(sender: SenderLink): void {
    if (this.#goneFor !== undefined) throw new NotSent(this.#goneFor)
    this.#sender = sender
  }

  /** Resolves with the peer's outcome, or when a pre-settled message has been handed to the socket. Rejects at the
   *  deadline; with NotSent when the link goes before the message was handed to it; with MessageDeliveryFailure
   *  (delivery unknown) when it goes after. */
  send(outgoing: OutgoingMessage): Promise<Outcome> {
    this.#lastUsedAt = this.#options.clock.now()
    const { deadline, progress } = outgoing
    progress.phase = 'publish'
    return new Promise<Outcome>((resolve, reject) => {
      let cancel: (() => void) | undefined
      const waiting: Waiting = {
        outgoing,
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
      this.pump()
      cancel = deadline.watch(progress, (error) => {
        this.#forget(waiting)
        reject(error)
      })
      this.#watchForCredit()
    })
  }

  /** `send` for whoever keeps the time himself, without promise and timer. False when the message would have to wait:
   *  then nothing was done. */
  post(outgoing: OutgoingMessage, { settle, fail }: Ending): boolean {
    const sender = this.#sender
    if (sender === undefined || this.#waiting.size > 0 || !sender.hasRoom) return false
    this.#lastUsedAt = this.#options.clock.now()
    this.#hand(sender, { outgoing, settle, fail })
    return true
  }

  /** Nobody wants to know any more how a message ends: it is withdrawn when it has not left, and whatever the peer says
   *  of it goes unheard. */
  #forget(waiting: Waiting): void {
    this.#unsettled.get(waiting)?.()
    this.#unsettled.delete(waiting)
    this.#unwritten.delete(waiting)
    if (this.#waiting.delete(waiting)) this.#watchForCredit()
  }

  /** Forgets what was handed over for somebody who has gone. */
  forgetUnwanted(): void {
    for (const waiting of this.#unsettled.keys()) {
      if (waiting.outgoing.isWanted?.() !== false) continue
      this.#forget(waiting)
      waiting.fail(new ClosedError('Nobody waits for it any more'))
    }
  }

  /** Nothing was sent since then, and nothing waits. */
  idleSince(time: number): boolean {
    return this.#lastUsedAt < time && this.#waiting.size === 0 && this.#unsettled.size === 0
  }

  /** Closes the link. What waits fails. */
  close(): void {
    const sender = this.#sender
    this.lost(new ClosedError('The link was closed'))
    sender?.leave()
  }

  /** The link, its session or its connection is gone: ends what waits and what is under way. */
  lost(reason: MessagingError): void {
    if (this.#goneFor !== undefined) return
    this.#goneFor = reason
    this.#sender = undefined
    this.#options.clock.clearTimeout(this.#blockedTimer)
    if (this.#isBlocked) this.#options.onBlocked(null)
    this.#options.onGone()
    const waiting = [...this.#waiting]
    const unsettled = [...this.#unsettled.keys(), ...this.#unwritten]
    for (const forget of this.#unsettled.values()) forget()
    this.#waiting.clear()
    this.#unsettled.clear()
    this.#unwritten.clear()
    for (const each of waiting) each.fail(new NotSent(reason))
    for (const each of unsettled) each.fail(failureOf(reason))
  }

  /** Hands over what may leave now. */
  pump(): void {
    const sender = this.#sender
    if (sender === undefined || this.#waiting.size === 0) return
    for (const waiting of this.#waiting) {
      if (!sender.hasRoom) return
      this.#waiting.delete(waiting)
      // Whoever wanted it has been told why not.
      if (waiting.outgoing.isWanted?.() === false) waiting.fail(new ClosedError('Nobody waits for it any more'))
      else this.#hand(sender, waiting)
    }
    this.#watchForCredit()
  }

  #hand(sender: SenderLink, waiting: Waiting): void {
    const { message, preSettled, progress } = waiting.outgoing
    const bytes = encodeMessage({ ...message, to: this.address })
    if (bytes.length > sender.maxMessageSize) return waiting.fail(tooLarge(this.address, bytes.length, sender))
    progress.delivery = 'unknown'
    if (preSettled) {
      progress.phase = 'reply'
      this.#unwritten.add(waiting)
      sender.sendSettled(bytes, () => {
        this.#options.onSettledWritten()
        if (this.#unwritten.delete(waiting)) waiting.settle({ type: 'accepted' })
      })
      return
    }
    progress.phase = 'confirm'
    const forget = sender.send(bytes, (outcome) => {
      if (this.#unsettled.delete(waiting)) waiting.settle(outcome)
    })
    this.#unsettled.set(waiting, forget)
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
        onBlocked(`${this.#sender?.obstacle ?? 'the peer gives no credit'} for ${this.address}`)
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

const tooLarge = (address: string, bytes: number, { maxMessageSize }: SenderLink): TransportDriverError =>
  new TransportDriverError(
    `The message for ${address} has ${bytes} bytes, and the peer takes ${maxMessageSize}; raise its limit of message sizes, or send less`,
    { retryable: false, phase: 'publish', delivery: 'not-sent', brokerCode: 'amqp:link:message-size-exceeded' },
  )
