import { setTimeout as sleep } from 'node:timers/promises'
import {
  ClientFault,
  type ConsumerPortOptions,
  type FetchedBatch,
  type FetchedRecord,
  type PartitionOffset,
  type TopicPartition,
} from '../port/client-port.ts'
import type { Codecs } from '../port/codecs.ts'
import { encodeFetchRequest, type FetchedPart, type FetchedPartition, readFetchAnswer } from '../wire/fetch-answer.ts'
import { ANSWER_MS, type Cluster, isAway } from './cluster.ts'
import { faultOf } from './fault.ts'
import type { Membership } from './membership.ts'

const FETCH = 1
const VERSION = 11
const MAX_FETCH_BYTES = 10 * 1024 * 1024
const OLDEST = -2n
/** Attempts in a row that may fail, and the pause before the next. */
const ATTEMPTS = 6
const PAUSE_MS = 100

/** The partition is led by another broker, or will be in a moment. */
const MOVED: ReadonlySet<string> = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
  'OFFSET_OUT_OF_RANGE',
])

export interface ReadingOptions extends Pick<
  ConsumerPortOptions,
  'checksCrc' | 'maxBytes' | 'maxBytesPerPartition' | 'maxWaitMs' | 'topics'
> {
  readonly cluster: Pick<Cluster, 'ask' | 'errorName' | 'leaderOf' | 'offsets' | 'refresh' | 'send'>
  readonly codecs: Codecs
  readonly membership: Pick<Membership, 'check' | 'commit' | 'committed'>
  readonly onBatch: (batch: FetchedBatch) => Promise<void>
  /** Reading cannot go on, or a handler of a batch has rejected. */
  readonly onFault: (fault: ClientFault) => void
}

/** A partition that is read. */
interface Place extends TopicPartition {
  /** The next record to read; undefined: nobody has said so far, and the group is asked. */
  next: number | undefined
  isPaused: boolean
  /** A batch of it waits to be taken over: the next one begins behind that, whoever leads the partition by then. */
  isHanded: boolean
  /** Counts moves and fetches: what an earlier fetch brings is not wanted. */
  moves: number
}

/** Fetches the partitions of one assignment: one fetch at a time from each broker, and the next one when what it
 *  brought is taken over. */
export class Reading {
  readonly #options: ReadingOptions
  #places: ReadonlyMap<string, Place> = new Map()
  /** Brokers that are being read from. */
  #readers = new Set<number>()
  /** Counts the assignments: what was begun in an earlier one is over. */
  #deal = 0
  /** Readers with nothing to fetch. */
  readonly #idle = new Set<() => void>()

  constructor(options: ReadingOptions) {
    this.#options = options
  }

