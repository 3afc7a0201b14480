import type { ICustomPartitioner, Message, PartitionerArgs, PartitionMetadata, Producer, RecordMetadata } from 'kafkajs'
import { createDeferred, type Deferred } from '@oslo-messaging/core/driver'
import {
  ClientFault,
  type OutgoingRecord,
  type ProducerPort,
  type ProducerPortOptions,
  type ProduceRequest,
  type TopicPartition,
} from '../port/client-port.ts'
import { compressionType } from './compression.ts'
import type { Connection } from './client.ts'
import { faultOf } from './fault.ts'
import { PartitionNumbers } from './partition-numbers.ts'
import type { PatchedCluster } from './patches/client-patches.ts'
import { writeProduceRequests } from './patches/produce.ts'

/** What a broker reads at once by default (socket.request.max.bytes), less what surrounds the records. */
const LARGEST_REQUEST_BYTES = 100 * 1024 * 1024 - 1024
/** Topics share a request up to so many bytes of records: more would make each wait for the others. */
const SHARED_REQUEST_BYTES = 4 * 1024 * 1024
const ACKS_ALL = -1
/** How long a request under way may hold up a disconnect. */
const DISCONNECT_MS = 500
const NO_LEADER = -1

/** One batch on its way. */
interface Sending extends TopicPartition {
  readonly records: readonly OutgoingRecord[]
  readonly bytes: number
  readonly outcome: Deferred<void>
  /** Its request may have left the process. */
  written: boolean
}

/** One request at a time for each broker: what arrives for it meanwhile, of whatever topics, shares the next one. Every batch has its own outcome. */
export class KafkaJSProducer implements ProducerPort {
  readonly #producer: Producer
  readonly #connection: Connection
  readonly #options: ProducerPortOptions
  readonly #numbers = new PartitionNumbers()
  /** What waits for a broker's next request, by the broker's id; there is an entry as long as a request is under way. */
  readonly #waiting = new Map<number, Sending[]>()
  /** Batches under way, by topic and partition. The driver has one of each topic, or one of each partition. */
  readonly #underWay = new Map<string, Sending>()
  #cluster: PatchedCluster | undefined
  #turn = Math.floor(Math.random() * 0xffff)
  #isExhausted = false

  constructor(connection: Connection, options: ProducerPortOptions) {
    this.#connection = connection
    this.#options = options
    connection.patches.onCluster((cluster) => (this.#cluster = cluster))
    writeProduceRequests(connection.patches, {
      numberingOf: (partition) => this.#numbers.of(partition),
      written: (partition) => {
        const sending = this.#underWay.get(keyOf(partition))
        if (sending !== undefined) sending.written = true
      },
    })
    this.#producer = connection.kafka.producer({
      createPartitioner: this.#createPartitioner,
      idempotent: options.idempotent,
      allowAutoTopicCreation: true,
      // No retry at all, so that one call is one attempt. 0 is refused for idempotent producers; NaN is not, and compares as spent.
      retry: { retries: Number.NaN },
    })
  }

  async connect(): Promise<void> {
    try {
      await this.#producer.connect()
    } catch (error) {
      throw await this.#connection.explain(faultOf(error))
    }
  }

