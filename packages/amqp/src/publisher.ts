import {
  ClosedError,
  type Deadline,
  type DeliveryState,
  type DriverContext,
  MessageDeliveryFailure,
  OutstandingLimit,
} from '@oslo-messaging/core/driver'
import type { Message, Session } from './client.ts'
import type { AmqpOptions } from './config.ts'
import type { AmqpConnection, Live } from './connection.ts'
import { mapError } from './map-error.ts'
import { openSenderQueue, type SenderQueue } from './sender-queue.ts'

/** rhea's session holds 2048 unsettled transfers unless told otherwise; ours holds more, and this stays below it. */
const MAX_OUTSTANDING_MESSAGES = 2_000
const MAX_OUTSTANDING_BYTES = 64 * 1024 * 1024

export interface PublishOptions {
  readonly deadline: Deadline
  /** Sent settled: resolves when it was written, and nobody learns of a loss. */
  readonly preSettled: boolean
  /** Attempts after the first for what the peer hands back; null: until the deadline. */
  readonly retries: number | null
}

/** Sends messages over sender links that are made once for each address and closed when idle. All share one session: only what a link has credit for is
 *  handed to rhea, so none waits behind another. */
export class Publisher {
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #limit = new OutstandingLimit({ maxMessages: MAX_OUTSTANDING_MESSAGES, maxBytes: MAX_OUTSTANDING_BYTES })
  #of: Live | undefined
  #session: Promise<Session> | undefined
  #senders = new Map<string, Promise<SenderQueue>>()
  #sweeper: unknown
  #closed = false

  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>) {
    this.#connection = connection
    this.#context = context
  }

  /** Messages handed over and not settled. */
  get outstanding(): number {
    return this.#limit.messages
  }

  /** Resolves when the peer has accepted the message (or, pre-settled, when it was written). Rejects at the deadline, with MessageDeliveryFailure when the peer refuses it or the
   *  retries are spent, and with delivery `unknown` when the link is lost in between. Source: WIRE 7.5. */
  async send(address: string, message: Message, bytes: number, options: PublishOptions): Promise<void> {
    const { deadline, retries } = options
    if (!this.#limit.tryAcquire(bytes)) await this.#limit.acquire(bytes, deadline)
    const startedAt = this.#context.clock.now()
    try {
      for (let attempt = 0; ; attempt += 1) {
        const failure = await this.#attempt(address, message, options)
        if (failure === undefined) return
        if (failure.final || (retries !== null && attempt >= retries))
          throw this.#failure(failure, attempt + 1, startedAt)
        await deadline.sleep(this.#context.options.link_retry_delay * 1000, { phase: 'confirm', delivery: 'not-sent' })
      }
    } finally {
      this.#limit.release(bytes)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#sweeper !== undefined) this.#context.clock.clearTimeout(this.#sweeper)
    const senders = [...this.#senders.values()]
    this.#senders.clear()
    for (const sender of await Promise.allSettled(senders)) if (sender.status === 'fulfilled') sender.value.close()
  }

  async #attempt(address: string, message: Message, options: PublishOptions): Promise<Failure | undefined> {
    const queue = await this.#senderFor(address, options.deadline)
    const outcome = await queue.send(message, options.deadline, options.preSettled)
    switch (outcome.type) {
      case 'accepted':
        return undefined
      case 'released':
        return {
          final: false,
          delivery: 'not-sent',
          text: 'The peer released it: nobody takes messages of this address now',
        }
      case 'modified':
        return outcome.deliveryFailed || outcome.undeliverableHere
          ? { final: true, delivery: 'not-sent', text: 'The peer says that it cannot deliver it' }
          : { final: false, delivery: 'not-sent', text: 'The peer handed it back' }
      default:
        return {
          final: true,
          delivery: 'not-sent',
          text: `The peer rejected it: ${[outcome.condition, outcome.description].filter(Boolean).join(': ')}`,
          cause: outcome,
        }
    }
  }

  #failure(failure: Failure, attempts: number, startedAt: number): MessageDeliveryFailure {
    return new MessageDeliveryFailure(failure.text, {
      attempts,
      elapsedMs: this.#context.clock.now() - startedAt,
      phase: 'confirm',
      delivery: failure.delivery,
      ...(failure.cause === undefined ? {} : { cause: failure.cause }),
    })
  }

  async #senderFor(address: string, deadline: Deadline): Promise<SenderQueue> {
    if (this.#closed) throw new ClosedError('The driver is closed')
    const live = this.#connection.current ?? (await this.#connection.live(deadline))
    if (this.#of !== live) {
      // Another connection: the links of the old one are gone, and whoever waited on them has heard.
      this.#of = live
      this.#session = undefined
      this.#senders = new Map()
      live.connection.onLost((error) => this.#lose(live, error))
    }
    const known = this.#senders.get(address)
    if (known !== undefined) return await deadline.race(known, { phase: 'connect', delivery: 'not-sent' })
    this.#session ??= this.#openSession(live)
    const senders = this.#senders
    const opening = openSenderQueue(this.#session, address, deadline, {
      clock: this.#context.clock,
      onGone: () => senders.delete(address),
    })
    senders.set(address, opening)
    this.#sweepLater()
    try {
      return await opening
    } catch (error) {
      senders.delete(address)
      throw mapError(error, { phase: 'declare', delivery: 'not-sent', doing: `No sender for ${address}` })
    }
  }

  #openSession(live: Live): Promise<Session> {
    const opening = live.connection.openSession()
    const gone = (error: unknown): void => {
      if (this.#session === opening)
        this.#lose(live, mapError(error, { phase: 'publish', delivery: 'not-sent', doing: 'The session was ended' }))
    }
    opening.then((session) => session.on('session_close', () => gone(session.error)), gone)
    return opening
  }

  /** Every link of the session is gone; the next message opens another. */
  #lose(live: Live, error: Error): void {
    if (this.#of !== live) return
    const senders = [...this.#senders.values()]
    this.#session = undefined
    this.#senders = new Map()
    for (const opening of senders)
      opening.then(
        (queue) => queue.lost(error),
        () => undefined,
      )
  }

  /** Idle links are closed by one timer for all of them, so that sending starts none. */
  #sweepLater(): void {
    if (this.#sweeper !== undefined) return
    const periodMs = this.#context.options.default_sender_link_timeout * 1000
    this.#sweeper = this.#context.clock.setTimeout(() => {
      this.#sweeper = undefined
      const before = this.#context.clock.now() - periodMs
      for (const [address, opening] of this.#senders) {
        void opening.then(
          (queue) => {
            if (!queue.idleSince(before)) return
            this.#senders.delete(address)
            queue.close()
          },
          () => undefined,
        )
      }
      if (this.#senders.size > 0) this.#sweepLater()
    }, periodMs)
  }
}

interface Failure {
  readonly final: boolean
  readonly delivery: DeliveryState
  readonly text: string
  readonly cause?: unknown
}
