import type { Clock } from '@oslo-messaging/core/driver'
import type { Arrival, Link, LinkSubscription } from '../client/link.ts'

/** One pull lasts so long at most; the server says when it is over. */
const PULL_MS = 30_000
const HEARTBEAT_MS = 5000
/** Without a word for so long, what was asked for counts as not asked. */
const SILENCE_MS = 3 * HEARTBEAT_MS
const OF_A_PULL_LEFT = 'Nats-Pending-Messages'
const WORD_IDLE = 100

/** What a source is of. */
export interface SourceFacts {
  readonly stream: string
  readonly consumer: string
  readonly subject: string
  readonly priority: string
}

/** The messages of one consumer, pulled as there is room for them. */
export class Source {
  readonly facts: SourceFacts
  /** Messages that came and are not settled. */
  held = 0
  readonly #most: number
  readonly #clock: Clock
  readonly #onMessage: (source: Source, arrival: Arrival) => void
  readonly #onGone: (reason: Error) => void
  #link: Link | undefined
  #subscription: LinkSubscription | undefined
  #inbox = ''
  /** Messages that were asked for and may still come. */
  #asked = 0
  #heardAt = 0
  #watch: unknown

  constructor(
    facts: SourceFacts,
    most: number,
    clock: Clock,
    onMessage: (source: Source, arrival: Arrival) => void,
    onGone: (reason: Error) => void,
  ) {
    this.facts = facts
    this.#most = most
    this.#clock = clock
    this.#onMessage = onMessage
    this.#onGone = onGone
  }

  /** Begins on a link. */
  open(link: Link, inbox: string): void {
    this.#link = link
    this.#inbox = inbox
    this.#asked = 0
    this.#subscription = link.subscribe(inbox, (arrival) => this.#onArrival(arrival))
    this.pull()
  }

  /** Asks for as many as there is room for, unless more than half of them are asked for already. */
  pull(): void {
    const link = this.#link
    const room = this.#most - this.held - this.#asked
    if (link === undefined || !link.isOpen || room < 1 || (this.#asked > 0 && room < this.#most / 2)) return
    this.#asked += room
    this.#heardAt = this.#clock.now()
    const { stream, consumer } = this.facts
    const question = { batch: room, expires: PULL_MS * 1e6, idle_heartbeat: HEARTBEAT_MS * 1e6 }
    link.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(question), {}, this.#inbox)
    this.#watchForSilence()
  }

  /** Ends the intake; resolves when what was on its way has arrived. */
  async close(): Promise<void> {
    const subscription = this.#subscription
    this.lost()
    await subscription?.drain()
  }

  /** The link is gone. */
  lost(): void {
    this.#link = undefined
    this.#subscription = undefined
    this.#asked = 0
    this.#clock.clearTimeout(this.#watch)
    this.#watch = undefined
  }

  #onArrival(arrival: Arrival): void {
    this.#heardAt = this.#clock.now()
    if (arrival.status === 0) {
      this.#asked = Math.max(0, this.#asked - 1)
      this.held += 1
      this.#onMessage(this, arrival)
      return
    }
    if (arrival.status === WORD_IDLE || this.#link === undefined) return
    if (arrival.status === 503 || /deleted|No Consumer/i.test(arrival.description)) {
      // Somebody deleted the consumer or the stream: it is declared again, after a pause of the listener's.
      this.#onGone(new Error(`The consumer ${this.facts.consumer} is gone: ${arrival.description || arrival.status}`))
      return
    }
    // The pull is over: its time is up, or the server has given all it may.
    this.#asked = Math.max(0, this.#asked - Number(arrival.headers[OF_A_PULL_LEFT] ?? this.#asked))
    this.pull()
  }

  #watchForSilence(): void {
    if (this.#watch !== undefined) return
    this.#watch = this.#clock.setTimeout(() => {
      this.#watch = undefined
      if (this.#asked === 0) return
      if (this.#clock.now() - this.#heardAt > SILENCE_MS) {
        this.#asked = 0
        this.pull()
      } else this.#watchForSilence()
    }, SILENCE_MS)
  }
}
