import type { Clock, Deadline } from '@oslo-messaging/core/driver'
import {
  type Delivery,
  type EventContext,
  type Receiver,
  type Session,
  settle,
  wrapDeliveryCount,
} from '../client/client.ts'
import { openReceiver } from '../connection/links.ts'
import type { PeerSession } from '../connection/peer-session.ts'

/** Credit given at a time. */
const CREDIT = 100
/** A peer that does not say that it has nothing more is believed to after this silence. */
const SILENCE_MS = 2000
const NEITHER_MESSAGE_NOR_END = { phase: 'reply', delivery: 'not-sent', waitingFor: 'dead letters' } as const

/** A dead letter in hand, undecoded and unsettled. */
export interface Letter {
  readonly bytes: Buffer
  readonly delivery: Delivery
}

interface TransferFrame {
  readonly performative: { message_format?: number }
}

/** Letters of one address, taken in rounds and kept unsettled: what is not accepted stays the peer's. */
export class RedriveSource {
  readonly #session: PeerSession
  readonly #receiver: Receiver
  readonly #clock: Clock
  readonly #arrived: Letter[] = []
  #wake: () => void = () => {}
  #isDrained = false

  private constructor(session: PeerSession, receiver: Receiver, clock: Clock) {
    this.#session = session
    this.#receiver = receiver
    this.#clock = clock
    receiver.on('receiver_drained', () => {
      this.#isDrained = true
      this.#wake()
    })
  }

  /** Rejects when the peer has no such address. */
  static async open(session: PeerSession, address: string, clock: Clock, deadline: Deadline): Promise<RedriveSource> {
    takeBytes(session.session)
    let source: RedriveSource | undefined
    const onMessage = (context: EventContext): void => {
      if (source !== undefined) source.#take(context)
    }
    const options = { source: address, target: address, onClosed: () => {}, onMessage }
    const receiver = await session.loss.race(openReceiver(session.session, options, deadline))
    source = new RedriveSource(session, receiver, clock)
    return source
  }

  /** The next letters, at most `most`; fewer than that: there are no more. */
  async next(most: number, deadline: Deadline): Promise<readonly Letter[]> {
    const credit = Math.min(most, CREDIT)
    this.#isDrained = false
    this.#receiver.add_credit(credit)
    this.#receiver.drain_credit()
    while (this.#arrived.length < credit && !this.#isDrained) {
      const before = this.#arrived.length
      await this.#session.loss.race(deadline.race(this.#news(), NEITHER_MESSAGE_NOR_END))
      if (this.#arrived.length === before) break
    }
    return this.#arrived.splice(0)
  }

  accept({ delivery }: Letter): void {
    settle(delivery, 'accept')
  }

  release({ delivery }: Letter): void {
    settle(delivery, 'release')
  }

  /** What was not settled goes back. */
  async close(): Promise<void> {
    await this.#session.close()
  }

  /** Resolves when something has come, or nothing for a while. */
  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, SILENCE_MS)
      this.#wake = () => {
        this.#clock.clearTimeout(timer)
        resolve()
      }
    })
  }

  #take({ receiver, delivery, message }: EventContext): void {
    if (receiver === undefined || delivery === undefined || !Buffer.isBuffer(message)) return
    wrapDeliveryCount(receiver)
    this.#arrived.push({ bytes: message, delivery })
    this.#wake()
  }
}

/** Has rhea hand out the messages of a session as they are: it decodes those of the specification's own format alone. */
function takeBytes(session: Session): void {
  const internals = session as Session & { on_transfer(frame: TransferFrame): void }
  const take = internals.on_transfer.bind(session)
  internals.on_transfer = (frame) => {
    frame.performative.message_format = 1
    take(frame)
  }
}
