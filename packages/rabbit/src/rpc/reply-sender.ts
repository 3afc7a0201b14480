import { Deadline, emitDiagnostic, isMessagingError } from '@oslo-messaging/core/driver'
import { type Compression, compress } from '../wire/compression.ts'
import { type EncodedReply, finishReply, newId } from '../wire/message.ts'
import type { Publisher } from '../send/publisher.ts'
import { type Failure, newProgress } from '../send/outgoing-message.ts'
import { DRIVER, type Runtime } from '../connection/runtime.ts'

/** Wait between attempts to reach a missing reply queue. Source: WIRE 6.5. */
const RETRY_EVERY_MS = 250
/** Reply queues remembered as gone, and for how long. */
const MOST_DEAD_QUEUES = 200
const DEAD_FOR_MS = 60_000
/** Replies that wait in the background for their queue; more are given up at once. */
const MOST_WAITING = 10_000

interface Waiting {
  readonly replyQueue: string
  readonly reply: EncodedReply
  readonly startedAt: number
  timer: unknown
}

/** Sends replies and heartbeats to the queues that clients named. A missing queue is tried again in the background: a client that lost it declares it anew. */
export class ReplySender {
  readonly #runtime: Runtime
  readonly #publisher: Publisher
  readonly #compression: Compression | null
  /** Name to the moment it may be tried again. */
  readonly #dead = new Map<string, number>()
  readonly #waiting = new Set<Waiting>()
  #closed = false

  constructor(runtime: Runtime, publisher: Publisher, compression: Compression | null) {
    this.#runtime = runtime
    this.#publisher = publisher
    this.#compression = compression
  }

  /** Resolves when the broker has the reply, when it is given up, or when its queue is missing and the retries go on without the caller. Never rejects. */
  async send(replyQueue: string, reply: EncodedReply): Promise<void> {
    if (this.#isDead(replyQueue))
      return this.#abandon(replyQueue, new Error('The reply queue was missing a moment ago'))
    const startedAt = this.#runtime.clock.now()
    const failure = await this.#attempt(replyQueue, reply, this.#retryMs)
    if (failure === undefined) return
    if (this.#waiting.size >= MOST_WAITING) return this.#abandon(replyQueue, failure.error)
    this.#retryLater({ replyQueue, reply, startedAt, timer: undefined }, failure.error)
  }

  /** One attempt; true when the client's queue took it. Never rejects. */
  async sendOnce(replyQueue: string, reply: EncodedReply): Promise<boolean> {
    if (this.#isDead(replyQueue)) return false
    return (await this.#attempt(replyQueue, reply, this.#retryMs)) === undefined
  }

  /** Gives up what waits for a missing queue. */
  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting) {
      this.#runtime.clock.clearTimeout(waiting.timer)
      this.#abandon(waiting.replyQueue, new Error('The transport was closed'))
    }
    this.#waiting.clear()
  }

  /** The failure; undefined when there is none. Once the broker has the reply only the connection's own heartbeat bounds the wait for its confirm. */
  #attempt(replyQueue: string, reply: EncodedReply, timeoutMs: number): Promise<Failure | undefined> {
    const { clock, options } = this.#runtime
    return new Promise((resolve) =>
      this.#publisher.post(
        {
          exchange: '',
          routingKey: replyQueue,
          requirement: null,
          mandatory: options.direct_mandatory_flag,
          expiration: undefined,
          encode: () => compress(this.#compression, finishReply(reply, newId())),
          deadline: Deadline.after(timeoutMs, { clock }),
          retries: null,
          repeatUnknown: false,
          progress: newProgress(),
        },
        resolve,
      ),
    )
  }

  #retryLater(waiting: Waiting, failure: unknown): void {
    const { clock } = this.#runtime
    const leftMs = this.#retryMs - (clock.now() - waiting.startedAt)
    if (this.#closed || leftMs <= 0) {
      this.#waiting.delete(waiting)
      if (isMessagingError(failure, 'UNDELIVERABLE')) this.#bury(waiting.replyQueue)
      return this.#abandon(waiting.replyQueue, failure)
    }
    this.#waiting.add(waiting)
    waiting.timer = clock.setTimeout(() => void this.#retry(waiting), Math.min(RETRY_EVERY_MS, leftMs))
  }

  async #retry(waiting: Waiting): Promise<void> {
    const { replyQueue, reply, startedAt } = waiting
    const leftMs = this.#retryMs - (this.#runtime.clock.now() - startedAt)
    const failure = await this.#attempt(replyQueue, reply, Math.max(leftMs, 1))
    if (!this.#waiting.has(waiting)) return
    if (failure === undefined) this.#waiting.delete(waiting)
    else this.#retryLater(waiting, failure.error)
  }

  #abandon(replyTo: string, error: unknown): void {
    this.#runtime.logger.warn(
      `A reply to ${replyTo} is given up: ${error instanceof Error ? error.message : String(error)}`,
    )
    emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: DRIVER, replyTo, error }))
  }

  #bury(replyQueue: string): void {
    const now = this.#runtime.clock.now()
    this.#dead.delete(replyQueue)
    this.#dead.set(replyQueue, now + DEAD_FOR_MS)
    for (const oldest of this.#dead.keys()) {
      if (this.#dead.size <= MOST_DEAD_QUEUES) return
      this.#dead.delete(oldest)
    }
  }

  #isDead(replyQueue: string): boolean {
    const until = this.#dead.get(replyQueue)
    if (until === undefined) return false
    if (this.#runtime.clock.now() < until) return true
    this.#dead.delete(replyQueue)
    return false
  }

  get #retryMs(): number {
    return this.#runtime.options.kombu_missing_consumer_retry_timeout * 1000
  }
}
