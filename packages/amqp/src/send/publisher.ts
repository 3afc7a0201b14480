import {
  ClosedError,
  type ComponentHealth,
  createBackoff,
  Deadline,
  type DriverContext,
  MessageDeliveryFailure,
  type MessagingError,
  MessagingTimeout,
  OutstandingLimit,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { Addressing } from '../topology/addressing.ts'
import { BlockedLinks } from './blocked-links.ts'
import type { AmqpOptions } from '../config.ts'
import type { AmqpConnection, Live } from '../topology/amqp-connection.ts'
import { type Failure, failureOf } from './outcome.ts'
import { openSender } from '../connection/links.ts'
import { classify, mapError } from '../connection/map-error.ts'
import { NoRoom } from '../connection/session-pool.ts'
import type { PeerSession } from '../connection/peer-session.ts'
import { BLOCKED_AFTER_MS, NotSent, SenderQueue } from './sender-queue.ts'
import { addressOn, type Destination, type OutgoingMessage } from './outgoing-message.ts'

const MAX_OUTSTANDING_MESSAGES = 2_000
const MAX_OUTSTANDING_BYTES = 64 * 1024 * 1024
const ATTACH_TIMEOUT_MS = 10_000
/** Links opened at a time. */
const MAX_OPENINGS = 64
/** How often places are looked for that nobody needs any more, while others wait for one. */
const RECLAIM_MS = 100
/** Upper bound of the first wait before a link is opened again; `link_retry_delay` is that of the last. */
const FIRST_RETRY_MS = 100

/** What belongs to one connection and ends with it. */
interface Links {
  readonly live: Live
  /** By `linkOf`. */
  readonly queues: Map<string, SenderQueue>
  readonly opening: Map<string, Promise<SenderQueue>>
}

/** Sends messages over sender links that are made once for each address and closed when idle. They share as few
 *  sessions as the peer's limits allow. What is outstanding is bounded. */
export class Publisher {
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #limit = new OutstandingLimit({ maxMessages: MAX_OUTSTANDING_MESSAGES, maxBytes: MAX_OUTSTANDING_BYTES })
  readonly #blocked: BlockedLinks
  #links: Links | undefined
  #sweeper: unknown
  #reclaiming: unknown
  /** Of the last message that found no room at once. */
  #lastBytes = 0
  #settledAt = -Infinity
  #isClosed = false
  #openings = 0
  readonly #openingTurns: (() => void)[] = []
  #idleWaiters: (() => void)[] = []

  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>) {
    this.#connection = connection
    this.#context = context
    this.#blocked = new BlockedLinks(context.clock)
  }

  /** Messages handed over and not settled. */
  get outstanding(): number {
    return this.#limit.messages
  }

  /** Sender links that are open. */
  get links(): number {
    return this.#links?.queues.size ?? 0
  }

  /** Resolves when the peer has accepted the message (or, pre-settled, when it was handed to the socket). Rejects at
   *  the deadline; with MessageDeliveryFailure when the peer refuses it, when the retries are spent, or (delivery
   *  unknown) when the link is lost in between; with BackpressureError when no room came up in time. Source: WIRE
   *  7.5. */
  async send(outgoing: OutgoingMessage): Promise<void> {
    const { bytes, deadline, progress } = outgoing
    if (!this.#limit.tryAcquire(bytes)) {
      progress.phase = 'publish'
      this.#reclaim()
      this.#lastBytes = bytes
      await this.#limit.acquire(bytes, deadline)
    }
    try {
      // The usual case, without a loop: a link with credit and a peer that accepts.
      const queue = this.#readyQueue(outgoing)
      if (queue !== undefined) {
        const first = await this.#attempt(queue, outgoing)
        if (first === undefined) return
        await this.#again(outgoing, first)
      } else await this.#again(outgoing, undefined)
    } finally {
      this.#release(bytes)
    }
  }

  /** `send` for whoever keeps the time himself: costs neither promise nor timer when everything is at hand. `onEnd` is
   *  called exactly once, with the failure if there is one, but maybe long after the deadline when the peer owes the
   *  outcome. False when something has to be waited for first: then nothing was done. */
  post(outgoing: OutgoingMessage, onEnd: (failure: { readonly error: unknown } | undefined) => void): boolean {
    const { bytes } = outgoing
    const queue = this.#readyQueue(outgoing)
    if (queue === undefined || !this.#limit.tryAcquire(bytes)) return false
    const end = (failure: Failure | undefined): void => {
      if (failure === undefined) {
        this.#release(bytes)
        onEnd(undefined)
      } else
        this.#again(outgoing, failure)
          .finally(() => this.#release(bytes))
          .then(
            () => onEnd(undefined),
            (error: unknown) => onEnd({ error }),
          )
    }
    const isPosted = queue.post(outgoing, {
      settle: (outcome) => end(failureOf(outcome, outgoing)),
      fail: (error) => {
        this.#release(bytes)
        onEnd({ error })
      },
    })
    if (!isPosted) this.#release(bytes)
    return isPosted
  }

  /** Throws BackpressureError when a message as large as the last one that found no room would be refused at once:
   *  asked before a message is encoded, so that a flood costs no more than its refusals. */
  checkRoom(): void {
    this.#limit.check(this.#lastBytes)
  }

  /** What a peer owes an outcome for holds its place only while somebody waits for it. Looked at when there is no room,
   *  and at intervals while that lasts. */
  #reclaim(): void {
    if (this.#reclaiming !== undefined) return
    this.#reclaiming = this.#context.clock.setTimeout(() => {
      this.#reclaiming = undefined
      for (const queue of this.#links?.queues.values() ?? []) queue.forgetUnwanted()
      if (this.#limit.waiting > 0 && !this.#isClosed) this.#reclaim()
    }, RECLAIM_MS)
  }

  #release(bytes: number): void {
    this.#limit.release(bytes)
    if (this.#limit.messages === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  /** Undefined until something was sent. */
  health(): ComponentHealth | undefined {
    return this.#links === undefined ? undefined : this.#blocked.health()
  }

  /** A message that nobody learns of was handed to the socket so many milliseconds ago; Infinity: none was. */
  get sinceSettledMs(): number {
    return this.#context.clock.now() - this.#settledAt
  }

  /** Waits for what is outstanding, until the signal aborts; then closes the links, and what still waits fails with
   *  ClosedError. */
  async close(signal: AbortSignal): Promise<void> {
    for (const queue of this.#links?.queues.values() ?? []) queue.forgetUnwanted()
    if (this.#limit.messages > 0 && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#idleWaiters.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    this.#isClosed = true
    this.#context.clock.clearTimeout(this.#sweeper)
    this.#context.clock.clearTimeout(this.#reclaiming)
    for (const queue of this.#links?.queues.values() ?? []) queue.close()
  }

  /** Attempts until one succeeds or there may be no other. */
  async #again(outgoing: OutgoingMessage, first: Failure | undefined): Promise<void> {
    const { deadline, retries, progress } = outgoing
    const { clock, random, options } = this.#context
    const longestMs = options.link_retry_delay * 1000
    const backoff = createBackoff({ initialMs: FIRST_RETRY_MS, factor: 2, maxMs: longestMs, random })
    const startedAt = clock.now()
    let failure = first
    for (let failures = 0; ;) {
      if (failure !== undefined) {
        if (!(failure.isConnectionLoss && outgoing.connectRetries === null)) failures += 1
        if (failure.isFinal || (retries !== null && failures > retries))
          throw new MessageDeliveryFailure(failure.text, {
            attempts: failures,
            elapsedMs: Math.round(clock.now() - startedAt),
            phase: progress.phase,
            delivery: failure.delivery ?? 'not-sent',
            retryable: !failure.isFinal,
            ...(failure.cause === undefined ? {} : { cause: failure.cause }),
          })
        const delayMs = failure.isHandedBack ? longestMs : backoff.next()
        progress.delivery = 'not-sent'
        await deadline.sleep(delayMs, progress).catch((error: unknown) => raise(error, failure))
      }
      try {
        const next = await this.#attempt(await this.#queueFor(outgoing), outgoing)
        if (next === undefined) return
        failure = next
      } catch (error) {
        if (!(error instanceof NotSent)) return raise(error, failure)
        failure = this.#notSent(error)
      }
    }
  }

  async #attempt(queue: SenderQueue, outgoing: OutgoingMessage): Promise<Failure | undefined> {
    try {
      return failureOf(await queue.send(outgoing), outgoing)
    } catch (error) {
      if (error instanceof NotSent) return this.#notSent(error)
      throw error
    }
  }

  #notSent({ reason }: NotSent): Failure {
    if (this.#isClosed) throw new ClosedError('The driver was closed before the message was sent')
    // What cannot mend itself, or not soon, is reported as it is.
    if (reason instanceof NoRoom) throw reason
    if (classify(reason) === 'fatal' && reason.code !== 'OSLO_MESSAGING_CLOSED') throw reason
    const isConnectionLoss = this.#connection.current === undefined
    return { isFinal: false, isConnectionLoss, text: reason.message, cause: reason }
  }

  #readyQueue(outgoing: OutgoingMessage): SenderQueue | undefined {
    const live = this.#connection.current
    if (live === undefined || this.#links?.live !== live) return undefined
    return this.#links.queues.get(linkOf(outgoing, addressOn(live.addressing, outgoing.to), live.addressing))
  }

  /** The queue of the address, with its link open. Rejects with NotSent when the peer refuses the link. */
  async #queueFor(outgoing: OutgoingMessage): Promise<SenderQueue> {
    const { to, deadline, connectRetries, progress } = outgoing
    if (this.#isClosed) throw new ClosedError('The driver is closed')
    progress.phase = 'connect'
    const live = await this.#connection.live(deadline, connectRetries)
    if (this.#links?.live !== live) {
      this.#links = { live, queues: new Map(), opening: new Map() }
      this.#blocked.clear()
    }
    const links = this.#links
    const address = addressOn(live.addressing, to)
    const name = linkOf(outgoing, address, live.addressing)
    const known = links.queues.get(name)
    if (known !== undefined) return known
    progress.phase = 'declare'
    // The link is everybody's: no caller's deadline may end its opening for the others.
    const opening = links.opening.get(name) ?? this.#open(links, name, to)
    return await deadline.race(opening, { ...progress, waitingFor: `link to ${address}` })
  }

  #open(links: Links, name: string, to: Destination): Promise<SenderQueue> {
    const address = addressOn(links.live.addressing, to)
    const opening = this.#openQueue(links, name, to).catch((error: unknown) => {
      if (error instanceof NotSent) throw error
      throw new NotSent(mapError(error, { phase: 'declare', delivery: 'not-sent', doing: `No sender for ${address}` }))
    })
    links.opening.set(name, opening)
    const forget = (): void => void links.opening.delete(name)
    opening.then(forget, forget)
    return opening
  }

  async #openQueue(links: Links, name: string, to: Destination): Promise<SenderQueue> {
    // The time of an attach begins when it has its turn, however many are opened at once.
    while (this.#openings >= MAX_OPENINGS) await new Promise<void>((resolve) => this.#openingTurns.push(resolve))
    this.#openings += 1
    const { clock } = this.#context
    const unanswered = clock.setTimeout(() => {
      if (this.#links === links)
        this.#blocked.set(name, `the peer does not answer the attach for ${addressOn(links.live.addressing, to)}`)
    }, BLOCKED_AFTER_MS)
    try {
      return await this.#openNow(links, name, to)
    } finally {
      clock.clearTimeout(unanswered)
      if (this.#links === links) this.#blocked.set(name, null)
      this.#openings -= 1
      this.#openingTurns.shift()?.()
    }
  }

  async #openNow(links: Links, name: string, to: Destination): Promise<SenderQueue> {
    const { clock } = this.#context
    const deadline = Deadline.after(ATTACH_TIMEOUT_MS, { clock })
    const { addressing } = links.live
    const address = addressOn(addressing, to)
    if (typeof to !== 'string') await addressing.prepareToSend?.(to.target, to.service, deadline)
    const { connection } = links.live
    let session: PeerSession | undefined
    let callOff = (): void => {}
    const queue: SenderQueue = new SenderQueue(address, {
      clock,
      onGone: () => {
        callOff()
        void session?.close()
        if (links.queues.get(name) === queue) links.queues.delete(name)
      },
      onBlocked: (reason) => this.#blocked.set(name, reason),
      onSettledWritten: () => {
        this.#settledAt = clock.now()
      },
    })
    const attachIn = async (host: PeerSession): Promise<void> => {
      const attaching = openSender(host.session, address, deadline, {
        onClosed: (error) => queue.lost(error),
        onRoom: () => queue.pump(),
      })
      try {
        // The end of the session is no answer to an attach: nobody would hear of it before the deadline.
        const sender = await host.loss.race(attaching)
        session = host
        callOff = host.loss.on((error) => queue.lost(this.#asLoss(error)))
        queue.attach(sender)
      } catch (error) {
        void host.close()
        throw error
      }
    }
    const shared = await connection.openSession('senders')
    try {
      await attachIn(shared)
    } catch (error) {
      if (!(error === shared.loss.error && classify(error) === 'fatal' && links.opening.size > 1)) throw error
      // RabbitMQ ends the session over one link that it refuses, and the others that were being attached are not at
      // fault.
      await attachIn(await connection.openSession())
    }
    links.queues.set(name, queue)
    this.#sweepLater()
    return queue
  }

  #asLoss(error: Error): MessagingError {
    // What ended it was not said of this link, which was open.
    return new TransportDriverError(`The session was lost: ${error.message}`, {
      cause: error,
      retryable: true,
      phase: 'publish',
      delivery: 'not-sent',
    })
  }

  /** Idle links are closed by one timer for all of them, so that sending starts none. */
  #sweepLater(): void {
    if (this.#sweeper !== undefined || this.#isClosed) return
    const { clock, options } = this.#context
    const periodMs = options.default_sender_link_timeout * 1000
    this.#sweeper = clock.setTimeout(() => {
      this.#sweeper = undefined
      const queues = [...(this.#links?.queues.values() ?? [])]
      const before = clock.now() - periodMs
      for (const queue of queues) if (queue.idleSince(before)) queue.close()
      if (this.links > 0) this.#sweepLater()
    }, periodMs)
  }
}

/** The link a message goes over: one for each address, and a second one where settled messages need their own. */
const linkOf = ({ preSettled }: OutgoingMessage, address: string, { settledApart }: Addressing): string =>
  preSettled && settledApart === true ? `settled ${address}` : address

/** A timeout says what went wrong before, when something did. */
function raise(error: unknown, last: Failure | undefined): never {
  if (error instanceof MessagingTimeout && last?.cause !== undefined) error.cause ??= last.cause
  throw error
}
