import { createRequire } from 'node:module'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClientPatches, type PatchedCluster } from '../../src/kafkajs/patches/client-patches.ts'
import { lookForTimeoutsRarely } from '../../src/kafkajs/patches/request-timeouts.ts'
import { plainKafka } from '../support/plain-kafka.ts'

interface Queue {
  scheduleRequestTimeoutCheck(): void
  destroy(): void
  push(request: object): void
}

const require = createRequire(import.meta.url)
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => Queue

/** The queue of a connection of one client, and how often its timer fires. */
function queueOf(patched: boolean) {
  vi.useFakeTimers()
  let looks = 0
  const logger = { namespace: () => logger, debug: () => {} }
  const isConnected = (): boolean => {
    looks += 1
    return true
  }
  const queue = new RequestQueue({ requestTimeout: 5000, enforceRequestTimeout: true, logger, isConnected })
  const kafka = plainKafka()
  const patches = new ClientPatches(kafka)
  if (patched) lookForTimeoutsRarely(patches)
  let cluster: PatchedCluster | undefined
  patches.onCluster((made) => (cluster = made))
  kafka.producer()
  cluster?.brokerPool.createBroker({ connectionPool: { pool: [{ requestQueue: queue }] }, logger })
  queue.scheduleRequestTimeoutCheck()
  return { queue, looks: () => looks }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('late answers of kafkajs', () => {
  it('are looked for once a second, by this client alone', () => {
    const ours = queueOf(true)
    vi.advanceTimersByTime(10_000)
    expect(ours.looks()).toBe(10)
    ours.queue.destroy()
    const theirs = queueOf(false)
    vi.advanceTimersByTime(10_000)
    expect(theirs.looks()).toBe(100)
    theirs.queue.destroy()
  })

  it('are found', () => {
    const { queue } = queueOf(true)
    const rejected: unknown[] = []
    const entry = { apiKey: 3, apiName: 'Metadata', apiVersion: 1, correlationId: 1, resolve: () => {} }
    queue.push({
      entry: { ...entry, reject: (error: unknown) => rejected.push(error) },
      expectResponse: true,
      sendRequest: () => {},
    })
    vi.advanceTimersByTime(5000)
    expect(rejected).toEqual([])
    vi.advanceTimersByTime(2000)
    expect(rejected).toEqual([expect.objectContaining({ name: 'KafkaJSRequestTimeoutError' })])
    queue.destroy()
  })
})