  async produce({ topic, partition: wanted, records }: ProduceRequest): Promise<void> {
    if (this.#isExhausted) throw new ClientFault('PRODUCER_FENCED', 'The numbers of this producer session are used up')
    const { partition, leader } = await this.#choose(topic, wanted)
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    const sending: Sending = { topic, partition, records, bytes, outcome: createDeferred<void>(), written: false }
    const waiting = this.#waiting.get(leader)
    if (waiting === undefined) {
      this.#waiting.set(leader, [sending])
      void this.#serve(leader)
    } else waiting.push(sending)
    await sending.outcome.promise
  }

  async partitions(topic: string): Promise<number> {
    const known = await this.#partitionsOf(topic, undefined)
    return known.length
  }

  giveUp(partition: TopicPartition): void {
    if (this.#options.idempotent && !this.#numbers.giveUp(partition)) this.#isExhausted = true
  }

  async disconnect(): Promise<void> {
    const { sockets } = this.#connection
    const timer = setTimeout(() => sockets.close(), DISCONNECT_MS)
    try {
      await this.#producer.disconnect()
    } catch {
      // There is nobody to disconnect from any more: what is left is cut below.
    } finally {
      clearTimeout(timer)
      sockets.close()
    }
  }

  /** The partition to send to, and the broker that leads it: the one that is wanted, else the next one in turn that has a leader.
   *  Rejects with the fault of this topic; what is wrong with others does not matter. */
  async #choose(topic: string, wanted: number | undefined): Promise<{ partition: number; leader: number }> {
    const known = await this.#partitionsOf(topic, wanted)
    if (wanted !== undefined) {
      const metadata = known.find(({ partitionId }) => partitionId === wanted)
      if (metadata === undefined)
        throw new ClientFault('PartitionMissing', `Topic ${topic} has no partition ${wanted}`, { partition: wanted })
      return this.#led(topic, wanted, metadata.leader)
    }
    const usable = known.filter(({ leader }) => leader > NO_LEADER)
    this.#turn = (this.#turn + 1) % 0x7fffffff
    const { partitionId, leader } = (usable.length > 0 ? usable : known)[
      this.#turn % (usable.length || known.length)
    ] ?? {
      partitionId: 0,
      leader: NO_LEADER,
    }
    return this.#led(topic, partitionId, leader)
  }

  /** One at least. Rejects with the fault of this topic; what is wrong with others does not matter. */
  async #partitionsOf(topic: string, wanted: number | undefined): Promise<readonly PartitionMetadata[]> {
    const cluster = this.#cluster
    if (cluster === undefined) throw new ClientFault('Closed', 'There is no client yet')
    try {
      if (!cluster.targetTopics.has(topic)) await cluster.addMultipleTargetTopics([topic])
      else await cluster.refreshMetadataIfNecessary()
    } catch (error) {
      throw faultOf(error, { partition: wanted })
    }
    const known = cluster.findTopicPartitionMetadata(topic)
    const fault = this.#connection.topics.faultOf(topic)
    if (known.length === 0) {
      // The client would ask for it for ever, and a broker that makes topics would make it again.
      cluster.targetTopics.delete(topic)
      throw fault === undefined
        ? new ClientFault('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${topic}`, { partition: wanted })
        : faultOf(fault, { partition: wanted })
    }
    return known
  }

  #led(topic: string, partition: number, leader: number): { partition: number; leader: number } {
    if (leader > NO_LEADER) return { partition, leader }
    throw new ClientFault('LEADER_NOT_AVAILABLE', `Partition ${partition} of ${topic} has no leader`, { partition })
  }

