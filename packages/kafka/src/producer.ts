import {
  type Clock,
  ClosedError,
  type ComponentHealth,
  type Deadline,
  type DeliveryState,
  type Logger,
  OutstandingLimit,
} from '@oslo-messaging/core/driver'
import type { CompressionCodec, KafkaClient, OutgoingRecord } from './client-port.ts'
import { Outgoing, recordBytes } from './outgoing.ts'
import { ProducerLane } from './producer-lane.ts'
import { ProducerSession } from './producer-session.ts'

/** Notifications that may wait for the broker at once. Beyond, `send` waits for room until its deadline. */
const MAX_OUTSTANDING_MESSAGES = 100_000
const MAX_OUTSTANDING_BYTES = 128 * 1024 * 1024

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

/** Sends notifications, each with its own outcome: many share a request, none shares another's error. */
export class NotificationProducer {
  readonly #options: NotificationProducerOptions
  readonly #session: ProducerSession
  readonly #lanes = new Map<string, ProducerLane>()
  readonly #limit = new OutstandingLimit({ maxMessages: MAX_OUTSTANDING_MESSAGES, maxBytes: MAX_OUTSTANDING_BYTES })
  #closed = false

  constructor(options: NotificationProducerOptions) {
    this.#options = options
    this.#session = new ProducerSession(options)
  }

  /** Resolves when all replicas in sync have the record. Rejects with a MessagingError that carries `phase` and `delivery`. */
  async send(
    topic: string,
    record: OutgoingRecord,
    { deadline, retries }: { readonly deadline: Deadline; readonly retries: number | null },
  ): Promise<void> {
    const bytes = recordBytes(record)
    if (!this.#limit.tryAcquire(bytes)) await this.#limit.acquire(bytes, deadline)
    if (this.#closed) {
      this.#limit.release(bytes)
      throw closedError('not-sent')
    }
    const message = new Outgoing({
      record,
      bytes,
      deadline,
      retries,
      describe: () => ({ isUp: this.#session.isUp, error: this.#session.error }),
      onSettled: () => this.#limit.release(bytes),
    })
    if (!message.settled) this.#lane(topic).add(message)
    await message.promise
  }

  /** Resolves when everything that was sent so far is settled. */
  async flush(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(async (lane) => await lane.idle()))
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
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.flush(), aborted])
    signal?.removeEventListener('abort', cut)
    await this.#session.close()
  }

  #lane(topic: string): ProducerLane {
    let lane = this.#lanes.get(topic)
    if (lane === undefined) {
      const { lingerMs, batchMessages, clock, random } = this.#options
      const onIdle = (): void => {
        this.#lanes.delete(topic)
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
