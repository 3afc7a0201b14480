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
import { CONFIRMED, type ExchangeChannel, type PublishOutcome } from './exchange-channel.ts'
import { ExchangeChannels } from './exchange-channels.ts'
import { BodyMemory } from './body-memory.ts'
import { mapError } from '../connection/map-error.ts'
import { mayRepeat, NotSent, outcomeError, spent, withLastFailure } from './publish-errors.ts'
import { blockedFacts } from '../connection/recovery.ts'
import type { Runtime } from '../connection/runtime.ts'
import { Limiter } from '../topology/limiter.ts'
import { type Failure, newProgress, type OutgoingMessage } from './outgoing-message.ts'
import { WaitingLine } from './waiting-line.ts'

const SEND_LESS = 'await earlier sends, or raise maxOutstandingMessages or maxOutstandingBytes of createRabbitDriver'

/** Each of them has a channel of its own for a moment. */
const MOST_SUSPECTS = 16
/** A confirm that takes longer holds up no other of them. */
const SUSPECT_MS = 1000

/** Publishes with confirms: a resolved promise means that the broker owns the message. What is outstanding is
 *  bounded. */
export class Publisher {
  /** For the bodies of what is sent. */
  readonly memory: BodyMemory = new BodyMemory()
  readonly #runtime: Runtime
  readonly #connection: Connection
  readonly #channels: ExchangeChannels
  readonly #slots: OutstandingLimit
  readonly #bytes: OutstandingLimit
  readonly #line: WaitingLine
  /** Messages of which one made the broker close their channel, each on its own now. */
  readonly #suspects = new Limiter(MOST_SUSPECTS, SUSPECT_MS)
  readonly #idleWaiters: (() => void)[] = []

  constructor(runtime: Runtime, connection: Connection) {
    this.#runtime = runtime
    this.#connection = connection
    this.#channels = new ExchangeChannels(connection, runtime.clock)
    const { settings } = runtime
    this.#line = new WaitingLine({
      maxMessages: settings.maxWaitingMessages,
      maxCounted: settings.maxPendingCalls,
      maxBytes: settings.maxWaitingBytes,
      sendNow: ({ outgoing }, onEnd) => this.#postWatched(outgoing, onEnd),
      deliver: async ({ outgoing, body }) => await this.#deliver(outgoing, body),
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
   *  Rejects: MessageUndeliverable when it was returned; MessageDeliveryFailure when attempts are spent or nobody knows
   *  whether the broker has it; BackpressureError or MessagingTimeout at the deadline; BackpressureError at once when
   *  too many wait already; SerializationError; AuthenticationError or ConfigurationError when the broker refuses for
   *  good. */
  send(outgoing: OutgoingMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (failure: Failure | undefined): void => {
        if (failure === undefined) resolve()
        else reject(failure.error)
      }
      const isFirst = this.#line.advance(outgoing.exchange)
      if (!isFirst || !this.#postWatched(outgoing, end)) this.#line.enter(outgoing, end)
    })
  }

  /** `send` for whoever keeps time and count himself: `onEnd` is called exactly once, with the failure if there is one,
   *  but maybe long after the deadline when the broker owes the confirm. Where everything is at hand it costs neither
   *  promise nor timer. */
  post(outgoing: OutgoingMessage, onEnd: (failure: Failure | undefined) => void): void {
    const isFirst = this.#line.advance(outgoing.exchange)
    if (!isFirst || !this.#postNow(outgoing, onEnd)) this.#line.enter(outgoing, onEnd, true)
  }

  /** Resolves when nothing is outstanding, nor stands in line for a broker that takes messages. */
  async idle(): Promise<void> {
    if (this.#isIdle) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /** `#postNow` that ends at the deadline. */
  #postWatched(outgoing: OutgoingMessage, onEnd: (failure: Failure | undefined) => void): boolean {
    let ended = false
    let cancel = (): void => {}
    const end = (failure: Failure | undefined): void => {
      if (ended) return
      ended = true
      cancel()
      onEnd(failure)
    }
    if (!this.#postNow(outgoing, end)) return false
    const { deadline, progress } = outgoing
    if (!ended) cancel = deadline.watch(progress, (error) => end({ error: withLastFailure(error, progress) }))
    return true
  }

  /** False when something has to be waited for first: then nothing was done. */
  #postNow(outgoing: OutgoingMessage, onEnd: (failure: Failure | undefined) => void): boolean {
    const channel = this.#channels.ready(outgoing)
    if (channel === undefined || this.#connection.blockedReason !== null || !this.#slots.tryAcquire(0)) return false
    let body: CompressedBody
    try {
      body = outgoing.encode()
    } catch (error) {
      this.#releaseSlot()
      onEnd({ error })
      return true
    }
    if (!this.#bytes.tryAcquire(body.body.length)) {
      this.#releaseSlot()
      return false
    }
    return this.#publish(channel, outgoing, body, (outcome) => {
      if (outcome.kind === 'confirmed') return onEnd(undefined)
      this.#again(outgoing, body, outcome).then(
        () => onEnd(undefined),
        (error: unknown) => onEnd({ error }),
      )
    })
  }

