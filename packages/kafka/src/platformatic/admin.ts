import type { AdminPort, PartitionBounds, PartitionOffset, TopicFacts, TopicPartition } from '../port/client-port.ts'
import { decodeQuorumClock, DESCRIBE_QUORUM, encodeQuorumRequest } from '../wire/quorum.ts'
import type { Cluster } from './cluster.ts'

const OLDEST = -2n
const NEWEST = -1n
const NOT_STORED = -1
/** Kinds of things that have settings. Source: Kafka protocol guide, DescribeConfigs. */
const RESOURCES = { topic: 2, broker: 4 } as const

export class PlatformaticAdmin implements AdminPort {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async connect(): Promise<void> {
    await this.#cluster.connect()
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const partitions = await this.#partitionsOf(topic)
    const [low, high] = await Promise.all([
      this.#cluster.offsets(partitions, OLDEST),
      this.#cluster.offsets(partitions, NEWEST),
    ])
    return high.map(({ partition, offset }) => ({
      topic,
      partition,
      low: low.find((each) => each.partition === partition)?.offset ?? offset,
      high: offset,
    }))
  }

  async offsetsAt(topic: string, timestamp: number): Promise<readonly PartitionOffset[]> {
    const found = await this.#cluster.offsets(await this.#partitionsOf(topic), BigInt(timestamp))
    return found.filter(({ offset }) => offset !== NOT_STORED)
  }

  async committed(group: string, topics: readonly string[]): Promise<readonly PartitionOffset[]> {
    await this.#cluster.know(topics)
    const partitions = topics.flatMap((topic) => this.#all(topic))
    return await this.#cluster.committed(await this.#cluster.coordinatorOf(group), group, partitions)
  }

  async topics(): Promise<readonly string[]> {
    const { topics } = await this.#cluster.metadata(null)
    return topics.flatMap(({ name }) => (name === null || name.startsWith('__') ? [] : [name]))
  }

  async groups(): Promise<readonly { readonly group: string; readonly members: number }[]> {
    const { listGroupsV4, describeGroupsV5 } = this.#cluster.library
    const { brokers } = await this.#cluster.metadata([])
    // Each broker knows the groups that it looks after.
    const answers = brokers.map(async ({ nodeId }) => {
      return await this.#cluster.ask(nodeId, 'control', async (connection) => {
        const { groups } = await listGroupsV4.api.async(connection, [])
        // A group that nobody is a member of has no protocol.
        const own = groups.filter(({ protocolType: type }) => type === 'consumer' || type === '')
        if (own.length === 0) return []
        const names = own.map(({ groupId }) => groupId)
        return (await describeGroupsV5.api.async(connection, names, false)).groups
      })
    })
    return (await Promise.all(answers))
      .flat()
      .map(({ groupId, members }) => ({ group: groupId, members: members.length }))
  }

  async topicFacts(topic: string): Promise<TopicFacts> {
    const { topics, brokers } = await this.#cluster.metadata([topic])
    const found = topics.find(({ name }) => name === topic)
    if (found === undefined || found.errorCode !== 0) throw this.#cluster.topicFault(topic, found?.errorCode ?? 3)
    const partitions = found.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      hasLeader: leaderId >= 0,
      replicas: replicaNodes.length,
      inSync: isrNodes.length,
    }))
    return { partitions, settings: await this.#settings(brokers[0]?.nodeId, RESOURCES.topic, topic) }
  }

  async brokerSettings(): Promise<Readonly<Record<string, string>>> {
    const { brokers } = await this.#cluster.metadata([])
    const node = brokers[0]?.nodeId
    return await this.#settings(node, RESOURCES.broker, String(node))
  }

  async controllerClock(): Promise<number> {
    const { key, version } = DESCRIBE_QUORUM
    const answer = await this.#cluster.askAny(
      async (connection) => await this.#cluster.send(connection, key, version, encodeQuorumRequest()),
    )
    return decodeQuorumClock(answer)
  }

  async #settings(
    node: number | undefined,
    resourceType: number,
    resourceName: string,
  ): Promise<Readonly<Record<string, string>>> {
    const resources = [{ resourceType, resourceName, configurationKeys: null }]
    const { results } = await this.#cluster.ask(node ?? NOT_STORED, 'control', async (connection) => {
      return await this.#cluster.library.describeConfigsV4.api.async(connection, resources, false, false)
    })
    return Object.fromEntries(results.flatMap(({ configs }) => configs.map(({ name, value }) => [name, value ?? ''])))
  }

  async deleteGroup(group: string): Promise<void> {
    const node = await this.#cluster.coordinatorOf(group)
    await this.#cluster.ask(node, 'control', (connection) =>
      this.#cluster.library.deleteGroupsV2.api.async(connection, [group]),
    )
  }

  async disconnect(): Promise<void> {
    this.#cluster.close()
    await Promise.resolve()
  }

  /** Always asked for: what a watchdog compares must not be what was known before. */
  async #partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    await this.#cluster.refresh([topic])
    const fault = this.#cluster.faultOf(topic)
    if (fault !== undefined) throw fault
    return this.#all(topic)
  }

  #all(topic: string): readonly TopicPartition[] {
    return this.#cluster.partitionsOf(topic).map(({ partitionId }) => ({ topic, partition: partitionId }))
  }
}
