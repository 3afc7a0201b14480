import { Deadline, emitDiagnostic, isMessagingError } from '@oslo-messaging/core/driver'
import { type Compression, compress } from '../wire/compression.ts'
import type { Allocate, EncodedReply } from '../wire/message.ts'
import { MissingQueues } from './missing-queues.ts'
import type { Publisher } from '../send/publisher.ts'
import { type Failure, newProgress } from '../send/outgoing-message.ts'
import { DRIVER, type Runtime } from '../connection/runtime.ts'

/** Reply queues remembered as gone, and for how long. */
const MOST_DEAD_QUEUES = 200
const DEAD_FOR_MS = 60_000
const NO_ROOM = 'Too many replies wait for missing queues already'

/** Sends replies and heartbeats to the queues that clients named. A missing queue is tried again in the background: a
 *  client that lost it declares it anew. */
export class ReplySender {
  readonly #runtime: Runtime
  readonly #publisher: Publisher
  readonly #compression: Compression | null
  /** Name to the moment it may be tried again. */
  readonly #dead = new Map<string, number>()
  readonly #missing: MissingQueues

  constructor(runtime: Runtime, publisher: Publisher, compression: Compression | null) {
    this.#runtime = runtime
    this.#publisher = publisher
    this.#compression = compression
    this.#missing = new MissingQueues({
      clock: runtime.clock,
      patienceMs: this.#retryMs,
      attempt: async (replyQueue, reply, timeoutMs) => (await this.#attempt(replyQueue, reply, timeoutMs))?.error,
      onGivenUp: (replyQueue, replies, failure) => {
        if (isMessagingError(failure, 'UNDELIVERABLE')) this.#bury(replyQueue)
        this.#abandon(replyQueue, failure, replies)
      },
    })
  }

  /** Gives memory for the body of a reply. */
  get allocate(): Allocate {
    return this.#publisher.memory.allocate
  }

  /** Resolves when the broker has the reply, when it is given up, or when its queue is missing and the retries go on
   *  without the caller. Never rejects. */
  async send(replyQueue: string, reply: EncodedReply): Promise<void> {
    if (this.#isDead(replyQueue))
      return this.#abandon(replyQueue, new Error('The reply queue was missing a moment ago'))
    if (this.#missing.has(replyQueue)) {
      if (!this.#missing.hold(replyQueue, reply)) this.#abandon(replyQueue, new Error(NO_ROOM))
      return
    }
    const failure = await this.#attempt(replyQueue, reply, this.#retryMs)
    if (failure !== undefined && !this.#missing.hold(replyQueue, reply, failure.error))
      this.#abandon(replyQueue, failure.error)
  }

  /** One attempt; true when the client's queue took it. Never rejects. */
  async sendOnce(replyQueue: string, reply: EncodedReply): Promise<boolean> {
    if (this.#isDead(replyQueue)) return false
    return (await this.#attempt(replyQueue, reply, this.#retryMs)) === undefined
  }

  /** Gives up what waits for a missing queue. */
  close(): void {
    this.#missing.close(new Error('The transport was closed'))
  }

  /** The failure; undefined when there is none. Once the broker has the reply only the connection's own heartbeat
   *  bounds the wait for its confirm. */
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
          encode: () => compress(this.#compression, reply.next()),
          deadline: Deadline.after(timeoutMs, { clock }),
          retries: null,
          // A client that gets it twice drops the second; until the broker has it, its request is not over.
          repeatUnknown: true,
          progress: newProgress(),
        },
        resolve,
      ),
    )
  }

  #abandon(replyTo: string, error: unknown, replies = 1): void {
    const what = replies === 1 ? 'A reply' : `${replies} replies`
    const why = error instanceof Error ? error.message : String(error)
    this.#runtime.logger.warn(`${what} to ${replyTo} ${replies === 1 ? 'is' : 'are'} given up: ${why}`)
    for (let count = 0; count < replies; count += 1)
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
