import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { ClientPatches, type PatchedCluster } from '../../src/kafkajs/patches/client-patches.ts'
import { internal } from '../../src/kafkajs/patches/internals.ts'
import { TopicFaults } from '../../src/kafkajs/patches/metadata.ts'
import { plainKafka } from '../support/plain-kafka.ts'

const LOADED = expect.objectContaining({
  code: 'OSLO_MESSAGING_DRIVER_LOAD',
  message: expect.stringContaining('kafkajs 2.2.4') as string,
}) as Error

function caught(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

/** Makes the cluster of a client, as its producer would. */
function clusterOf(kafka: Kafka, patches: ClientPatches): PatchedCluster {
  let cluster: PatchedCluster | undefined
  patches.onCluster((made) => (cluster = made))
  kafka.producer()
  if (cluster === undefined) throw new Error('There is no cluster')
  return cluster
}

describe('patches of kafkajs', () => {
  it('a kafkajs that is built otherwise - a typed error that names the version, never silence', () => {
    expect(caught(() => new ClientPatches({} as Kafka))).toEqual(LOADED)
    const isAnything = (found: unknown): found is object => found !== undefined
    expect(caught(() => internal('no/such/file', isAnything))).toEqual(LOADED)
    const isNever = (found: unknown): found is never => found === undefined
    expect(caught(() => internal('protocol/error', isNever))).toEqual(LOADED)
    const kafka = plainKafka()
    const [symbol] = Object.getOwnPropertySymbols(kafka).filter(({ description }) =>
      description?.includes('createCluster'),
    )
    Object.assign(kafka, { [symbol ?? '']: () => ({ targetTopics: [] }) })
    const patches = new ClientPatches(kafka)
    expect(patches).toBeDefined()
    expect(caught(() => kafka.producer())).toEqual(LOADED)
  })

  it('other clients of the process are not touched', () => {
    const [own, other] = [plainKafka(), plainKafka()]
    const patches = new ClientPatches(own)
    let clusters = 0
    patches.onCluster(() => (clusters += 1))
    other.producer()
    expect(clusters).toBe(0)
    own.producer()
    expect(clusters).toBe(1)
  })

  it('a topic with a fault, and a partition without a leader - the others stay, and each fault is known by its topic', async () => {
    const kafka = plainKafka()
    const patches = new ClientPatches(kafka)
    const topics = new TopicFaults(patches)
    const cluster = clusterOf(kafka, patches)
    const broker = cluster.brokerPool.createBroker({ connectionPool: {}, logger: { namespace: () => ({}) } })
    const response = {
      decode: async () => await Promise.resolve({}),
      parse: async () => await Promise.reject(new Error('theirs')),
    }
    broker.lookupRequest = () => () => ({
      request: { apiVersion: 6, encode: async () => await Promise.resolve({}) },
      response,
    })
    const parse = async (answer: object) => await broker.lookupRequest(3, {})({}).response.parse(answer)
    const partition = (partitionId: number, leader: number, partitionErrorCode = 0) => ({
      partitionId,
      leader,
      partitionErrorCode,
    })
    const answer = {
      brokers: [],
      topicMetadata: [
        { topic: 'good', topicErrorCode: 0, partitionMetadata: [partition(0, 1)] },
        { topic: 'gone', topicErrorCode: 3, partitionMetadata: [] },
        { topic: 'secret', topicErrorCode: 29, partitionMetadata: [] },
        { topic: 'sick', topicErrorCode: 0, partitionMetadata: [partition(0, 2, 5), partition(1, 2)] },
      ],
    }
    expect(await parse(answer)).toEqual({
      brokers: [],
      topicMetadata: [
        answer.topicMetadata[0],
        { topic: 'sick', topicErrorCode: 0, partitionMetadata: [partition(0, -1, 5), partition(1, 2)] },
      ],
    })
    expect(['good', 'gone', 'secret', 'sick'].map((topic) => topics.faultOf(topic))).toEqual([
      undefined,
      expect.objectContaining({ type: 'UNKNOWN_TOPIC_OR_PARTITION' }),
      expect.objectContaining({ type: 'TOPIC_AUTHORIZATION_FAILED' }),
      undefined,
    ])
    await parse({ topicMetadata: [{ topic: 'gone', topicErrorCode: 0, partitionMetadata: [partition(0, 1)] }] })
    expect(topics.faultOf('gone')).toBeUndefined()
  })
})
