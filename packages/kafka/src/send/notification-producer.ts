import {
  type Clock,
  ClosedError,
  type ComponentHealth,
  createDeferred,
  type Deadline,
  type Deferred,
  type DeliveryState,
  type Logger,
  MessagingTimeout,
  OutstandingLimit,
} from '@oslo-messaging/core/driver'
import type { CompressionCodec, KafkaClient, OutgoingRecord } from '../port/client-port.ts'
import { DeadlineLines } from './deadline-lines.ts'
import { Outgoing, type OutgoingOwner, recordBytes } from './outgoing.ts'
import { ProducerLane } from './producer-lane.ts'
import { ProducerSession } from './producer-session.ts'

/** Notifications that may wait for the broker at once. Beyond, `send` waits for room until its deadline. */
const MAX_OUTSTANDING_MESSAGES = 100_000
const MAX_OUTSTANDING_BYTES = 128 * 1024 * 1024
/** Beyond, as many more and as many bytes may wait; the next ones are refused. */
const MAX_WAITING_MESSAGES = 16_384
/** How fast the size that is expected of a message follows the sizes that were seen: a share of each difference. */
const SIZE_SHARE = 1 / 16
/** Topics that keep their lane, with what it has learned, while nothing is sent. */
const IDLE_LANES = 64

export interface NotificationProducerOptions {
  readonly client: KafkaClient
  readonly codec: CompressionCodec
  readonly lingerMs: number
  readonly batchMessages: number
  readonly host: string
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

export interface SendFacts {
  readonly deadline: Deadline
  /** Attempts after the first; null: no limit but the deadline. */
  readonly retries: number | null
}

/** Sends notifications, each with its own outcome: many share a request, none shares another's error. */
export class NotificationProducer implements OutgoingOwner {
  readonly #options: NotificationProducerOptions
  readonly #session: ProducerSession
  readonly #lanes = new Map<string, ProducerLane>()
  readonly #limit = new OutstandingLimit({
    maxMessages: MAX_OUTSTANDING_MESSAGES,
    maxBytes: MAX_OUTSTANDING_BYTES,
    maxWaitingMessages: MAX_WAITING_MESSAGES,
  })
  readonly #deadlines: DeadlineLines
  /** What is expected of a message that is not encoded yet. */
  #typicalBytes = 1
  #waitingBytes = 0
  #drained: Deferred<void> | undefined
  #closed = false

  constructor(options: NotificationProducerOptions) {
    this.#options = options
    this.#deadlines = new DeadlineLines(options.clock)
    this.#session = new ProducerSession(options)
  }

  /** Resolves when all replicas in sync have the record. Rejects with a MessagingError that carries `phase` and `delivery`.
   *  `encode` is called at once, unless so much waits already that the message is refused: a flood costs no more than what is let in.
   *  Throws what `encode` throws. */
  send(topic: string, encode: () => OutgoingRecord, options: SendFacts): Promise<void> {
    if (this.#isFull()) return this.#refuse(topic, encode, options)
    const record = encode()
    const bytes = recordBytes(record)
    this.#typicalBytes += (bytes - this.#typicalBytes) * SIZE_SHARE
    if (this.#limit.tryAcquire(bytes)) return this.#enqueue(topic, record, bytes, options)
    this.#waitingBytes += bytes
    const leave = (): void => {
      this.#waitingBytes -= bytes
    }
    const place = this.#limit.acquire(bytes, options.deadline)
    place.then(leave, leave)
    return place.then(() => this.#enqueue(topic, record, bytes, options))
  }

  /** So much waits that the limit will refuse what comes now. */
  #isFull(): boolean {
    const { waiting } = this.#limit
    if (waiting === 0) return false
    return waiting >= MAX_WAITING_MESSAGES || this.#waitingBytes + this.#typicalBytes > MAX_OUTSTANDING_BYTES
  }

  async #refuse(topic: string, encode: () => OutgoingRecord, options: SendFacts): Promise<void> {
    const bytes = this.#typicalBytes
    await this.#limit.acquire(bytes, options.deadline)
    // There was room after all.
    this.#limit.release(bytes)
    await this.send(topic, encode, options)
  }

  get isUp(): boolean {
    return this.#session.isUp
  }

  get error(): unknown {
    return this.#session.error
  }

  release(message: Outgoing): void {
    this.#deadlines.remove(message)
    message.cancelWatch?.()
    this.#limit.release(message.bytes)
    if (this.#drained === undefined || this.#limit.messages > 0) return
    this.#drained.resolve()
    this.#drained = undefined
  }

  #enqueue(topic: string, record: OutgoingRecord, bytes: number, { deadline, retries }: SendFacts): Promise<void> {
    if (this.#closed) {
      this.#limit.release(bytes)
      return Promise.reject(closedError('not-sent'))
    }
    const message = new Outgoing({ record, bytes, deadline, retries, owner: this })
    this.#watch(message)
    if (!message.settled) this.#lane(topic).add(message)
    return message.promise
  }

  /** Ends it at its deadline, or when the caller's signal aborts. */
  #watch(message: Outgoing): void {
    const { deadline } = message
    if (deadline.signal === undefined) return this.#deadlines.add(message)
    const facts = { phase: 'publish', delivery: 'not-sent' } as const
    const cancel = deadline.watch(facts, (error) => {
      if (error instanceof MessagingTimeout) message.expire()
      else message.abandon(error)
    })
    if (message.settled) cancel()
    else message.cancelWatch = cancel
  }

  /** Resolves when everything that was sent is settled. */
  async flush(): Promise<void> {
    if (this.#limit.messages === 0) return
    this.#drained ??= createDeferred<void>()
    await this.#drained.promise
  }

  health(): readonly ComponentHealth[] {
    return this.#session.health()
  }

  /** Sends what is queued, then disconnects; `signal` cuts that short and rejects what is left. */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closed = true
    const cut = (): void => {
      for (const lane of this.#lanes.values()) lane.abort(closedError)
    }
    if (signal?.aborted) cut()
    signal?.addEventListener('abort', cut, { once: true })
    await this.flush()
    signal?.removeEventListener('abort', cut)
    await this.#session.close()
  }

  #lane(topic: string): ProducerLane {
    let lane = this.#lanes.get(topic)
    if (lane === undefined) {
      const { lingerMs, batchMessages, clock, random } = this.#options
      const onIdle = (): void => {
        if (this.#lanes.size > IDLE_LANES) this.#lanes.delete(topic)
      }
      lane = new ProducerLane({ topic, session: this.#session, lingerMs, batchMessages, clock, random, onIdle })
      this.#lanes.set(topic, lane)
    }
    return lane
  }
}

function closedError(delivery: DeliveryState): ClosedError {
  return new ClosedError('The transport was closed', { phase: 'publish', delivery })
}
