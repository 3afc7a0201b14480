import { describe, expect, it } from 'vitest'
import type { Cluster } from 'kafkajs'
import { KafkaJSAdmin } from '../../src/kafkajs/admin.ts'
import { ClientPatches } from '../../src/kafkajs/patches/client-patches.ts'
import { TopicFaults } from '../../src/kafkajs/patches/metadata.ts'
import { Sockets } from '../../src/kafkajs/sockets.ts'
import { plainKafka } from '../support/plain-kafka.ts'

/** An admin whose client knows what a test says of topics, by the number of refreshes. */
function adminOver(known: (refreshes: number) => Readonly<Record<string, number>>) {
  const kafka = plainKafka()
  const patches = new ClientPatches(kafka)
  const topics = new TopicFaults(patches)
  let refreshes = 0
  const asked: string[] = []
  const broker = {
    offsetFetch: async (request: Parameters<Awaited<ReturnType<Cluster['findBroker']>>['offsetFetch']>[0]) => {
      asked.push(...request.topics.flatMap((each) => each.partitions.map((one) => `${each.topic}/${one.partition}`)))
      const responses = request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, offset: '7', metadata: null })),
      }))
      return await Promise.resolve({ responses })
    },
  }
  patches.onCluster((cluster) => {
    const made: object = cluster
    Object.assign(made, {
      addMultipleTargetTopics: async () => await Promise.resolve(),
      refreshMetadataIfNecessary: async () => await Promise.resolve(),
      refreshMetadata: async () => await Promise.resolve(void (refreshes += 1)),
      findTopicPartitionMetadata: (topic: string) =>
        Array.from({ length: known(refreshes)[topic] ?? 0 }, (_, partitionId) => ({ partitionId, leader: 1 })),
      findGroupCoordinator: async () => await Promise.resolve(broker),
    })
  })
  const admin = new KafkaJSAdmin({
    kafka,
    patches,
    topics,
    sockets: new Sockets(new Map(), () => undefined),
    lastRefusal: () => undefined,
    explain: async (fault) => await Promise.resolve(fault),
  })
  return { admin, asked }
}

describe('positions of a group in several topics', () => {
  it('an older answer lacks a topic - it is asked for again, and not taken for one without positions', async () => {
    const { admin, asked } = adminOver((refreshes) => (refreshes === 0 ? { one: 1 } : { one: 1, lonely: 2 }))
    const committed = await admin.committed('g', ['one', 'lonely'])
    expect(asked).toEqual(['one/0', 'lonely/0', 'lonely/1'])
    expect(committed).toEqual([
      { topic: 'one', partition: 0, offset: 7 },
      { topic: 'lonely', partition: 0, offset: 7 },
      { topic: 'lonely', partition: 1, offset: 7 },
    ])
  })

  it('no broker says anything about a topic - rejects instead of answering for the others', async () => {
    const { admin } = adminOver(() => ({ one: 1 }))
    await expect(admin.committed('g', ['one', 'lonely'])).rejects.toMatchObject({ type: 'TopicsUnknown' })
  })
})
