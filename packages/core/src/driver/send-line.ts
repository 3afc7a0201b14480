import { isMessagingError, MessageDeliveryFailure, type MessagingError } from '../errors.ts'
import { createBackoff } from '../util/backoff.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import type { Deadline, WaitFacts } from '../util/deadline.ts'
import { errorText } from '../util/text.ts'
import { Lane } from './lane.ts'
import type { OutstandingLimit } from './outstanding-limit.ts'
import type { ReadyOptions } from './supervisor.ts'

/** What a line stands on. */
export interface SendLineOptions {
  /** How much may be under way and wait. */
  readonly limit: OutstandingLimit
  /** Waits until there is a connection: `Supervisor.ready`. */
  readonly ready: (deadline: Deadline, facts: WaitFacts, options?: ReadyOptions) => Promise<void>
  readonly clock?: Clock
  /** Source of randomness for the waits between attempts. Default `Math.random`. */
  readonly random?: () => number
}

/** How one message waits. */
export interface LineOptions {
  readonly deadline: Deadline
  /** Attempts after the first; null: no limit but the deadline. */
  readonly retries: number | null
  /** Whether a message that may have arrived can be sent again after this failure: for brokers that know a message by
   *  its id and keep it once. Default: never. */
  readonly isRepeatable?: (error: MessagingError) => boolean
}

const NOT_SENT: WaitFacts = { phase: 'publish', delivery: 'not-sent' }
const UNCONFIRMED: WaitFacts = { phase: 'confirm', delivery: 'unknown' }

/** Messages on their way to the broker: in the order of the calls, within bounds, each repeated only while it is known
 *  not to have arrived. */
export class SendLine {
  readonly #options: SendLineOptions
  readonly #clock: Clock
  readonly #lane = new Lane()

  constructor(options: SendLineOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Sends one message of `bytes`. `publish` hands it to the connection at once, before its first `await`, and resolves
   *  when the broker has confirmed it; it rejects with `delivery: 'not-sent'` only for what certainly did not arrive.
   *  Resolves with what `publish` does. Rejects: BackpressureError; MessagingTimeout (`not-sent` before `publish` was
   *  called, `unknown` after it); MessageDeliveryFailure when retries are spent, or when a repeated message is refused
   *  that may have arrived before; what `publish` rejects with.
   *  The place in the bounds is held until `publish` settles, however early the deadline was, because the message is
   *  under way until then. A message that is repeated comes behind those that were sent since. */
  async send<T>(bytes: number, options: LineOptions, publish: () => Promise<T>): Promise<T> {
    const { limit } = this.#options
    const { deadline } = options
    const turn = this.#lane.enter()
    let underWay: Promise<T> | undefined
    try {
      await limit.acquire(bytes, deadline)
    } catch (error) {
      turn.leave()
      throw error
    }
    const release = (): void => limit.release(bytes)
    try {
      await deadline.race(turn.before, NOT_SENT)
      return await this.#attempts(options, () => {
        underWay = publish()
        turn.leave()
        return underWay
      })
    } finally {
      turn.leave()
      if (underWay === undefined) release()
      else underWay.then(release, release)
    }
  }

  async #attempts<T>({ deadline, retries, isRepeatable }: LineOptions, publish: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now()
    const backoff = createBackoff({ initialMs: 20, factor: 2, maxMs: 1000, random: this.#options.random })
    // Of what may have arrived once, nothing that comes later says that it did not.
    let known = NOT_SENT
    let attempt = 1
    const givenUp = (error: MessagingError): MessageDeliveryFailure =>
      new MessageDeliveryFailure(`Gave up after ${attempt} attempts: ${errorText(error)}`, {
        cause: error,
        retryable: error.retryable,
        ...known,
        attempts: attempt,
        elapsedMs: Math.round(this.#clock.now() - startedAt),
      })
    for (; ; attempt += 1) {
      const left = retries === null ? null : Math.max(0, retries - (attempt - 1))
      await this.#options.ready(deadline, known, { retries: left })
      deadline.check(known)
      try {
        return await deadline.race(publish(), UNCONFIRMED)
      } catch (error) {
        if (!isMessagingError(error) || isMessagingError(error, 'TIMEOUT')) throw error
        const { delivery = 'unknown' } = error
        if (!error.retryable || (delivery !== 'not-sent' && isRepeatable?.(error) !== true)) {
          // Of this attempt alone it is true that nothing arrived.
          if (delivery === 'not-sent' && known.delivery !== 'not-sent') throw givenUp(error)
          throw error
        }
        if (delivery !== 'not-sent') known = UNCONFIRMED
        if (retries !== null && attempt > retries) throw givenUp(error)
        // What was lost with a connection waits for the next one alone, and so keeps its order.
        if (attempt > 1) await deadline.sleep(backoff.next(), known)
      }
    }
  }
}
