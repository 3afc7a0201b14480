import {
  BackpressureError,
  createBackoff,
  type Deadline,
  type MessagingError,
  MessagingTimeout,
  OutstandingLimit,
} from '@oslo-messaging/core/driver'
import type { CompressedBody } from '../wire/compression.ts'
import type { Connection } from '../connection/connection.ts'
import type { Lane, PublishOutcome } from './exchange-channel.ts'
import { Lanes } from './exchange-channels.ts'
import { mapError } from '../connection/map-error.ts'
import { mayRepeat, NotSent, outcomeError, spent } from './publish-errors.ts'
import { blockedFacts } from '../connection/recovery.ts'
import type { Runtime } from '../connection/runtime.ts'
import { type Failure, newProgress, type Shipment } from './outgoing-message.ts'
import { WaitingLine } from './waiting-line.ts'

const SEND_LESS = 'await earlier sends, or raise maxOutstandingMessages or maxOutstandingBytes of createRabbitDriver'

/** Publishes with confirms: a resolved promise means that the broker owns the message. What is outstanding is bounded. */
export class Publisher {
  readonly #runtime: Runtime
  readonly #connection: Connection
  readonly #lanes: Lanes
  readonly #slots: OutstandingLimit
  readonly #bytes: OutstandingLimit
  readonly #line: WaitingLine
  readonly #idleWaiters: (() => void)[] = []

