import { type Deadline, emitDiagnostic } from '@oslo-messaging/core/driver'
import {
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  settle,
  withdrawCredit,
  wrapDeliveryCount,
} from './client.ts'
import { openReceiver } from './links.ts'
import type { PeerSession } from './peer-session.ts'

/** One message as it came in, and how to end it. Each of the settling calls counts once, the first one. */
export interface Incoming {
  readonly message: Message
  readonly signal: AbortSignal
  readonly accept: () => void
  readonly release: () => void
  /** Refuses it for good: the peer dead-letters it where it can. */
  readonly unreadable: (error: unknown) => void
}

export interface AttachmentOptions {
  readonly name: string
  readonly credit: number
  readonly prefetch: number
  readonly onMessage: (incoming: Incoming) => void
}

interface Held {
  readonly receiver: Receiver
  readonly delivery: Delivery
  readonly message: Message
}

/** The links of a listener during one connection, all in one session; thrown away with it. Credit is topped up only as messages are settled. */
export class Attachment {
  readonly #session: PeerSession
  readonly #options: AttachmentOptions
  readonly #onLost: (error: Error) => void
  readonly #receivers: Receiver[] = []
  /** Messages beyond the prefetch: several links have credit of their own, and the limit is for all of them together. */
  readonly #held: Held[] = []
  /** Given and not settled, with what tells the handler that the peer has taken it away. */
  readonly #given = new Map<Delivery, () => void>()
  readonly #settledSinceCredit = new Map<Receiver, number>()
  #isStopped = false
  #isOver = false

  /** `onLost` is called once, when the peer takes a link, the session or the connection away. */
  constructor(session: PeerSession, options: AttachmentOptions, onLost: (error: Error) => void) {
    this.#session = session
    this.#options = options
    this.#onLost = onLost
  }

  /** Resolves when every link is there. Rejects when one is refused or the session is lost; then the owner closes it. */
  async attach(addresses: readonly string[], deadline: Deadline): Promise<void> {
    const opening = Promise.all(
      addresses.map((address) =>
        openReceiver(
          this.#session.session,
          {
            source: address,
            target: address,
            onClosed: (error) => this.#lost(error),
            onMessage: (context) => this.#onMessage(context),
          },
          deadline,
        ),
      ),
    )
    const receivers = await this.#session.loss.race(opening)
    this.#session.loss.on((error) => this.#lost(error))
    // Credit comes last, so that nothing arrives before every link is there.
    for (const receiver of receivers) {
      this.#receivers.push(receiver)
      this.#settledSinceCredit.set(receiver, 0)
      receiver.add_credit(this.#options.credit)
    }
  }

  /** Takes the credit back; what is under way already is released as it comes. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    for (const { delivery } of this.#held.splice(0)) settle(delivery, 'release')
    for (const receiver of this.#receivers) withdrawCredit(receiver)
  }

  /** Hands back what was given and not settled, and ends the session. */
  async close(): Promise<void> {
    this.stop()
    this.#isOver = true
    for (const delivery of this.#given.keys()) settle(delivery, 'release')
    this.#abandon()
    await this.#session.close()
  }

  /** The peer has taken everything back by itself. */
  #lost(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isStopped = true
    this.#held.length = 0
    this.#abandon()
    // One link of several may be gone: they come back together, in a session of their own.
    void this.#session.close()
    this.#onLost(error)
  }

  #abandon(): void {
    for (const takeAway of this.#given.values()) takeAway()
    this.#given.clear()
  }

  #onMessage({ receiver, delivery, message }: EventContext): void {
    if (receiver === undefined || delivery === undefined || message === undefined) return
    wrapDeliveryCount(receiver)
    if (this.#isStopped) return settle(delivery, 'release')
    if (this.#given.size >= this.#options.prefetch) this.#held.push({ receiver, delivery, message })
    else this.#give({ receiver, delivery, message })
  }

  #give({ receiver, delivery, message }: Held): void {
    let controller: AbortController | undefined
    let isTaken = false
    this.#given.set(delivery, () => {
      isTaken = true
      controller?.abort()
    })
    const end = (how: 'accept' | 'release' | 'unreadable'): void => {
      if (!this.#given.delete(delivery)) return
      settle(delivery, how)
      this.#topUp(receiver)
      const next = this.#isStopped ? undefined : this.#held.shift()
      if (next !== undefined) this.#give(next)
    }
    this.#options.onMessage({
      message,
      // Most messages are settled before anybody asks for it.
      get signal() {
        controller ??= new AbortController()
        if (isTaken) controller.abort()
        return controller.signal
      },
      accept: () => end('accept'),
      release: () => end('release'),
      unreadable: (error) => {
        emitDiagnostic('oslo-messaging:message-dropped', () => ({
          driver: 'amqp',
          source: this.#options.name,
          reason: 'unreadable',
          error,
        }))
        end('unreadable')
      },
    })
  }

  #topUp(receiver: Receiver): void {
    if (this.#isStopped) return
    const settled = (this.#settledSinceCredit.get(receiver) ?? 0) + 1
    const isHalf = settled * 2 >= this.#options.credit
    this.#settledSinceCredit.set(receiver, isHalf ? 0 : settled)
    if (isHalf) receiver.add_credit(settled)
  }
}
