import { setTimeout as sleep } from 'node:timers/promises'
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { KafkaJSConsumer } from '../../src/kafkajs/consumer.ts'
import { ClientPatches } from '../../src/kafkajs/patches/client-patches.ts'
import { TopicFaults } from '../../src/kafkajs/patches/metadata.ts'
import { Sockets } from '../../src/kafkajs/sockets.ts'

/** As often as that it may be noticed that the consumer is not running any more. */
const FEW = 10

/** kafkajs reading a topic from two brokers, of which the first cuts every connection and the second answers when it is
 *  told to. */
function readingFromTwo() {
  const idle = { count: 0 }
  const nodes = new Set(['1', '2'])
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => (answer = resolve))
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  const kafka = new Kafka({
    brokers: ['127.0.0.1:1'],
    logLevel: logLevel.DEBUG,
    logCreator: () => (entry) => {
      if (entry.log.message !== 'consumer not running, exiting') return
      idle.count += 1
      // What fetches for ever, without a turn of the event loop, would hold this test for ever as well.
      if (idle.count > FEW) throw new Error('It fetches although it is not running')
    },
  })
  const patches = new ClientPatches(kafka)
  const topics = new TopicFaults(patches)
  const fetches = {
    '1': async () =>
      await Promise.reject(Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' })),
    '2': async () => {
      await answered
      return { responses: [] }
    },
  }
  const assignment = { version: 0, assignment: { t: [0, 1] }, userData: Buffer.alloc(0) }
  const coordinator = {
    isConnected: () => true,
    joinGroup: async () => await Promise.resolve({ generationId: 1, leaderId: 'other', memberId: 'm', members: [] }),
    syncGroup: async () =>
      await Promise.resolve({ memberAssignment: AssignerProtocol.MemberAssignment.encode(assignment) }),
    offsetFetch: async () =>
      await Promise.resolve({
        responses: [{ topic: 't', partitions: [0, 1].map((partition) => ({ partition, offset: '0' })) }],
      }),
    heartbeat: async () => await Promise.resolve(),
    leaveGroup: async () => await Promise.resolve(),
  }
  const done = async (): Promise<void> => await Promise.resolve()
  patches.onCluster((cluster) => {
    Object.assign(cluster, {
      connect: done,
      disconnect: done,
      refreshMetadata: done,
      refreshMetadataIfNecessary: done,
      addMultipleTargetTopics: done,
      findTopicPartitionMetadata: () => [0, 1].map((partitionId) => ({ partitionId, leader: partitionId + 1 })),
      getNodeIds: () => [...nodes],
      findGroupCoordinator: async () => await Promise.resolve(coordinator),
      findBroker: async ({ nodeId }: { readonly nodeId: '1' | '2' }) =>
        await Promise.resolve({ fetch: fetches[nodeId] }),
      removeBroker: () => nodes.delete('1'),
    })
  })
  const consumer = new KafkaJSConsumer(
    {
      kafka,
      patches,
      topics,
      sockets: new Sockets(new Map(), () => undefined),
      lastRefusal: () => undefined,
      explain: async (fault) => await Promise.resolve(fault),
    },
    {
      group: 'g',
      topics: ['t'],
      maxBytesPerPartition: 1000,
      maxBytes: 1000,
      checksCrc: false,
      maxWaitMs: 100,
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 1000,
      handlers: {
        onAssigned: () => {},
        onRejoin: done,
        onBatch: done,
        onLost: () => {},
      },
    },
  )
  return { consumer, nodes, idle, answer: () => answer() }
}

describe('a consumer of kafkajs', () => {
  it('that is ended while a broker leaves the cluster - it ends, and the process does not stand still', async () => {
    const { consumer, nodes, idle, answer } = readingFromTwo()
    await consumer.start()
    // The first broker is out, and kafkajs waits for the answer of the second to begin again with it alone.
    await expect.poll(() => nodes.size).toBe(1)
    await sleep(10)
    const ended = consumer.disconnect()
    answer()
    await ended
    expect(idle.count).toBeLessThan(FEW)
  })
})