  constructor(runtime: Runtime, connection: Connection) {
    this.#runtime = runtime
    this.#connection = connection
    this.#lanes = new Lanes(connection)
    const { settings } = runtime
    this.#line = new WaitingLine({
      maxMessages: settings.maxWaitingMessages,
      maxCounted: settings.maxPendingCalls,
      maxBytes: settings.maxWaitingBytes,
      sendNow: ({ shipment }, onEnd) => this.#postWatched(shipment, onEnd),
      deliver: async ({ shipment, body }) => await this.#deliver(shipment, body),
      onMoved: () => this.#wakeIdle(),
      explain: (deadline, error) => this.#explain(deadline, error),
    })
    // Who waits for these has a place in the line already.
    const endless = { maxWaitingMessages: Infinity, maxWaitingBytes: Infinity, remedy: SEND_LESS }
    this.#slots = new OutstandingLimit({ ...endless, maxMessages: settings.maxOutstandingMessages, maxBytes: Infinity })
    this.#bytes = new OutstandingLimit({ ...endless, maxMessages: Infinity, maxBytes: settings.maxOutstandingBytes })
  }

  /** Messages handed to the broker and not settled yet. */
  get outstanding(): number {
    return this.#slots.messages
  }

  /** Resolves when the broker owns the message.
   *  Rejects: MessageUndeliverable when it was returned; MessageDeliveryFailure when attempts are spent or nobody knows whether the broker has it;
   *  BackpressureError or MessagingTimeout at the deadline; BackpressureError at once when too many wait already; SerializationError; AuthenticationError or ConfigurationError when the broker refuses for good. */
  send(shipment: Shipment): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (failure: Failure | undefined): void => {
        if (failure === undefined) resolve()
        else reject(failure.error)
      }
      if (!this.#postWatched(shipment, end)) this.#line.enter(shipment, end)
    })
  }

  /** `send` for whoever keeps time and count himself: `onEnd` is called exactly once, with the failure if there is one, but maybe long after the deadline when the
   *  broker owes the confirm. Where everything is at hand it costs neither promise nor timer. */
  post(shipment: Shipment, onEnd: (failure: Failure | undefined) => void): void {
    if (!this.#postNow(shipment, onEnd)) this.#line.enter(shipment, onEnd, true)
  }

  /** Resolves when nothing is outstanding, nor stands in line for a broker that takes messages. */
  async idle(): Promise<void> {
    if (this.#isIdle) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /** `#postNow` that ends at the deadline. */
  #postWatched(shipment: Shipment, onEnd: (failure: Failure | undefined) => void): boolean {
    let ended = false
    let cancel = (): void => {}
    const end = (failure: Failure | undefined): void => {
      if (ended) return
      ended = true
      cancel()
      onEnd(failure)
    }
    if (!this.#postNow(shipment, end)) return false
    if (!ended) cancel = shipment.deadline.watch(shipment.progress, (error) => end({ error }))
    return true
  }

  /** False when something has to be waited for first: then nothing was done. */
  #postNow(shipment: Shipment, onEnd: (failure: Failure | undefined) => void): boolean {
    const lane = this.#lanes.ready(shipment)
    if (lane === undefined || this.#connection.blockedReason !== null || !this.#slots.tryAcquire(0)) return false
    let body: CompressedBody
    try {
      body = shipment.encode()
    } catch (error) {
      this.#releaseSlot()
      onEnd({ error })
      return true
    }
    if (!this.#bytes.tryAcquire(body.body.length)) {
      this.#releaseSlot()
      return false
    }
    return this.#publish(lane, shipment, body, (outcome) => {
      if (outcome.kind === 'confirmed') return onEnd(undefined)
      this.#again(shipment, body, outcome).then(
        () => onEnd(undefined),
        (error: unknown) => onEnd({ error }),
      )
    })
  }

  /** What an attempt at once has left to be done. */
  async #again(shipment: Shipment, body: CompressedBody, first: PublishOutcome): Promise<void> {
    const bytes = body.body.length
    if (!mayRepeat(first, shipment) || !this.#line.tryTake(bytes)) throw outcomeError(first, shipment)
    try {
      await this.#deliver(shipment, body, first)
    } finally {
      this.#line.giveBack(bytes)
    }
  }

  /** Every attempt there is to be; `first` is one that was made already. */
  async #deliver(shipment: Shipment, body: CompressedBody, first?: PublishOutcome): Promise<void> {
    const { deadline, retries, progress } = shipment
    const startedAt = this.#runtime.clock.now()
    const backoff = createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random: this.#runtime.random })
    let outcome = first
    for (let failures = 0; ;) {
      let failure: MessagingError
      try {
        outcome ??= await this.#attempt(shipment, body, retries === null ? null : retries - failures)
        if (outcome.kind === 'confirmed') return
        failure = outcomeError(outcome, shipment)
        if (!mayRepeat(outcome, shipment)) throw failure
      } catch (error) {
        if (!(error instanceof NotSent)) throw error
        failure = error.reason
      }
      outcome = undefined
      failures += 1
      if (retries !== null && failures > retries)
        throw spent(failures, failure, Math.round(this.#runtime.clock.now() - startedAt), progress)
      await deadline.sleep(backoff.next(), progress)
    }
  }

  async #attempt(shipment: Shipment, body: CompressedBody, retries: number | null): Promise<PublishOutcome> {
    const { deadline, progress } = shipment
    for (;;) {
      const lane = this.#lanes.ready(shipment) ?? (await this.#lanes.open(shipment, retries))
      progress.phase = 'publish'
      if (this.#connection.blockedReason !== null) await this.#connection.unblocked(deadline)
      if (!this.#slots.tryAcquire(0)) await this.#slots.acquire(0, deadline)
      try {
        if (!this.#bytes.tryAcquire(body.body.length)) await this.#bytes.acquire(body.body.length, deadline)
      } catch (error) {
        this.#releaseSlot()
        throw error
      }
      let settle = (_outcome: PublishOutcome): void => {}
      const outcome = new Promise<PublishOutcome>((resolve) => {
        settle = resolve
      })
      if (this.#publish(lane, shipment, body, settle)) return await deadline.race(outcome, progress)
      // The lane ended while room was waited for: nothing was sent, another one is tried.
    }
  }

  /** False when the lane is gone: nothing was sent, and what was taken for the message is given back. */
  #publish(
    lane: Lane,
    { exchange, routingKey, mandatory, expiration, progress }: Shipment,
    { headers, body }: CompressedBody,
    onOutcome: (outcome: PublishOutcome) => void,
  ): boolean {
    const settle = (outcome: PublishOutcome): void => {
      this.#bytes.release(body.length)
      this.#releaseSlot()
      if (outcome.kind === 'confirmed') progress.delivery = 'confirmed'
      else if (outcome.kind === 'unknown') this.#lanes.forgetExchange(exchange, outcome.error)
      else progress.delivery = 'not-sent'
      if (outcome.kind === 'nacked') lane.retire()
      onOutcome(outcome)
    }
    let accepted: boolean
    try {
      accepted = lane.publish({ exchange, routingKey, mandatory, expiration, headers, body }, settle)
    } catch (error) {
      settle({ kind: 'unsendable', error })
      return true
    }
    if (accepted) {
      progress.phase = 'confirm'
      progress.delivery = 'unknown'
    } else {
      this.#bytes.release(body.length)
      this.#releaseSlot()
    }
    return accepted
  }

  /** Why a message was not sent by its deadline, although nothing was wrong with it. */
  #explain(deadline: Deadline, error: unknown): MessagingError {
    const { blockedReason, current, error: cause } = this.#connection
    if (blockedReason !== null) return deadline.timeoutError(blockedFacts(blockedReason))
    if (current === undefined) {
      const { message, timeoutMs } = deadline.timeoutError(newProgress())
      const why = cause === undefined ? '' : `: ${mapError(cause).message}`
      return new MessagingTimeout(`${message}${why}`, { ...newProgress(), timeoutMs, cause })
    }
    const { messages } = this.#slots
    const { bytes } = this.#bytes
    return new BackpressureError(
      `${messages} messages (${bytes} bytes) are outstanding and none was settled in time: ${SEND_LESS}`,
      { cause: error },
    )
  }

  #releaseSlot(): void {
    this.#slots.release(0)
    this.#wakeIdle()
  }

  get #isIdle(): boolean {
    const { current, blockedReason } = this.#connection
    const isStuck = current === undefined || blockedReason !== null
    return this.#slots.messages === 0 && (isStuck || !this.#line.isStanding)
  }

  #wakeIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.#isIdle) return
    for (const wake of this.#idleWaiters.splice(0)) wake()
  }
}
