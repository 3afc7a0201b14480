import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import { createDeferred, type Deferred } from '@oslo-messaging/core/driver'
import {
  ClientFault,
  type ConsumerPort,
  type ConsumerPortOptions,
  type FetchedBatch,
  type FetchedRecord,
  type PartitionOffset,
  type TopicPartition,
} from '../port/client-port.ts'
import { kindOf } from '../port/map-error.ts'
import { partitionAssigners } from './assigners.ts'
import { faultOf } from './fault.ts'
import type { Connection } from './client.ts'
import type { PatchedCluster } from './patches/client-patches.ts'
import { DealCommits } from './patches/commits.ts'
import { endsWhenClosing } from './patches/ending.ts'
import { partOf, readFetches } from './patches/fetch.ts'
import { coordinatorOf, joinAgainAs, joinAs, watchJoins } from './patches/joins.ts'

/** Joining an unsettled group takes a few attempts; what is left then is a loss, which the driver mends with a new
 *  session. */
const RETRY = { retries: 5, initialRetryTime: 50, maxRetryTime: 1000, factor: 0.2, multiplier: 2 } as const
/** A topic the broker makes on the first question can be used by the third or so. */
const SUBSCRIBE_ATTEMPTS = 12
const SUBSCRIBE_WAIT_MS = 50
const MAY_PASS: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])
const DISCONNECT_MS = 3000
/** How long a broker may take for an answer, beside what a fetch waits for records. */
const ANSWER_MS = 7000
const MAX_FETCH_BYTES = 10 * 1024 * 1024
/** How often a commit is tried while its deal is in force, and the pause before the second attempt. */
const COMMIT_ATTEMPTS = 5
const COMMIT_PAUSE_MS = 100
/** Partitions handled at once; each waits for its own room. */
const PARTITIONS_AT_ONCE = 64

/** One session in a consumer group. It ends with the first crash: kafkajs's own restart is off. */
export class KafkaJSConsumer implements ConsumerPort {
  readonly #consumer: Consumer
  readonly #connection: Connection
  readonly #options: ConsumerPortOptions
  readonly #joined: Deferred<void> = createDeferred<void>()
  readonly #commits: DealCommits
  #endWatch: (() => void) | undefined
  #cluster: PatchedCluster | undefined
  #member: string | undefined
  #lost: ClientFault | undefined
  #closing = false
  /** The library reads, and would leave the group by itself. */
  #isRunning = false
  /** The owner knows the present assignment and has not been told that it ends. */
  #settled = false

