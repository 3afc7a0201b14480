import type { Cluster } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { type Coordinator, watchJoins } from '../../src/kafkajs/joins.ts'

/** A coordinator that names a member in its first answer, as brokers do, and kafkajs's way of asking again under that name. */
function fakeCluster() {
  const broker = {
    leaveGroup: () => Promise.resolve(undefined),
    lookupRequest: (key: number) => (fields: object) => ({ key, ...fields }),
  }
  const cluster = { findGroupCoordinator: () => Promise.resolve(broker) }
  return {
    cluster: cluster as object as Cluster,
    broker: broker as Coordinator,
    request: (fields: Readonly<Record<string, unknown>>) => (broker as Coordinator).lookupRequest(11, {})(fields),
  }
}

describe('joining a group', () => {
  it('is told before kafkajs asks for the coordinator, and by name before the broker can wait for that name', async () => {
    const { cluster, request } = fakeCluster()
    const told: string[] = []
    watchJoins(cluster, {
      before: async () => {
        told.push('before')
        await Promise.resolve()
      },
      named: (memberId) => told.push(memberId),
    })
    await cluster.findGroupCoordinator({ groupId: 'g' })
    await cluster.findGroupCoordinator({ groupId: 'g' })
    request({ groupId: 'g', memberId: '', groupProtocols: [] })
    expect(told).toEqual(['before', 'before'])
    const sent = request({ groupId: 'g', memberId: 'm-1', groupProtocols: [] })
    expect(told).toEqual(['before', 'before', 'm-1'])
    expect(sent).toEqual({ key: 11, groupId: 'g', memberId: 'm-1', groupProtocols: [] })
  })

  it('is not told of heartbeats', async () => {
    const { cluster, request } = fakeCluster()
    const named: string[] = []
    watchJoins(cluster, { before: async () => await Promise.resolve(), named: (memberId) => named.push(memberId) })
    await cluster.findGroupCoordinator({ groupId: 'g' })
    request({ groupId: 'g', memberId: 'm-1', groupGenerationId: 1 })
    expect(named).toEqual([])
  })
})
