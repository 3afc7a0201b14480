import type { Clock, Deadline } from '@oslo-messaging/core/driver'
import { openReceiver, type ReceiverOptions } from '../connection/links.ts'
import type { PeerSession } from '../connection/peer-session.ts'
import type { Delivery, ReceiverLink } from '../session/receiver-link.ts'

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

/** Letters of one address, taken in rounds and kept unsettled: what is not accepted stays the peer's. */
export class RedriveSource {
  readonly #session: PeerSession
  #receiver: ReceiverLink | undefined
  readonly #clock: Clock
  readonly #arrived: Letter[] = []
  #wake: () => void = () => {}
  #isDrained = false
  /** Messages have used up what the last round gave: its answer may come yet, or never. */
  #isUnanswered = false

  private constructor(session: PeerSession, clock: Clock) {
    this.#session = session
    this.#clock = clock
  }

  /** Rejects when the peer has no such address. */
  static async open(session: PeerSession, address: string, clock: Clock, deadline: Deadline): Promise<RedriveSource> {
    const source = new RedriveSource(session, clock)
    const options: ReceiverOptions = {
      source: address,
      target: address,
      // Whatever is stored there may be moved.
      maxMessageSize: 0,
      onClosed: () => {},
      onMessage: (delivery) => source.#take(delivery),
      onDrained: () => {
        source.#isDrained = true
        source.#wake()
      },
    }
    source.#receiver = await session.loss.race(openReceiver(session.session, options, deadline))
    return source
  }

  /** The next letters, at most `most`; fewer than that: there are no more. */
  async next(most: number, deadline: Deadline): Promise<readonly Letter[]> {
    const credit = Math.min(most, CREDIT)
    this.#ask(credit)
    while (this.#arrived.length < credit) {
      if (this.#isDrained) {
        if (!this.#isUnanswered) break
        // Artemis answers the round before when it gets to it, and takes back what was given for this one by then.
        this.#isUnanswered = false
        this.#ask(credit - this.#arrived.length)
      }
      const before = this.#arrived.length
      await this.#session.loss.race(deadline.race(this.#news(), NEITHER_MESSAGE_NOR_END))
      if (this.#arrived.length === before && !this.#isDrained) break
    }
    this.#isUnanswered = !this.#isDrained
    return this.#arrived.splice(0)
  }

  #ask(credit: number): void {
    this.#isDrained = false
    this.#receiver?.drain(credit)
  }

  accept({ delivery }: Letter): void {
    delivery.link.settle(delivery, 'accept')
  }

  release({ delivery }: Letter): void {
    delivery.link.settle(delivery, 'release')
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

  #take(delivery: Delivery): void {
    this.#arrived.push({ bytes: delivery.bytes, delivery })
    this.#wake()
  }
}
