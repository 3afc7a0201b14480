import {
  createDeferred,
  type Deadline,
  type Deferred,
  FAILURE_HEADERS,
  isMessagingError,
  type RedriveReport,
  type RedriveRequest,
  RedriveTally,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type {
  ConsumerPort,
  FetchedBatch,
  FetchedRecord,
  KafkaClient,
  OutgoingRecord,
  TopicPartition,
} from '../port/client-port.ts'
import { mapFault, toFault } from '../port/map-error.ts'
import { BURIAL_PREFIX } from '../receive/dead-letters.ts'
import { RedrivenOffsets } from './redriven-offsets.ts'
import type { KafkaSettings } from '../settings.ts'
import { storedHeaders } from '../wire/record.ts'

/** Letters of one partition on their way at once. */
const AT_ONCE = 500
const MAX_WAIT_MS = 200

export interface RedriveOptions {
  readonly client: KafkaClient
  readonly settings: KafkaSettings
  /** Stores a record; resolves when the broker owns it. */
  readonly send: (topic: string, record: OutgoingRecord, deadline: Deadline) => Promise<void>
  readonly topic: string
  /** Only letters that came from this topic; null: all. */
  readonly only: string | null
  readonly request: RedriveRequest
}

interface Lot {
  readonly offsets: RedrivenOffsets
  /** Where the topic ended when the run began. */
  readonly end: number
  /** The next record to look at. */
  next: number
}

/** One run over the dead-letter topic, as the only member of a consumer group of its own. What has been moved is the
 *  group's position and its note; what is left stays in front of it. */
export class Redrive {
  readonly #options: RedriveOptions
  readonly #lots = new Map<number, Lot>()
  readonly #tally = new RedriveTally()
  readonly #done: Deferred<void> = createDeferred<void>()
  #port: ConsumerPort | undefined
  #underWay = 0
  #isOver = false

  constructor(options: RedriveOptions) {
    this.#options = options
    this.#done.promise.catch(() => {})
  }

  async run(): Promise<RedriveReport> {
    const { deadline } = this.#options.request
    try {
      await deadline.race(this.#look(), { ...READING, waitingFor: 'answer about the dead-letter topic' })
      const lots = [...this.#lots.values()]
      const total = lots.reduce((sum, { offsets, end }) => sum + offsets.leftBefore(end), 0)
      if (total > 0) await this.#read(deadline)
      return this.#tally.report(this.#options.request.dryRun ? total : total - this.#tally.moved)
    } catch (error) {
      throw this.#tally.interrupted(isMessagingError(error) ? error : this.#explain(error))
    } finally {
      this.#isOver = true
      await this.#port?.disconnect()
    }
  }

  /** Where the letters begin and end. */
  async #look(): Promise<void> {
    const { client, topic } = this.#options
    const admin = client.createAdmin()
    try {
      await admin.connect()
      const bounds = await admin.bounds(topic)
      const stored = await admin.committed(groupOf(topic), [topic])
      for (const { partition, low, high } of bounds) {
        const { offset = 0, note } = stored.find((each) => each.partition === partition) ?? {}
        // What the topic no longer keeps is neither moved nor left.
        const offsets = offset >= low ? new RedrivenOffsets(offset, note) : new RedrivenOffsets(low, undefined)
        this.#lots.set(partition, { offsets, end: high, next: offsets.position })
      }
    } finally {
      await admin.disconnect()
    }
  }

  async #read(deadline: Deadline): Promise<void> {
    const { client, topic, settings } = this.#options
    const port = client.createConsumer({
      group: groupOf(topic),
      topics: [topic],
      maxBytesPerPartition: settings.maxBytesPerPartition,
      maxBytes: settings.maxQueuedBytes,
      checksCrc: settings.checksCrc,
      maxWaitMs: MAX_WAIT_MS,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: Math.min(1000, Math.floor(settings.sessionTimeoutMs / 3)),
      handlers: {
        onAssigned: (partitions) => this.#assigned(port, partitions),
        onRejoin: async () => await Promise.resolve(),
        onBatch: async (batch) => await this.#onBatch(port, batch),
        onLost: (fault) => this.#done.reject(fault),
      },
    })
    this.#port = port
    await deadline.race(port.start(), { ...READING, waitingFor: `place in consumer group ${groupOf(topic)}` })
    await deadline.race(this.#done.promise, READING)
  }

  #assigned(port: ConsumerPort, partitions: readonly TopicPartition[]): void {
    if (partitions.length < this.#lots.size)
      return this.#done.reject(
        new TransportDriverError(
          `Somebody else is redriving ${this.#options.topic} right now: wait until that run has ended`,
          {
            retryable: true,
          },
        ),
      )
    for (const { topic, partition } of partitions) {
      const lot = this.#lots.get(partition)
      if (lot !== undefined) port.seek({ topic, partition, offset: lot.next })
    }
  }

  async #onBatch(port: ConsumerPort, batch: FetchedBatch): Promise<void> {
    const lot = this.#lots.get(batch.partition)
    if (lot === undefined || this.#isOver) return
    try {
      const records = batch.records.filter(({ offset }) => offset >= lot.next && offset < lot.end)
      for (let from = 0; from < records.length && !this.#isOver && this.#room > 0; from += AT_ONCE) {
        const last = await this.#move(port, batch, lot, records.slice(from, from + AT_ONCE))
        if (last === undefined) break
        lot.next = last + 1
        await this.#commit(port, batch, lot)
        batch.resolve(last)
        await batch.heartbeat()
      }
      // Nothing of the run comes after the end of the topic, however its last offsets are filled.
      if (batch.next >= lot.end) lot.next = lot.end
      if (this.#room === 0 || [...this.#lots.values()].every(({ next, end }) => next >= end)) this.#done.resolve()
    } catch (error) {
      this.#done.reject(error)
    }
  }

  /** Letters that may still be taken up. */
  get #room(): number {
    return (this.#options.request.limit ?? Infinity) - this.#tally.moved - this.#underWay
  }

  /** Moves what may be moved of these; resolves with the offset of the last one looked at when all copies are
   *  stored. */
  async #move(
    port: ConsumerPort,
    partition: TopicPartition,
    lot: Lot,
    records: readonly FetchedRecord[],
  ): Promise<number | undefined> {
    const copies: Promise<void>[] = []
    let last: number | undefined
    for (const record of records) {
      if (this.#room <= 0) break
      // Offsets without a record hold nothing to move.
      for (let gap = (last ?? lot.next - 1) + 1; gap < record.offset; gap += 1) lot.offsets.add(gap)
      last = record.offset
      const copy = this.#moveOne(lot, record)
      if (copy !== undefined) copies.push(copy)
    }
    // All of them, so that what was stored is remembered although another one failed.
    const outcomes = await Promise.allSettled(copies)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed === undefined) return last
    const reason: unknown = failed.reason
    await this.#commit(port, partition, lot).catch((error: unknown) => {
      const texts = [reason, error].map((each) => (each instanceof Error ? each.message : String(each)))
      throw new TransportDriverError(
        `${texts[0]}; what was moved could not be noted and will be moved again: ${texts[1]}`,
        {
          cause: reason,
        },
      )
    })
    throw reason
  }

  #moveOne(lot: Lot, record: FetchedRecord): Promise<void> | undefined {
    const { only, request, send } = this.#options
    if (lot.offsets.has(record.offset)) return undefined
    const origin = record.headers?.[FAILURE_HEADERS.origin]
    const to = request.to ?? origin
    const refuse = (reason: string): undefined => this.#tally.skip(reason) as undefined
    if (only !== null && origin !== only) return refuse(`it did not come from ${only}`)
    if (to === undefined || to === '') return refuse('it does not say which topic it came from: name one with --to')
    if (to === this.#options.topic) return refuse(`it would go to ${to}, where it is`)
    if (!lot.offsets.hasRoom) return refuse('too many letters before it were left: move those first')
    if (request.dryRun) return this.#tally.move() as undefined
    this.#underWay += 1
    return send(to, originalOf(record), request.deadline).then(
      () => {
        this.#underWay -= 1
        this.#tally.move()
        lot.offsets.add(record.offset)
      },
      (error: unknown) => {
        this.#underWay -= 1
        throw error
      },
    )
  }

  async #commit(port: ConsumerPort, { topic, partition }: TopicPartition, { offsets }: Lot): Promise<void> {
    if (this.#options.request.dryRun) return
    const note = offsets.note()
    await port.commit([{ topic, partition, offset: offsets.position, ...(note === undefined ? {} : { note }) }])
  }

  #explain(error: unknown): Error {
    const fault = toFault(error)
    const { topic } = this.#options
    if (fault.type !== 'UNKNOWN_TOPIC_OR_PARTITION') return mapFault(fault, { doing: `Redriving ${topic}` })
    return new TransportDriverError(
      `There is no topic ${topic}: name the dead-letter topic, or the topic the letters came from`,
      { cause: fault, retryable: false, brokerCode: fault.type },
    )
  }
}

const READING = { phase: 'reply', delivery: 'not-sent', waitingFor: 'end of the dead letters' } as const

function groupOf(topic: string): string {
  return `oslo-messaging-redrive.${topic}`
}

/** The record as it was before the burial, but for its time: retention counts from when it is stored again. */
function originalOf(record: FetchedRecord): OutgoingRecord {
  const { key, value } = record
  const rest = Object.entries(storedHeaders(record)).filter(([name]) => !name.startsWith(BURIAL_PREFIX))
  return { key, value, ...(rest.length === 0 ? {} : { headers: Object.fromEntries(rest) }) }
}
