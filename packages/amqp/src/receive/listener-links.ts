import {
  type Clock,
  type Deadline,
  type DuplicateCache,
  emitDiagnostic,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { type ListenerSource, openReceiver } from '../connection/links.ts'
import type { PeerSession } from '../connection/peer-session.ts'
import type { Settlement } from '../session/delivery-state.ts'
import type { Delivery, ReceiverLink } from '../session/receiver-link.ts'
import { readMessage, type ReceivedMessage } from '../wire/read-message.ts'

/** One message as it came in, and how to end it. Each of the settling calls counts once, the first one. */
export interface Incoming {
  readonly message: ReceivedMessage
  /** What it came from. */
  readonly source: ListenerSource | undefined
  /** The peer has forgotten it already, so it cannot be given back. */
  readonly isSettled: boolean
  /** The peer says that somebody has had it before, or it was accepted here before. */
  readonly isRepeated: boolean
  readonly signal: AbortSignal
  readonly accept: () => void
  readonly release: () => void
  /** Refuses it: it is lost, or what the broker makes of what is refused. */
  readonly reject: () => void
  /** Refuses it for good: the peer dead-letters it where it can. */
  readonly unreadable: (error: unknown) => void
}

/** A listener that stops waits so long for a peer to say that nothing is under way any more. */
const STOP_TIMEOUT_MS = 1_000
/** Settled messages of so long a time give their credit back together, when the peer has plenty. */
const GATHER_MS = 50

export interface ListenerLinksOptions {
  readonly name: string
  readonly credit: number
  readonly prefetch: number
  /** Bytes of a message. */
  readonly maxMessageSize: number
  readonly onMessage: (incoming: Incoming) => void
  readonly clock: Clock
  /** See `Addressing`. */
  readonly tellsFirstAcquirer: boolean
  /** Ids of what was accepted last, over earlier connections too. A peer that had not read that gives it again, and
   *  most do not say so. */
  readonly accepted: DuplicateCache
}

interface Held {
  readonly delivery: Delivery
  readonly message: ReceivedMessage
  /** On the clock's `now`; Infinity: never. */
  readonly expiresAt: number
}

/** The links of a listener during one connection, all in one session; thrown away with it. Credit is topped up only as
 *  messages are settled. */
export class ListenerLinks {
  readonly #session: PeerSession
  readonly #options: ListenerLinksOptions
  readonly #onLost: (error: Error) => void
  readonly #receivers = new Map<ReceiverLink, ListenerSource>()
  /** Messages beyond the prefetch: several links have credit of their own, and the limit is for all of them
   *  together. */
  readonly #held: Held[] = []
  /** Given and not settled, with what tells the handler that the peer has taken it away. */
  readonly #given = new Map<Delivery, () => void>()
  readonly #settledSinceCredit = new Map<ReceiverLink, number>()
  #giveBackSoon: NodeJS.Immediate | undefined
  #giveBackLater: unknown
  #stopping: Promise<void> | undefined
  /** A link has no more under way, while it stops. */
  #onDrained = (): void => {}
  #hasComeSettled = false
  #isStopped = false
  /** Nothing is given any more. */
  #isSilent = false
  #isOver = false

  /** `onLost` is called once, when the peer takes a link, the session or the connection away. */
  constructor(session: PeerSession, options: ListenerLinksOptions, onLost: (error: Error) => void) {
    this.#session = session
    this.#options = options
    this.#onLost = onLost
  }

  /** Resolves when every link is there. Rejects when one is refused or the session is lost; then the owner closes
   *  it. */
  async attach(sources: readonly ListenerSource[], deadline: Deadline): Promise<void> {
    const opening = Promise.all(
      sources.map(async (source) => {
        const target = typeof source === 'string' ? source : source.address
        const onClosed = (error: Error): void => this.#lost(error)
        const onMessage = (delivery: Delivery): void => this.#onMessage(delivery)
        const { maxMessageSize } = this.#options
        const onDrained = (): void => this.#onDrained()
        const options = { source, target, maxMessageSize, onClosed, onMessage, onDrained }
        const receiver = await openReceiver(this.#session.session, options, deadline)
        return { receiver, source }
      }),
    )
    const links = await this.#session.loss.race(opening)
    this.#session.loss.on((error) => this.#lost(error))
    // Credit comes last, so that nothing arrives before every link is there.
    for (const { receiver, source } of links) {
      this.#receivers.set(receiver, source)
      if (!this.#isStopped) receiver.addCredit(this.#options.credit)
    }
  }

  /** Takes the credit back. What is held is released, and so is what is under way as it comes, but for what its sender
   *  has settled, which would be lost: that is given first. Resolves when no more of it comes, or after a second for a
   *  peer that does not say so. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#emptyHeld()
    for (const receiver of this.#receivers.keys()) receiver.withdrawCredit()
    if (this.#hasComeSettled) await this.#nothingUnderWay()
    this.#isSilent = true
  }

  #nothingUnderWay(): Promise<void> {
    const { clock } = this.#options
    let undrained = this.#receivers.size
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, STOP_TIMEOUT_MS)
      this.#onDrained = () => {
        undrained -= 1
        if (undrained > 0 && !this.#isOver) return
        clock.clearTimeout(timer)
        resolve()
      }
      for (const receiver of this.#receivers.keys()) receiver.drain(0)
    })
  }

  /** What is held goes back, or to the handler where the peer has forgotten it. */
  #emptyHeld(): void {
    for (const { delivery, message } of this.#held.splice(0))
      if (delivery.isSettled) this.#give({ delivery, message })
      else settle(delivery, 'release')
  }

  /** Hands back what was given and not settled, and ends the session. */
  async close(): Promise<void> {
    void this.stop()
    this.#isOver = true
    for (const delivery of this.#given.keys()) settle(delivery, 'release')
    this.#abandon()
    await this.#session.close()
  }

  /** The peer has taken everything back by itself. */
  #lost(error: Error): void {
    if (this.#isOver) return
    this.#emptyHeld()
    this.#isOver = true
    this.#isStopped = true
    this.#onDrained()
    this.#abandon()
    // One link of several may be gone: they come back together, in a session of their own.
    void this.#session.close()
    this.#onLost(error)
  }

  #abandon(): void {
    this.#options.clock.clearTimeout(this.#giveBackLater)
    clearImmediate(this.#giveBackSoon)
    for (const takeAway of this.#given.values()) takeAway()
    this.#given.clear()
  }

  #onMessage(delivery: Delivery): void {
    // Nothing may follow the end of a session; the peer takes back by itself what it gave to one that has ended.
    if (this.#isOver) return
    this.#hasComeSettled ||= delivery.isSettled
    const { credit, prefetch } = this.#options
    const most = credit * this.#receivers.size
    // A peer that keeps to its credit sends no more than that, and nothing settled once it has said that nothing is
    // under way.
    const isTooMuch = this.#isStopped
      ? this.#isSilent || this.#given.size >= prefetch + most
      : this.#held.length >= most
    if (isTooMuch || (this.#isStopped && !delivery.isSettled)) return this.#giveUp(delivery)
    const message = this.#read(delivery)
    if (message === undefined) return
    if (this.#given.size < prefetch || this.#isStopped) return this.#give({ delivery, message })
    const expiresAt = message.ttl === undefined ? Infinity : this.#options.clock.now() + message.ttl
    this.#held.push({ delivery, message, expiresAt })
  }

  #giveUp(delivery: Delivery): void {
    if (!delivery.isSettled) return settle(delivery, 'release')
    const error = new TransportDriverError('A message that its sender had settled came too late, or was too much', {
      retryable: false,
    })
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: `amqp ${this.#options.name}`, error }))
  }

  /** The oldest held message that is still worth handling. */
  #giveNext(): void {
    while (!this.#isStopped) {
      const next = this.#held.shift()
      if (next === undefined) return
      if (this.#options.clock.now() < next.expiresAt) return this.#give(next)
      settle(next.delivery, 'accept')
      this.#topUp(next.delivery.link)
      this.#dropped('expired')
    }
  }

  #dropped(reason: 'expired' | 'unreadable', error?: unknown): void {
    const { name: source } = this.#options
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'amqp', source, reason, error }))
  }

  /** What cannot be read is refused, and the next message is handled. */
  #read(delivery: Delivery): ReceivedMessage | undefined {
    try {
      return readMessage(delivery.bytes)
    } catch (error) {
      settle(delivery, 'unreadable')
      this.#topUp(delivery.link)
      this.#dropped('unreadable', error)
      return undefined
    }
  }

  #give({ delivery, message }: Omit<Held, 'expiresAt'>): void {
    let controller: AbortController | undefined
    let isTaken = false
    // Nobody takes away what the peer has forgotten.
    const takeAway = (): void => {
      isTaken = !delivery.isSettled
      if (isTaken) controller?.abort()
    }
    this.#given.set(delivery, takeAway)
    const { accepted, tellsFirstAcquirer } = this.#options
    const id = message.messageId?.toString('latin1')
    const end = (how: 'accept' | 'release' | 'refuse' | 'unreadable'): void => {
      if (!this.#given.delete(delivery)) return
      if (how === 'accept' && id !== undefined) accepted.add(id)
      settle(delivery, how)
      this.#topUp(delivery.link)
      this.#giveNext()
    }
    this.#options.onMessage({
      message,
      source: this.#receivers.get(delivery.link),
      isSettled: delivery.isSettled,
      isRepeated: (tellsFirstAcquirer && message.isFirstAcquirer === false) || (id !== undefined && accepted.has(id)),
      // Most messages are settled before anybody asks for it.
      get signal() {
        controller ??= new AbortController()
        if (isTaken) controller.abort()
        return controller.signal
      },
      accept: () => end('accept'),
      release: () => end('release'),
      reject: () => end('refuse'),
      unreadable: (error) => {
        this.#dropped('unreadable', error)
        end('unreadable')
      },
    })
  }

  /** Gives the credit of settled messages back, for many together: at the end of the turn once it is as much as the
   *  peer has left, so that stuck handlers take their share of the credit and no more; else a little later. */
  #topUp(receiver: ReceiverLink): void {
    if (this.#isStopped) return
    const settled = (this.#settledSinceCredit.get(receiver) ?? 0) + 1
    this.#settledSinceCredit.set(receiver, settled)
    if (settled >= receiver.credit)
      this.#giveBackSoon ??= setImmediate(() => {
        this.#giveBackSoon = undefined
        this.#giveBackAll()
      })
    else
      this.#giveBackLater ??= this.#options.clock.setTimeout(() => {
        this.#giveBackLater = undefined
        this.#giveBackAll()
      }, GATHER_MS)
  }

  #giveBackAll(): void {
    if (this.#isStopped) return
    for (const [receiver, settled] of this.#settledSinceCredit) receiver.addCredit(settled)
    this.#settledSinceCredit.clear()
  }
}

const settle = (delivery: Delivery, how: Settlement): void => delivery.link.settle(delivery, how)