  /** Reads these partitions from now on. `tell` is called before anything is fetched, and may move and pause them. */
  begin(partitions: readonly TopicPartition[], tell: () => void): void {
    this.stop()
    this.#places = new Map(
      partitions.map((partition) => [
        keyOf(partition),
        { ...partition, next: undefined, isPaused: false, isHanded: false, moves: 0 },
      ]),
    )
    this.#readers = new Set()
    tell()
    const deal = this.#deal
    this.#start(deal).catch((error: unknown) => this.#fail(deal, error))
  }

  /** What is fetched from now on is nobody's. */
  stop(): void {
    this.#deal += 1
    this.#change()
  }

  seek({ offset, ...partition }: PartitionOffset): void {
    const place = this.#places.get(keyOf(partition))
    if (place === undefined) return
    place.next = offset
    place.moves += 1
    this.#change()
  }

  pause(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition))
    if (place !== undefined) place.isPaused = true
  }

  resume(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition))
    if (place === undefined) return
    place.isPaused = false
    this.#change()
  }

  /** Leaders may have changed. */
  look(): void {
    this.#spawn(this.#deal)
    this.#change()
  }

  async #start(deal: number): Promise<void> {
    const { membership } = this.#options
    const unplaced = [...this.#places.values()].filter(({ next }) => next === undefined)
    const stored = unplaced.length === 0 ? [] : await membership.committed(unplaced)
    for (const { topic, partition, offset } of stored) {
      const place = this.#places.get(keyOf({ topic, partition }))
      // Negative: a client has stored that it begins at the oldest record.
      if (this.#deal === deal && place !== undefined && offset >= 0) place.next ??= offset
    }
    await this.#findOldest(deal)
    this.#spawn(deal)
  }

  /** Partitions in which the group has no position begin at their oldest record. Those without a leader wait for
   *  one. */
  async #findOldest(deal: number): Promise<void> {
    const unplaced = [...this.#places.values()].filter(({ next }) => next === undefined)
    if (unplaced.length === 0) return
    const oldest = await this.#options.cluster.offsets(
      unplaced.map(({ topic, partition }) => ({ topic, partition })),
      OLDEST,
    )
    for (const { topic, partition, offset } of oldest) {
      const place = this.#places.get(keyOf({ topic, partition }))
      if (this.#deal === deal && place !== undefined) place.next ??= offset
    }
  }

  /** Has every broker read from that leads a partition. */
  #spawn(deal: number): void {
    if (this.#deal !== deal) return
    const readers = this.#readers
    for (const place of this.#places.values()) {
      const node = this.#options.cluster.leaderOf(place)
      if (node < 0 || readers.has(node)) continue
      readers.add(node)
      void this.#serve(node, deal, readers)
    }
  }

  /** Reads from one broker as long as it leads a partition. Never rejects. */
  async #serve(node: number, deal: number, readers: Set<number>): Promise<void> {
    try {
      await this.#readFrom(node, deal, readers)
    } catch (error) {
      readers.delete(node)
      this.#fail(deal, error)
    }
  }

  async #readFrom(node: number, deal: number, readers: Set<number>): Promise<void> {
    const { cluster, maxWaitMs } = this.#options
    for (let failures = 0; this.#deal === deal;) {
      const mine = [...this.#places.values()].filter((place) => cluster.leaderOf(place) === node)
      if (mine.length === 0) {
        // In one step with the look: whoever hears of a new leader next begins anew.
        readers.delete(node)
        return
      }
      const wanted = mine.filter(({ isPaused, isHanded, next }) => !isPaused && !isHanded && next !== undefined)
      if (wanted.length === 0) {
        await this.#changed(maxWaitMs)
        continue
      }
      try {
        const answers = await this.#fetch(node, wanted)
        failures = 0
        if (this.#deal !== deal) return
        await Promise.all(answers.map(async (answer) => await this.#hand(answer, deal)))
        if (answers.some(({ errorCode }) => errorCode !== 0)) await this.#lookAgain(deal)
      } catch (error) {
        const fault = faultOf(error)
        failures += 1
        if (failures === ATTEMPTS || !mayPass(fault)) throw fault
        await this.#lookAgain(deal)
      }
    }
  }

  /** Asks who leads the partitions now. */
  async #lookAgain(deal: number): Promise<void> {
    const { cluster, topics } = this.#options
    await sleep(PAUSE_MS)
    if (this.#deal !== deal) return
    await cluster.refresh(topics, { create: true })
    await this.#findOldest(deal)
    this.#spawn(deal)
  }

  async #fetch(node: number, places: readonly Place[]): Promise<readonly Fetched[]> {
    const { cluster, codecs, checksCrc, maxBytes, maxBytesPerPartition, maxWaitMs } = this.#options
    // A former leader may owe an answer.
    for (const place of places) place.moves += 1
    const asked = places.map((place) => ({ place, from: place.next ?? 0, moves: place.moves }))
    const body = encodeFetchRequest({
      maxWaitMs,
      maxBytesPerPartition,
      maxBytes: Math.max(Math.min(MAX_FETCH_BYTES, maxBytes), maxBytesPerPartition),
      positions: asked.map(({ place: { topic, partition }, from }) => ({ topic, partition, offset: from })),
    })
    const answer = await cluster.ask(
      node,
      'fetch',
      async (connection) => await cluster.send(connection, FETCH, VERSION, body),
      maxWaitMs + ANSWER_MS,
    )
    const find = (topic: string, partition: number) =>
      asked.find(({ place }) => place.topic === topic && place.partition === partition)
    const read = await readFetchAnswer(answer, (topic, partition) => find(topic, partition)?.from ?? 0, {
      checksCrc,
      maxBatchBytes: maxBytes,
      decompress: async (codec, data) => await codecs(codec).decompress(data),
    })
    if (read === undefined)
      throw new ClientFault('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'There is a batch from before Kafka 0.11')
    if (read.errorCode !== 0)
      throw new ClientFault(cluster.errorName(read.errorCode), 'The broker refuses to be fetched from')
    return read.partitions.flatMap((each) => {
      const question = find(each.topic, each.partition)
      return question === undefined ? [] : [{ ...question, ...each }]
    })
  }

  /** Hands a batch over. A partition that has moved is looked for by whoever reads; what else is wrong with one ends
   *  the reading. */
  async #hand({ place, from, moves, errorCode, part }: Fetched, deal: number): Promise<void> {
    const { cluster, membership, onBatch } = this.#options
    const isStale = (): boolean => this.#deal !== deal || place.moves !== moves
    if (errorCode !== 0) {
      const name = cluster.errorName(errorCode)
      // What it was at is gone: it goes on with the oldest record there is.
      if (name === 'OFFSET_OUT_OF_RANGE' && !isStale()) place.next = undefined
      else if (!MOVED.has(name))
        throw new ClientFault(name, `The broker says ${name} of partition ${place.partition} of ${place.topic}`)
      return
    }
    if (part.next <= from || place.isPaused || isStale()) return
    place.isHanded = true
    try {
      await onBatch(new Batch(place, part, membership, isStale))
    } catch (error) {
      this.#fail(deal, error)
    } finally {
      place.isHanded = false
      this.#change()
    }
  }

  #fail(deal: number, error: unknown): void {
    if (this.#deal === deal) this.#options.onFault(faultOf(error))
  }

  #change(): void {
    for (const wake of this.#idle) wake()
  }

  /** Resolves at the next change, or after so long. */
  async #changed(longestMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#idle.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, longestMs)
      this.#idle.add(wake)
    })
  }
}