  /** What an attempt at once has left to be done. */
  async #again(outgoing: OutgoingMessage, body: CompressedBody, first: PublishOutcome): Promise<void> {
    const bytes = body.body.length
    if (!mayRepeat(first, outgoing) || !this.#line.tryTake(bytes)) throw outcomeError(first, outgoing)
    try {
      await this.#deliver(outgoing, body, first)
    } finally {
      this.#line.giveBack(bytes)
    }
  }

  /** Every attempt there is to be; `first` is one that was made already. */
  async #deliver(outgoing: OutgoingMessage, body: CompressedBody, first?: PublishOutcome): Promise<void> {
    const { deadline, retries, progress } = outgoing
    const startedAt = this.#runtime.clock.now()
    const backoff = createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random: this.#runtime.random })
    let outcome = first
    let isSuspect = false
    try {
      for (let failures = 0; ;) {
        try {
          const left = retries === null ? null : retries - failures
          outcome ??= isSuspect
            ? await this.#suspects.pass(async () => await this.#attempt(outgoing, body, left, true))
            : await this.#attempt(outgoing, body, left)
          if (outcome.kind === 'confirmed') return
          progress.lastFailure = outcomeError(outcome, outgoing)
          if (!mayRepeat(outcome, outgoing)) throw progress.lastFailure
          isSuspect = outcome.kind === 'unknown' && outcome.because === 'suspect'
        } catch (error) {
          if (!(error instanceof NotSent)) throw error
          progress.lastFailure = error.reason
        }
        const blameless = outcome?.kind === 'unsent' || isSuspect
        outcome = undefined
        // What another message was the reason for is no attempt of this one.
        if (blameless) continue
        failures += 1
        if (retries !== null && failures > retries)
          throw spent(failures, progress.lastFailure, Math.round(this.#runtime.clock.now() - startedAt), progress)
        await deadline.sleep(backoff.next(), progress)
      }
    } catch (error) {
      throw withLastFailure(error, progress)
    }
  }

  /** `alone`: on a channel that no other message uses, so that what happens to it is this message's own doing. */
  async #attempt(
    outgoing: OutgoingMessage,
    body: CompressedBody,
    retries: number | null,
    alone = false,
  ): Promise<PublishOutcome> {
    const { deadline, progress } = outgoing
    for (;;) {
      if (alone) deadline.check(progress)
      const channel = alone
        ? await this.#channels.openAlone(outgoing, retries)
        : (this.#channels.ready(outgoing) ?? (await this.#channels.open(outgoing, retries)))
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
      const isSent = this.#publish(channel, outgoing, body, settle)
      if (alone) channel.retire()
      if (isSent) return await deadline.race(outcome, progress)
      // The channel ended while room was waited for: nothing was sent, another one is tried.
    }
  }

  /** False when the channel is gone: nothing was sent, and what was taken for the message is given back. */
  #publish(
    channel: ExchangeChannel,
    outgoing: OutgoingMessage,
    { headers, body }: CompressedBody,
    onOutcome: (outcome: PublishOutcome) => void,
  ): boolean {
    const { exchange, routingKey, mandatory, expiration, progress } = outgoing
    const settle = (outcome: PublishOutcome): void => {
      this.#bytes.release(body.length)
      this.#releaseSlot()
      if (outcome.kind === 'confirmed') {
        progress.phase = 'reply'
        progress.delivery = 'confirmed'
        if (progress.waitingFor !== undefined) delete progress.waitingFor
        // The broker has read it to its end, so the socket is done with it as well, and there was no other.
        this.memory.release(body)
      } else if (outcome.kind === 'returned' && outgoing.onDropped !== undefined) {
        progress.phase = 'reply'
        progress.delivery = progress.maybeSent === true ? 'unknown' : 'not-sent'
        progress.waitingFor = 'reply to a request that no queue took'
        outgoing.onDropped()
        return onOutcome(CONFIRMED)
      } else {
        if (outcome.kind === 'unknown' || outcome.kind === 'nacked') progress.maybeSent = true
        this.memory.forget(body)
        progress.delivery = progress.maybeSent === true ? 'unknown' : 'not-sent'
        this.#channels.noteFailure(outgoing, outcome)
      }
      if (outcome.kind === 'nacked') channel.retire()
      onOutcome(outcome)
    }
    const refusal = this.#channels.refusalOf(body.length)
    if (refusal !== undefined) {
      settle(refusal)
      return true
    }
    let accepted: boolean
    try {
      accepted = channel.publish({ exchange, routingKey, mandatory, expiration, headers, body }, settle)
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
