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
import { partitionOfKey } from './partition-of-key.ts'
import { type LaneOptions, ProducerLane } from './producer-lane.ts'
import { ProducerSession } from './producer-session.ts'

/** Notifications that may wait for the broker at once. Beyond, `send` waits for room until its deadline. */
const MAX_OUTSTANDING_MESSAGES = 100_000
const MAX_OUTSTANDING_BYTES = 128 * 1024 * 1024
/** Beyond, as many more and as many bytes may wait; the next ones are refused. */
const MAX_WAITING_MESSAGES = 16_384
/** How fast the size that is expected of a message follows the sizes that were seen: a share of each difference. */
const SIZE_SHARE = 1 / 16
/** Topics that keep their lane, with what it has learned, while nothing is sent. */
const IDLE_LANES = 512
const NO_KEY = Buffer.alloc(0)

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
  /** Those of one key stay in order: the record goes into the partition of its key. */
  readonly isOrdered?: boolean
}

/** Sends notifications, each with its own outcome: many share a request, none shares another's error. */
export class NotificationProducer {
  readonly #options: NotificationProducerOptions
  readonly #session: ProducerSession
  /** For what is ordered. Records without a key choose a partition that has a leader; records with one cannot, and may
   *  have to wait for theirs. A session of their own keeps the numbers of both apart. Made by the first of them. */
  #orderedSession: ProducerSession | undefined
  readonly #owners = new Map<ProducerSession, OutgoingOwner>()
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
    this.#session = new ProducerSession({ ...options, name: 'notification publisher' })
  }

  /** Resolves when all replicas in sync have the record. Rejects with a MessagingError that carries `phase` and
   *  `delivery`. `encode` is called at once, unless so much waits already that the message is refused: a flood costs no
   *  more than what is let in. Throws what `encode` throws. */
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

  #release(message: Outgoing): void {
    this.#deadlines.remove(message)
    message.cancelWatch?.()
    this.#limit.release(message.bytes)
    if (this.#drained === undefined || this.#limit.messages > 0) return
    this.#drained.resolve()
    this.#drained = undefined
  }

  #enqueue(topic: string, record: OutgoingRecord, bytes: number, options: SendFacts): Promise<void> {
    if (this.#closed) {
      this.#limit.release(bytes)
      return Promise.reject(closedError('not-sent'))
    }
    const { deadline, retries, isOrdered = false } = options
    const session = isOrdered ? this.#ordered() : this.#session
    const message = new Outgoing({ record, bytes, deadline, retries, owner: this.#ownerOf(session) })
    this.#watch(message)
    if (!message.settled) (isOrdered ? this.#spreader(topic, session) : this.#lane(topic, { session })).add(message)
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
    return [...this.#session.health(), ...(this.#orderedSession?.health() ?? [])]
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
    await Promise.all([this.#session.close(), this.#orderedSession?.close()])
  }

  #ordered(): ProducerSession {
    this.#orderedSession ??= new ProducerSession({ ...this.#options, name: 'ordered notification publisher' })
    return this.#orderedSession
  }

  #ownerOf(session: ProducerSession): OutgoingOwner {
    let owner = this.#owners.get(session)
    if (owner === undefined) {
      owner = {
        get isUp() {
          return session.isUp
        },
        get error() {
          return session.error
        },
        release: (message) => this.#release(message),
      }
      this.#owners.set(session, owner)
    }
    return owner
  }

  /** Where what is ordered waits until the partitions of its topic are known. */
  #spreader(topic: string, session: ProducerSession): ProducerLane {
    const spread = (batch: readonly Outgoing[], partitions: number): void => {
      for (const message of batch) {
        const partition = partitionOfKey(message.record.key ?? NO_KEY, partitions)
        this.#lane(topic, { session, partition }).add(message)
      }
    }
    return this.#lane(topic, { session, spread, lingerMs: 0 })
  }

  #lane(
    topic: string,
    own: Pick<LaneOptions, 'session' | 'partition' | 'spread'> & { readonly lingerMs?: number },
  ): ProducerLane {
    // No topic has a slash in its name. Most lanes are those of a topic, whose own name costs nothing to make.
    const name = own.spread === undefined ? nameOf(topic, own.partition) : `${topic}/*`
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      const { lingerMs, batchMessages, clock, random } = this.#options
      const onIdle = (): void => {
        if (this.#lanes.size > IDLE_LANES) this.#lanes.delete(name)
      }
      lane = new ProducerLane({ topic, lingerMs, batchMessages, clock, random, onIdle, ...own })
      this.#lanes.set(name, lane)
    }
    return lane
  }
}

function nameOf(topic: string, partition: number | undefined): string {
  return partition === undefined ? topic : `${topic}/${partition}`
}

function closedError(delivery: DeliveryState): ClosedError {
  return new ClosedError('The transport was closed', { phase: 'publish', delivery })
}