  async #serve(leader: number): Promise<void> {
    for (let waiting = this.#waiting.get(leader) ?? []; waiting.length > 0;) {
      // Topics whose last batch came back in one answer send their next ones now, all of them.
      await new Promise((resolve) => setImmediate(resolve))
      const share = takeShare(waiting)
      for (const sending of share) this.#underWay.set(keyOf(sending), sending)
      await this.#send(share)
      waiting = this.#waiting.get(leader) ?? []
    }
    this.#waiting.delete(leader)
  }

  /** Sends batches in one request and settles each. Never rejects. */
  async #send(share: readonly Sending[]): Promise<void> {
    try {
      const answers = await this.#producer.sendBatch({
        topicMessages: [...new Set(share.map(({ topic }) => topic))].map((topic) => ({
          topic,
          messages: byPartition(share.filter((sending) => sending.topic === topic)),
        })),
        acks: ACKS_ALL,
        timeout: this.#options.timeoutMs,
        compression: compressionType(this.#options.compression),
      })
      await this.#settle(share, answers)
    } catch (error) {
      for (const sending of share) {
        this.#underWay.delete(keyOf(sending))
        const { partition, written, bytes, outcome } = sending
        const fault = faultOf(error, { written, partition })
        const own = new ClientFault(fault.type, fault.message, { cause: error, written, partition, host: fault.host })
        outcome.reject(isCutForItsSize(own, bytes) ? requestTooLarge(own) : own)
      }
    }
  }

  async #settle(share: readonly Sending[], answers: readonly RecordMetadata[]): Promise<void> {
    const failed: { readonly sending: Sending; readonly fault: ClientFault }[] = []
    for (const sending of share) {
      const { topic, partition, records, outcome } = sending
      this.#underWay.delete(keyOf(sending))
      const answer = answers.find((each) => each.topicName === topic && each.partition === partition)
      const fault = this.#faultIn(answer, sending)
      // The broker has it already when its number comes again: an earlier attempt arrived.
      if (fault === undefined || fault.type === 'DUPLICATE_SEQUENCE_NUMBER') {
        this.#numbers.advance({ topic, partition }, records.length)
        outcome.resolve()
      } else failed.push({ sending, fault })
    }
    if (failed.length === 0) return
    // Most faults of a partition mean that it has moved: the next attempt has to know where to.
    await this.#cluster?.refreshMetadata().catch(() => {})
    for (const { sending, fault } of failed) sending.outcome.reject(fault)
  }

  #faultIn(answer: RecordMetadata | undefined, { topic, partition }: Sending): ClientFault | undefined {
    // A partition that is not in the metadata any more is left out of the request without a word.
    if (answer === undefined)
      return new ClientFault('PartitionMissing', `Topic ${topic} has no partition ${partition}`, { partition })
    if (answer.errorCode === 0) return undefined
    return faultOf(this.#connection.topics.errorOf(answer.errorCode), { written: true, partition })
  }

  readonly #createPartitioner: ICustomPartitioner = () => {
    return ({ topic, message }: PartitionerArgs): number => {
      const batches = [...this.#underWay.values()].filter((sending) => sending.topic === topic)
      const [first] = batches
      if (batches.length < 2) return first?.partition ?? 0
      return batches.find(({ records }) => records.some(({ value }) => value === message.value))?.partition ?? 0
    }
  }
}

/** The first that wait, as many as share a request; one always does. */
function takeShare(waiting: Sending[]): readonly Sending[] {
  let bytes = 0
  const partitions = new Set<string>()
  const end = waiting.findIndex((sending, index) => {
    bytes += sending.bytes
    const isAgain = partitions.has(keyOf(sending))
    partitions.add(keyOf(sending))
    return index > 0 && (isAgain || bytes > SHARED_REQUEST_BYTES)
  })
  return waiting.splice(0, end === -1 ? waiting.length : end)
}

/** A broker reads the size of a request first and cuts the connection when it is more than it takes, without an answer. Only one that large is ever alone in a request. */
function isCutForItsSize({ type, written }: ClientFault, bytes: number): boolean {
  return written && bytes >= LARGEST_REQUEST_BYTES && /^(EPIPE|ECONNRESET|KafkaJSConnectionClosedError)$/.test(type)
}

function requestTooLarge(fault: ClientFault): ClientFault {
  return new ClientFault('RequestTooLarge', 'The broker cut the connection instead of reading a request this large', {
    cause: fault,
    written: true,
    partition: fault.partition,
    host: fault.host,
  })
}

/** The records of one topic as kafkajs takes them. It groups them by partition with `reduce`, in quadratic time; these
 *  are grouped already. A tracer that copies the list has them grouped by the partitioner. */
function byPartition(sendings: readonly Sending[]): Message[] {
  const messages = sendings.flatMap(({ records }) => records) as Message[]
  const grouped = Object.fromEntries(sendings.map(({ partition, records }) => [partition, records]))
  Object.defineProperty(messages, 'reduce', { value: () => grouped })
  return messages
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