  constructor(connection: Connection, options: ConsumerPortOptions) {
    const { kafka, patches } = connection
    this.#connection = connection
    this.#options = options
    patches.onCluster((cluster) => {
      this.#cluster ??= cluster
      endsWhenClosing(cluster, () => this.#closing)
    })
    this.#commits = new DealCommits(patches, options.group)
    readFetches(patches, { checksCrc: options.checksCrc, maxBatchBytes: options.maxBytes })
    watchJoins(patches, {
      before: async () => await this.#beforeJoin(),
      asked: (memberId) => {
        this.#refuseWhenClosing()
        this.#member = memberId ?? this.#member
      },
    })
    if (options.instance !== undefined) joinAs(patches, options.instance)
    if (options.formerMember !== undefined) joinAgainAs(patches, options.formerMember)
    this.#member = options.formerMember
    this.#consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: 60_000,
      maxBytesPerPartition: options.maxBytesPerPartition,
      maxBytes: Math.max(Math.min(MAX_FETCH_BYTES, options.maxBytes), options.maxBytesPerPartition),
      maxWaitTimeInMs: options.maxWaitMs,
      allowAutoTopicCreation: true,
      partitionAssigners: partitionAssigners(async (topics) => await askPartitions(kafka, topics)),
      retry: { ...RETRY, restartOnFailure: async () => await Promise.resolve(false) },
    })
    this.#joined.promise.catch(() => {})
  }

  async start(): Promise<void> {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, (event) => this.#onJoin(event))
    // `run` never rejects: a failed join shows only here.
    this.#consumer.on(events.CRASH, (event) => this.#onLoss(faultOf(event.payload.error)))
    const { maxWaitMs } = this.#options
    this.#endWatch = this.#connection.sockets.watchSilence(maxWaitMs + ANSWER_MS, (broker) => {
      this.#onLoss(
        new ClientFault(
          'BrokerSilent',
          `${broker} has not answered for ${Math.round((maxWaitMs + ANSWER_MS) / 1000)} s`,
        ),
      )
    })
    try {
      await this.#consumer.connect()
      this.#refuseWhenClosing()
      await this.#subscribe()
      this.#refuseWhenClosing()
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: async (payload) => await this.#onBatch(payload),
      })
    } catch (error) {
      throw faultOf(error)
    }
    await this.#joined.promise
    this.#isRunning = true
  }

  async commit(positions: readonly PartitionOffset[]): Promise<void> {
    if (positions.length === 0) return
    await this.#joined.promise
    const { deal } = this.#commits
    for (let attempt = 1; ; attempt += 1) {
      if (this.#lost !== undefined) throw this.#lost
      this.#refuseWhenClosing()
      try {
        return await this.#commits.commit(positions, deal)
      } catch (error) {
        const fault = faultOf(error)
        if (kindOf(fault) !== 'passing' || attempt === COMMIT_ATTEMPTS) throw fault
      }
      await new Promise((resolve) => setTimeout(resolve, COMMIT_PAUSE_MS * attempt))
    }
  }

  seek({ topic, partition, offset }: PartitionOffset): void {
    if (this.#usable) this.#consumer.seek({ topic, partition, offset: String(offset) })
  }

  pause({ topic, partition }: TopicPartition): void {
    if (this.#usable) this.#consumer.pause([{ topic, partitions: [partition] }])
  }

  resume({ topic, partition }: TopicPartition): void {
    if (this.#usable) this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  async disconnect(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#endWatch?.()
    const closed = new ClientFault('Closed', 'The consumer was closed')
    this.#joined.reject(closed)
    const timer = setTimeout(() => this.#connection.sockets.close(), DISCONNECT_MS)
    try {
      // kafkajs leaves a group it reads from, not one that was about to let it in.
      if (!this.#isRunning && this.#lost === undefined && this.#options.instance === undefined)
        await this.#remove(this.#member)
      const disconnected = this.#consumer.disconnect()
      // A broker that has fallen silent does not answer to a goodbye either.
      if (this.#lost?.type === 'BrokerSilent') this.#connection.sockets.close()
      else this.#connection.sockets.cutFetches()
      await disconnected
    } catch {
      // There is nobody to disconnect from any more: what is left is cut below.
    } finally {
      clearTimeout(timer)
      this.#connection.sockets.close()
    }
  }

  /** The library goes on with what it has begun, and joins a group although it was told to disconnect. */
  #refuseWhenClosing(): void {
    if (this.#closing) throw new ClientFault('Closed', 'The consumer was closed')
  }

  get #usable(): boolean {
    return this.#lost === undefined && !this.#closing
  }

  get member(): string | undefined {
    return this.#member
  }

  async #remove(memberId: string | undefined): Promise<void> {
    const { group: groupId } = this.#options
    if (memberId === undefined || this.#cluster === undefined) return
    try {
      const coordinator = await coordinatorOf(this.#cluster, groupId)
      await coordinator.leaveGroup({ groupId, memberId })
    } catch (error) {
      const fault = faultOf(error)
      // It has left, or the group has given it up already.
      if (fault.type !== 'UNKNOWN_MEMBER_ID') throw fault
    }
  }

  /** A topic the broker has to make first is refused although it is being made. */
  async #subscribe(): Promise<void> {
    const { topics } = this.#options
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    for (let attempt = 1; ; attempt += 1) {
      const faults = topics.flatMap((topic) => this.#connection.topics.faultOf(topic) ?? [])
      if (faults.length === 0) return
      const fault = faults.map((each) => faultOf(each)).find(({ type }) => !MAY_PASS.has(type)) ?? faultOf(faults[0])
      if (!MAY_PASS.has(fault.type) || attempt === SUBSCRIBE_ATTEMPTS || this.#closing) throw fault
      await new Promise((resolve) => setTimeout(resolve, SUBSCRIBE_WAIT_MS))
      await this.#cluster?.refreshMetadata()
    }
  }

  #onJoin({ payload }: ConsumerGroupJoinEvent): void {
    this.#member = payload.memberId
    const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    this.#commits.begin()
    this.#options.handlers.onAssigned(assigned)
    this.#settled = true
    this.#joined.resolve()
  }

  async #beforeJoin(): Promise<void> {
    if (this.#settled && this.#usable) {
      this.#settled = false
      await this.#options.handlers.onRejoin()
    }
    this.#commits.end()
  }

  #onLoss(fault: ClientFault): void {
    if (this.#lost !== undefined) return
    this.#lost = fault
    this.#endWatch?.()
    this.#joined.reject(fault)
    if (!this.#closing) this.#options.handlers.onLost(fault)
  }

  async #onBatch(payload: EachBatchPayload): Promise<void> {
    try {
      await this.#options.handlers.onBatch(new Batch(payload, this.#commits))
    } catch (error) {
      // kafkajs decides by its own error whether it has to join again.
      throw error instanceof ClientFault && error.cause instanceof Error ? error.cause : error
    }
  }
}

/** A fetched batch over kafkajs's payload; records are converted once, when they are first asked for. */
class Batch implements FetchedBatch {
  readonly #payload: EachBatchPayload
  readonly #commits: DealCommits
  readonly topic: string
  readonly partition: number
  readonly records: readonly FetchedRecord[]
  readonly next: number
  readonly end: number
  readonly bytes: number

  constructor(payload: EachBatchPayload, commits: DealCommits) {
    const { batch } = payload
    this.#payload = payload
    this.#commits = commits
    this.topic = batch.topic
    this.partition = batch.partition
    const part = partOf(batch.messages)
    this.records = part?.records ?? batch.messages.map(toRecord)
    this.next = part?.next ?? Number(batch.lastOffset()) + 1
    this.end = Number(batch.highWatermark)
    this.bytes = part?.bytes ?? this.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  }

  resolve(offset: number): void {
    this.#payload.resolveOffset(String(offset))
  }

  async heartbeat(): Promise<void> {
    try {
      await this.#payload.heartbeat()
    } catch (error) {
      throw faultOf(error)
    }
  }

  async commit(offset: number, note: string): Promise<void> {
    try {
      const position = { topic: this.topic, partition: this.partition, offset, note }
      await this.#commits.commit([position], this.#commits.deal)
    } catch (error) {
      throw faultOf(error)
    }
  }

  isStale(): boolean {
    return this.#payload.isStale() || !this.#payload.isRunning()
  }
}

/** A record in a format from before Kafka 0.11, which has no headers. */
function toRecord({ offset, timestamp, key, value }: KafkaMessage): FetchedRecord {
  return { offset: Number(offset), timestamp: Number(timestamp), key, value, headers: undefined }
}

/** Topics that do not exist are left out: whoever reads them makes them, and the group is dealt out again. */
async function askPartitions(kafka: Kafka, topics: readonly string[]): Promise<Map<string, readonly number[]>> {
  const admin = kafka.admin()
  const found = new Map<string, readonly number[]>()
  try {
    await admin.connect()
    for (const topic of topics) {
      try {
        const { topics: answers } = await admin.fetchTopicMetadata({ topics: [topic] })
        const numbers = answers.flatMap(({ partitions }) => partitions.map(({ partitionId }) => partitionId))
        found.set(
          topic,
          numbers.toSorted((a, b) => a - b),
        )
      } catch (error) {
        if (faultOf(error).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      }
    }
  } finally {
    await admin.disconnect()
  }
  return found
}
