import type { ICustomPartitioner, Message, PartitionerArgs, PartitionMetadata, Producer, RecordMetadata } from 'kafkajs'
import {
  ClientFault,
  type ProducerPort,
  type ProducerPortOptions,
  type ProduceRequest,
  type TopicPartition,
} from '../port/client-port.ts'
import { type Sending, SharedRequests } from '../port/shared-requests.ts'
import { compressionType } from './compression.ts'
import type { Connection } from './client.ts'
import { faultOf } from './fault.ts'
import type { PatchedCluster } from './patches/client-patches.ts'
import { writeProduceRequests } from './patches/produce.ts'

const ACKS_ALL = -1
/** How long a request under way may hold up a disconnect. */
const DISCONNECT_MS = 500
/** How much longer than its replicas a broker may take for an answer. */
const ANSWER_MS = 2000

/** The producer of kafkajs, without its retries. */
export class KafkaJSProducer implements ProducerPort {
  readonly #producer: Producer
  readonly #connection: Connection
  readonly #options: ProducerPortOptions
  readonly #requests: SharedRequests
  /** Batches under way, by topic and partition. The driver has one of each topic, or one of each partition. */
  readonly #underWay = new Map<string, Sending>()
  /** Which body each of them is in, once it is encoded. */
  readonly #bodyOf = new WeakMap<Sending, number>()
  #cluster: PatchedCluster | undefined
  #endWatch: (() => void) | undefined

  constructor(connection: Connection, options: ProducerPortOptions) {
    this.#connection = connection
    this.#options = options
    this.#requests = new SharedRequests({
      idempotent: options.idempotent,
      partitionsOf: async (topic, wanted) => await this.#partitionsOf(topic, wanted),
      send: async (_leader, batches) => await this.#send(batches),
      doubt: async () => await this.#cluster?.refreshMetadata().catch(() => {}),
    })
    connection.patches.onCluster((cluster) => (this.#cluster = cluster))
    writeProduceRequests(connection.patches, {
      numberingOf: (partition) => this.#requests.numbers.of(partition),
      allocate: connection.sockets.bodies.allocate,
      encoded: (body, partitions) => {
        const { mark, number } = connection.sockets.bodies.keep(body)
        for (const partition of partitions) {
          const sending = this.#underWay.get(keyOf(partition))
          if (sending === undefined) continue
          sending.written = true
          this.#bodyOf.set(sending, number)
        }
        return mark
      },
    })
    this.#producer = connection.kafka.producer({
      createPartitioner: this.#createPartitioner,
      idempotent: options.idempotent,
      allowAutoTopicCreation: true,
      // No retry at all, so that one call is one attempt. 0 is refused for idempotent producers; NaN is not, and
      // compares as spent.
      retry: { retries: Number.NaN },
    })
  }

  async connect(): Promise<void> {
    const { sockets } = this.#connection
    // The library gives such a request up, and sends the next one on the same connection: one that is dead stays in
    // use.
    this.#endWatch ??= sockets.watchSilence(this.#options.timeoutMs + ANSWER_MS, () => sockets.cutAll())
    try {
      await this.#producer.connect()
    } catch (error) {
      throw await this.#connection.explain(faultOf(error))
    }
  }

  async produce(request: ProduceRequest): Promise<void> {
    await this.#requests.produce(request)
  }

  async partitions(topic: string): Promise<number> {
    const known = await this.#partitionsOf(topic, undefined)
    return known.length
  }

  giveUp(partition: TopicPartition): void {
    this.#requests.giveUp(partition)
  }

  async disconnect(): Promise<void> {
    const { sockets } = this.#connection
    this.#endWatch?.()
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

  /** One at least. Rejects with the fault of this topic; what is wrong with others does not matter. */
  async #partitionsOf(topic: string, wanted: number | undefined): Promise<readonly PartitionMetadata[]> {
    const cluster = this.#cluster
    if (cluster === undefined) throw new ClientFault('Closed', 'There is no client yet')
    try {
      const isFresh = Date.now() <= (cluster.brokerPool.metadataExpireAt ?? 0)
      // The library looks for every topic among all of them, which is too much for one batch of one.
      const fresh = isFresh && cluster.targetTopics.has(topic) ? cluster.findTopicPartitionMetadata(topic) : []
      if (fresh.length > 0) return fresh
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

  async #send(share: readonly Sending[]): Promise<readonly (ClientFault | undefined)[]> {
    for (const sending of share) this.#underWay.set(keyOf(sending), sending)
    try {
      const answers = await this.#producer.sendBatch({
        topicMessages: [...byTopic(share)].map(([topic, sendings]) => ({ topic, messages: byPartition(sendings) })),
        acks: ACKS_ALL,
        timeout: this.#options.timeoutMs,
        compression: compressionType(this.#options.compression),
      })
      const found = new Map(answers.map((answer) => [keyOf({ ...answer, topic: answer.topicName }), answer]))
      return share.map((sending) => this.#faultIn(found.get(keyOf(sending)), sending))
    } catch (error) {
      throw faultOf(error)
    } finally {
      for (const sending of share) {
        this.#underWay.delete(keyOf(sending))
        // One that could not be written, because the connection went before.
        const number = this.#bodyOf.get(sending)
        if (number !== undefined) this.#connection.sockets.bodies.forget(number)
      }
    }
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

function byTopic(share: readonly Sending[]): ReadonlyMap<string, Sending[]> {
  const topics = new Map<string, Sending[]>()
  for (const sending of share) {
    const own = topics.get(sending.topic)
    if (own === undefined) topics.set(sending.topic, [sending])
    else own.push(sending)
  }
  return topics
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