/** Another attempt of this session may succeed. A broker that owes its answer is not asked again, and a codec may fail
 *  for a moment. */
function mayPass(fault: ClientFault): boolean {
  return fault.type === 'BatchUnreadable' || (fault.type !== 'BrokerSilent' && isAway(fault))
}

/** What a fetch brought of one partition, beside the question. */
interface Fetched extends FetchedPartition {
  readonly place: Place
  readonly from: number
  readonly moves: number
}

class Batch implements FetchedBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly FetchedRecord[]
  readonly next: number
  readonly end: number
  readonly bytes: number
  readonly isStale: () => boolean
  readonly #place: Place
  readonly #membership: ReadingOptions['membership']

  constructor(
    place: Place,
    { records, next, end, bytes }: FetchedPart,
    membership: ReadingOptions['membership'],
    isStale: () => boolean,
  ) {
    this.topic = place.topic
    this.partition = place.partition
    this.records = records
    this.next = next
    this.end = end
    this.bytes = bytes
    this.isStale = isStale
    this.#place = place
    this.#membership = membership
  }

  resolve(offset: number): void {
    if (!this.isStale()) this.#place.next = offset + 1
  }

  async heartbeat(): Promise<void> {
    this.#membership.check()
    await Promise.resolve()
  }

  async commit(offset: number, note: string): Promise<void> {
    const { topic, partition } = this
    await this.#membership.commit([{ topic, partition, offset, note }])
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
