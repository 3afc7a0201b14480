import kafkajs, { type Admin, type ConfigResourceTypes } from 'kafkajs'
import {
  type AdminPort,
  ClientFault,
  type PartitionBounds,
  type PartitionOffset,
  type TopicFacts,
} from '../port/client-port.ts'
import { decodeQuorumClock, DESCRIBE_QUORUM, encodeQuorumRequest } from '../wire/quorum.ts'
import type { Connection } from './client.ts'
import { faultOf } from './fault.ts'
import { isFunction, shaped } from './patches/internals.ts'
import type { PatchedCluster } from './patches/client-patches.ts'

const DISCONNECT_MS = 500
/** How long a broker may take for an answer. */
const ANSWER_MS = 5000
const NOT_STORED = -1
// kafkajs is CommonJS, and Node finds this name on the default export alone.
const { ConfigResourceTypes: RESOURCES } = kafkajs
const KNOW_ATTEMPTS = 5

/** A stored position as kafkajs reads it; its types leave the note out. */
interface StoredOffset {
  readonly partition: number
  readonly offset: string
  readonly metadata?: string | null
}

export class KafkaJSAdmin implements AdminPort {
  readonly #admin: Admin
  readonly #connection: Connection
  #cluster: PatchedCluster | undefined
  #endWatch: (() => void) | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    connection.patches.onCluster((cluster) => (this.#cluster = cluster))
    this.#admin = connection.kafka.admin()
  }

  async connect(): Promise<void> {
    const { sockets } = this.#connection
    this.#endWatch = sockets.watchSilence(ANSWER_MS, () => sockets.cutAll())
    await this.#ask(() => this.#admin.connect())
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const [low, high] = await this.#ask(
      async () => await this.#offsets(topic, [{ fromBeginning: true }, { fromBeginning: false }]),
    )
    return (high ?? []).map(({ partition, offset }) => {
      const first = low?.find((each) => each.partition === partition)
      return { topic, partition, low: Number(first?.offset ?? offset), high: Number(offset) }
    })
  }

  async offsetsAt(topic: string, timestamp: number): Promise<readonly PartitionOffset[]> {
    const [found] = await this.#ask(async () => await this.#offsets(topic, [{ fromTimestamp: timestamp }]))
    return (found ?? []).flatMap(({ partition, offset }) =>
      Number(offset) === NOT_STORED ? [] : [{ topic, partition, offset: Number(offset) }],
    )
  }

  /** The answers to questions about the partitions of a topic. Those without a leader are left out. */
  async #offsets(
    topic: string,
    questions: readonly ({ readonly fromBeginning: boolean } | { readonly fromTimestamp: number })[],
  ) {
    const cluster = await this.#know([topic])
    const fault = this.#connection.topics.faultOf(topic)
    if (fault !== undefined) {
      cluster.targetTopics.delete(topic)
      throw fault
    }
    const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }))
    return await Promise.all(
      questions.map(async (question) => {
        const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions, ...question }])
        return answer?.partitions ?? []
      }),
    )
  }

  async committed(group: string, topics: readonly string[]): Promise<readonly PartitionOffset[]> {
    const stored = await this.#ask(async () => {
      const cluster = await this.#know(topics)
      const asked = topics
        .filter((topic) => this.#connection.topics.faultOf(topic) === undefined)
        .map((topic) => ({
          topic,
          partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({
            partition: partitionId,
            offset: String(NOT_STORED),
          })),
        }))
      const coordinator = await cluster.findGroupCoordinator({ groupId: group })
      return (await coordinator.offsetFetch({ groupId: group, topics: asked })).responses
    })
    return stored.flatMap(({ topic, partitions }) =>
      partitions
        .map(({ partition, offset, metadata }: StoredOffset) => ({
          topic,
          partition,
          offset: Number(offset),
          ...(metadata === undefined || metadata === null || metadata === '' ? {} : { note: metadata }),
        }))
        .filter(({ offset }) => offset !== NOT_STORED),
    )
  }

  /** Has the metadata of these topics, or what is wrong with them. Of questions that overlap the older answer may
   *  come last and lack a topic, as if it did not exist: then it is asked again. */
  async #know(topics: readonly string[]): Promise<PatchedCluster> {
    const cluster = this.#cluster
    if (cluster === undefined) throw new ClientFault('Closed', 'There is no client yet')
    await cluster.addMultipleTargetTopics([...topics])
    await cluster.refreshMetadataIfNecessary()
    for (let attempt = 1; ; attempt += 1) {
      const unknown = topics.filter(
        (topic) =>
          this.#connection.topics.faultOf(topic) === undefined &&
          cluster.findTopicPartitionMetadata(topic).length === 0,
      )
      if (unknown.length === 0) return cluster
      if (attempt === KNOW_ATTEMPTS)
        throw new ClientFault('TopicsUnknown', `No broker says anything about ${unknown.join(', ')}`)
      await cluster.refreshMetadata()
    }
  }

  async topics(): Promise<readonly string[]> {
    return await this.#ask(async () => (await this.#admin.listTopics()).filter((name) => !name.startsWith('__')))
  }

  async groups(): Promise<readonly { readonly group: string; readonly members: number }[]> {
    return await this.#ask(async () => {
      const { groups } = await this.#admin.listGroups()
      // A group that nobody is a member of has no protocol.
      const names = groups.filter(({ protocolType: type }) => type === 'consumer' || type === '')
      if (names.length === 0) return []
      const described = await this.#admin.describeGroups(names.map(({ groupId }) => groupId))
      return described.groups.map(({ groupId, members }) => ({ group: groupId, members: members.length }))
    })
  }

  async topicFacts(topic: string): Promise<TopicFacts> {
    return await this.#ask(async () => {
      const cluster = await this.#know([topic])
      const fault = this.#connection.topics.faultOf(topic)
      if (fault !== undefined) {
        cluster.targetTopics.delete(topic)
        throw fault
      }
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader, replicas, isr }) => ({
        partition: partitionId,
        hasLeader: leader >= 0,
        replicas: replicas.length,
        inSync: isr.length,
      }))
      return { partitions, settings: await this.#settings(RESOURCES.TOPIC, topic) }
    })
  }

  async brokerSettings(): Promise<Readonly<Record<string, string>>> {
    return await this.#ask(async () => {
      const { brokers, controller } = await this.#admin.describeCluster()
      const node = brokers[0]?.nodeId ?? controller ?? 0
      return await this.#settings(RESOURCES.BROKER, String(node))
    })
  }

  async controllerClock(): Promise<number> {
    return await this.#ask(async () => {
      const cluster = await this.#know([])
      const broker = shaped(await cluster.findControllerBroker(), isAskable, 'a broker')
      const { key: apiKey, version: apiVersion } = DESCRIBE_QUORUM
      // A broker that does not know the question would close the connection.
      if (!(apiKey in broker.versions)) throw new ClientFault('UNSUPPORTED_VERSION', 'This Kafka has no KRaft')
      // As much of an encoder as is looked at by whoever copies it behind the request's head.
      const buf = encodeQuorumRequest()
      return await broker.connectionPool.send({
        request: {
          apiKey,
          apiVersion,
          apiName: 'DescribeQuorum',
          encode: async () => await Promise.resolve({ buf, buffer: buf }),
        },
        response: {
          decode: async (answer) => await Promise.resolve(decodeQuorumClock(answer)),
          parse: async (found) => await Promise.resolve(found),
        },
      })
    })
  }

  async #settings(type: ConfigResourceTypes, name: string): Promise<Readonly<Record<string, string>>> {
    const { resources } = await this.#admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] })
    return Object.fromEntries(
      resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    )
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#ask(async () => {
      try {
        await this.#admin.deleteGroups([group])
      } catch (error) {
        // What it throws says that some group failed; which and why is beside it.
        const groups: unknown = error instanceof Error && 'groups' in error ? error.groups : undefined
        const first: unknown = Array.isArray(groups) ? groups[0] : undefined
        const cause: unknown = typeof first === 'object' && first !== null && 'error' in first ? first.error : undefined
        throw cause instanceof Error ? cause : error
      }
    })
  }

  async disconnect(): Promise<void> {
    this.#endWatch?.()
    const timer = setTimeout(() => this.#connection.sockets.close(), DISCONNECT_MS)
    try {
      await this.#admin.disconnect()
    } catch {
      // There is nobody to disconnect from any more: what is left is cut below.
    } finally {
      clearTimeout(timer)
      this.#connection.sockets.close()
    }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      const fault = faultOf(error)
      const refusal = this.#connection.lastRefusal()
      // kafkajs swallows why no coordinator was found, and only its log remembers.
      if (
        fault.type === 'KafkaJSGroupCoordinatorNotFound' &&
        refusal?.includes('authorized to access group') === true
      ) {
        throw new ClientFault('GROUP_AUTHORIZATION_FAILED', refusal, { cause: error })
      }
      throw await this.#connection.explain(fault)
    }
  }
}

/** A broker of kafkajs, as far as a question that kafkajs does not know needs it. */
interface AskableBroker {
  readonly versions: Readonly<Record<number, object>>
  readonly connectionPool: {
    readonly send: (question: {
      readonly request: object
      readonly response: {
        readonly decode: (answer: Buffer) => Promise<number>
        readonly parse: (found: number) => Promise<number>
      }
    }) => Promise<number>
  }
}

function isAskable(found: unknown): found is AskableBroker {
  const { versions, connectionPool } = (found ?? {}) as Partial<AskableBroker>
  return typeof versions === 'object' && isFunction(connectionPool?.send)
}
