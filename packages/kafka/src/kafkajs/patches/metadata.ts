import { API_KEYS, type ClientPatches, type PatchedCluster } from './client-patches.ts'
import { internal, isFunction } from './internals.ts'

/** A broker's answer about topics, as kafkajs decodes it. */
interface Metadata {
  readonly topicMetadata: readonly TopicMetadata[]
}

interface TopicMetadata {
  readonly topicErrorCode: number
  readonly topic: string
  readonly partitionMetadata: readonly {
    readonly partitionErrorCode: number
    readonly leader: number
  }[]
}

const LEADER_NOT_AVAILABLE = 5
const NO_LEADER = -1
/** Answers with a fault in them are asked for again after so long: kafkajs keeps them for five minutes. */
const FAULTY_MS = 2000

/** What is wrong with single topics. kafkajs fails every question about any number of topics when one of them, or one
 *  partition, has a fault; here the good ones are kept, a partition without a leader has leader -1, and a topic with a
 *  fault is left out and remembered. */
export class TopicFaults {
  readonly #faults = new Map<string, Error>()
  readonly #errorOf: (code: number) => Error
  #isFaulty = false

  constructor(patches: ClientPatches) {
    const { createErrorFromCode } = internal('protocol/error', hasErrors)
    this.#errorOf = createErrorFromCode
    patches.request(API_KEYS.metadata, (make) => (fields) => {
      const made = make(fields)
      const parse = async (answer: unknown): Promise<Metadata> => await Promise.resolve(this.#keep(answer as Metadata))
      return { ...made, response: { ...made.response, parse } }
    })
    patches.onCluster((cluster) => this.#patch(cluster))
  }

  /** Why a topic is not in the metadata, as kafkajs's error; undefined while it is. */
  faultOf(topic: string): Error | undefined {
    return this.#faults.get(topic)
  }

  /** kafkajs's error for a code of the protocol. */
  errorOf(code: number): Error {
    return this.#errorOf(code)
  }

  #patch(cluster: PatchedCluster): void {
    const { brokerPool } = cluster
    const refresh = brokerPool.refreshMetadata.bind(brokerPool)
    brokerPool.refreshMetadata = async (topics) => {
      await refresh(topics)
      if (this.#isFaulty) brokerPool.metadataExpireAt = Date.now() + FAULTY_MS
    }
    const fetchOffsets = cluster.fetchTopicsOffset.bind(cluster)
    // A partition without a leader cannot be asked, and would fail the question about the others.
    cluster.fetchTopicsOffset = async (topics) => {
      const led = topics.map(({ topic, partitions, ...rest }) => {
        const leaders = new Map(
          cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader }) => [partitionId, leader]),
        )
        return {
          ...rest,
          topic,
          partitions: partitions.filter(({ partition }) => (leaders.get(partition) ?? NO_LEADER) >= 0),
        }
      })
      const answers = await fetchOffsets(led)
      // Whoever asks looks for each topic.
      return topics.map(({ topic }) => answers.find((each) => each.topic === topic) ?? { topic, partitions: [] })
    }
  }

  #keep(answer: Metadata): Metadata {
    this.#isFaulty = false
    const topicMetadata: TopicMetadata[] = []
    for (const topic of answer.topicMetadata) {
      if (topic.topicErrorCode !== 0) {
        this.#isFaulty = true
        this.#faults.set(topic.topic, this.#errorOf(topic.topicErrorCode))
        continue
      }
      this.#faults.delete(topic.topic)
      const partitionMetadata = topic.partitionMetadata.map((partition) => {
        if (partition.partitionErrorCode === 0) return partition
        this.#isFaulty = true
        return partition.partitionErrorCode === LEADER_NOT_AVAILABLE ? { ...partition, leader: NO_LEADER } : partition
      })
      topicMetadata.push({ ...topic, partitionMetadata })
    }
    return { ...answer, topicMetadata }
  }
}

function hasErrors(found: unknown): found is { readonly createErrorFromCode: (code: number) => Error } {
  return isFunction((found as { readonly createErrorFromCode?: unknown }).createErrorFromCode)
}
