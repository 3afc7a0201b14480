import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { until } from '../load/until.ts'
import { electPreferredLeaders } from './elect-leaders.ts'
import { type ClusterFacts, describeCluster, type PartitionFacts } from './metadata.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, logLevel, ResourcePatternTypes } = kafkajs

/** Moves and removals of the outside world; asked again while brokers are away. */
const PATIENCE_MS = 60_000
/** How long an election may take to be heard of. */
const ELECTED_MS = 3_000
const ELECTED_POLL_MS = 50

export interface TopicPlan {
  readonly topic: string
  readonly partitions: number
  /** Replicas of each partition by node; default: three, led by each node in turn. */
  readonly replicas?: readonly (readonly number[])[]
}

/** An operator beside the program under test. Nodes may be away at any time, so each question goes over a connection of
 *  its own. */
export class KafkaAdmin {
  readonly brokers: readonly string[]
  readonly #kafka: Kafka
  #connected: Promise<Admin> | undefined

  constructor(brokers: readonly string[]) {
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
    this.brokers = brokers
    this.#kafka = new kafkajs.Kafka({
      brokers: [...brokers],
      clientId: 'certify-admin',
      logLevel: logLevel.NOTHING,
      requestTimeout: 5000,
      retry: { retries: 0 },
    })
  }

  /** As the first broker that answers knows it. */
  async describe(): Promise<ClusterFacts> {
    return await Promise.any(this.brokers.map((broker) => describeCluster(broker)))
  }

  /** As each broker that answers knows it: one that is behind still has the old leaders. */
  async describeEach(): Promise<readonly ClusterFacts[]> {
    const answers = await Promise.allSettled(this.brokers.map((broker) => describeCluster(broker)))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  }

  async create(plans: readonly TopicPlan[]): Promise<void> {
    await this.#ask((admin) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: plans.map(({ topic, partitions, replicas }) => ({
          topic,
          replicaAssignment: Array.from({ length: partitions }, (_, partition) => ({
            partition,
            replicas: [...(replicas?.[partition] ?? [0, 1, 2].map((step) => ((partition + step) % 3) + 1))],
          })),
        })),
      }),
    )
    const wanted = plans.reduce((sum, { partitions }) => sum + partitions, 0)
    const names = new Set(plans.map(({ topic }) => topic))
    await until(
      async () => {
        const views = await this.describeEach()
        const led = views.map(({ partitions }) =>
          partitions.filter(({ topic, leader }) => names.has(topic) && leader > 0),
        )
        return led.every(({ length }) => length >= wanted)
      },
      `topics ${[...names].join(', ')} with leaders`,
      PATIENCE_MS,
    )
  }

  /** Resolves when every broker knows that it is gone. */
  async remove(topic: string): Promise<void> {
    await this.#ask((admin) => admin.deleteTopics({ topics: [topic] }))
    await until(
      async () =>
        (await this.describeEach()).every(({ partitions }) => partitions.every((each) => each.topic !== topic)),
      `${topic} deleted`,
      PATIENCE_MS,
    )
  }

  /** Makes the next replica of each partition the preferred one, and elects the preferred ones. Resolves to the
   *  partitions that have another leader then. */
  async rotateLeaders(topics: readonly string[]): Promise<number> {
    const before = await this.#leaders(topics)
    await this.#ask((admin) =>
      admin.alterPartitionReassignments({
        topics: topics.map((topic) => ({
          topic,
          partitionAssignment: before
            .filter((each) => each.topic === topic)
            .map(({ partition, replicas }) => ({
              partition,
              replicas: [...replicas.slice(1), ...replicas.slice(0, 1)],
            })),
        })),
      }),
    )
    // Only the controller elects, and metadata does not name it, so every node is asked.
    await Promise.all(this.brokers.map((broker) => electPreferredLeaders(broker)))
    const moved = async (): Promise<number> => {
      const after = await this.#leaders(topics)
      return after.filter(({ leader }, index) => leader !== before[index]?.leader).length
    }
    // Brokers hear of an election one after the other.
    const heardBy = performance.now() + ELECTED_MS
    for (let count = await moved(); ; count = await moved()) {
      if (count > 0 || performance.now() > heardBy) return count
      await sleep(ELECTED_POLL_MS)
    }
  }

  /** Keeps everybody but the operator away from a topic, by giving it to another user alone; `allow` takes that back.
   *  Resolves to the number of rules that were made or deleted. */
  async forbid(topic: string): Promise<number> {
    await this.#ask((admin) => admin.createAcls({ acl: [aclOf(topic)] }))
    return 1
  }

  async allow(topic: string): Promise<number> {
    const { filterResponses } = await this.#ask((admin) => admin.deleteAcls({ filters: [aclOf(topic)] }))
    return filterResponses.reduce((sum, { matchingAcls }) => sum + matchingAcls.length, 0)
  }

  /** Where a group stands: for each partition of the topics the next offset that it would read. */
  async committed(
    group: string,
    topics: readonly string[],
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]> {
    const positions = []
    // One topic at a time: of questions about several that overlap, kafkajs may lose the partitions of one.
    for (const topic of topics) {
      const stored = await until(
        async () => {
          const [answer] = await this.#ask((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }))
          if (answer === undefined || answer.partitions.length === 0) throw new Error(`Nothing is said about ${topic}`)
          return answer.partitions
        },
        `positions of ${group} in ${topic}`,
        PATIENCE_MS,
      )
      positions.push(...stored.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })))
    }
    return positions
  }

  async close(): Promise<void> {
    const connected = this.#connected
    this.#connected = undefined
    if (connected !== undefined) await connected.then((admin) => admin.disconnect()).catch(() => undefined)
  }

  async #leaders(topics: readonly string[]): Promise<readonly PartitionFacts[]> {
    const { partitions } = await this.describe()
    return partitions
      .filter(({ topic }) => topics.includes(topic))
      .toSorted((one, other) => one.topic.localeCompare(other.topic) || one.partition - other.partition)
  }

  /** One connection as long as it answers; whatever fails costs it. */
  async #ask<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    this.#connected ??= this.#connect()
    try {
      return await work(await this.#connected)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin()
    await admin.connect()
    return admin
  }
}

function aclOf(topic: string) {
  return {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:somebody-else',
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  }
}
