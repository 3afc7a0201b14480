import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { ClientPatches, type PatchedCluster, type RequestFields } from '../../src/kafkajs/patches/client-patches.ts'
import { watchJoins } from '../../src/kafkajs/patches/joins.ts'
import { plainKafka } from '../support/plain-kafka.ts'

/** A client whose joins are watched, and the ways in which kafkajs begins them. */
function watched(kafka: Kafka) {
  const told: string[] = []
  const patches = new ClientPatches(kafka)
  let cluster: PatchedCluster | undefined
  patches.onCluster((made) => {
    made.findGroupCoordinator = async () => await Promise.reject(new Error('nobody is there'))
    cluster = made
  })
  watchJoins(patches, {
    before: async () => {
      told.push('before')
      await Promise.resolve()
    },
    asked: (memberId) => told.push(memberId ?? 'nameless'),
  })
  kafka.consumer({ groupId: 'g' })
  const broker = cluster?.brokerPool.createBroker({ connectionPool: {}, logger: { namespace: () => ({}) } })
  const ask = async (): Promise<unknown> => await cluster?.findGroupCoordinator({ groupId: 'g' }).catch(() => {})
  const request = (key: number, fields: RequestFields): unknown => {
    if (broker === undefined) throw new Error('There is no broker')
    // As connecting does.
    broker.lookupRequest = () => (sent) => sent as never
    return broker.lookupRequest(key, {})(fields)
  }
  return { told, ask, request }
}

describe('joining a group', () => {
  it('is told before kafkajs asks for the coordinator, and by name before the broker can wait for that name', async () => {
    const { told, ask, request } = watched(plainKafka())
    await ask()
    await ask()
    request(11, { groupId: 'g', memberId: '', groupProtocols: [] })
    expect(told).toEqual(['before', 'before', 'nameless'])
    const fields = { groupId: 'g', memberId: 'm-1', groupProtocols: [] }
    expect(request(11, fields)).toEqual(fields)
    expect(told).toEqual(['before', 'before', 'nameless', 'm-1'])
  })

  it('is not told of heartbeats', () => {
    const { told, request } = watched(plainKafka())
    request(12, { groupId: 'g', memberId: 'm-1', groupGenerationId: 1 })
    expect(told).toEqual([])
  })
})
