import type net from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConsumerPort } from '../../src/port/client-port.ts'
import { sharedKafka, unique, withAdmin } from '../support/broker.ts'
import { createClient } from '../support/client.ts'
import { eventually, recordingLogger } from '../support/open-driver.ts'
import { watchRequests } from '../support/watch-requests.ts'

const broker = await sharedKafka()
/** Requests of a session that joins for the first time, and a few beyond. It is ended soon after the answer to one:
 *  the pauses between kafkajs's attempts are what it goes on after. */
const STEPS = Array.from({ length: 10 }, (_, index) => index + 1)
const PAUSES_MS = [0, 15]
/** So few at once that the broker makes their topics at once. */
const AT_ONCE = 4
/** Longer than kafkajs waits between two of its attempts. */
const LATER_MS = 1200

afterEach(() => {
  vi.restoreAllMocks()
})

async function joining(address: readonly string[], group: string): Promise<ConsumerPort> {
  const settings = { brokers: address, clientId: group, tls: null, renewTls: () => null, sasl: null }
  const client = await createClient(settings, recordingLogger())
  return client.createConsumer({
    group,
    topics: [group],
    maxBytesPerPartition: 1_000_000,
    maxBytes: 1_000_000,
    checksCrc: false,
    maxWaitMs: 200,
    sessionTimeoutMs: 30_000,
    heartbeatIntervalMs: 1000,
    handlers: {
      onAssigned: () => {},
      onRejoin: async () => await Promise.resolve(),
      onBatch: async () => await Promise.resolve(),
      onLost: () => {},
    },
  })
}

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('a consumer that is ended while it joins, after whatever answer, keeps no connection and stays in no group', async () => {
    const name = unique('closing')
    const address = broker.hosts.map(({ host, port }) => `${host}:${port}`)
    const seen = new Map<
      string,
      { requests: number; readonly sockets: Set<net.Socket>; onRequest: (socket: net.Socket) => void }
    >()
    watchRequests({
      before: ({ clientId, socket }) => {
        const one = seen.get(clientId)
        if (one === undefined) return
        one.sockets.add(socket)
        one.requests += 1
        one.onRequest(socket)
      },
    })
    const sessions = STEPS.flatMap((request) =>
      PAUSES_MS.map((pauseMs) => ({ group: `${name}-${request}-${pauseMs}`, request, pauseMs })),
    )
    const waiting = [...sessions]
    const run = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { group, request, pauseMs } = next
        const consumer = await joining(address, group)
        const ended = new Promise<void>((resolve) => {
          const onRequest = (socket: net.Socket): void => {
            if (seen.get(group)?.requests !== request) return
            socket.once('data', () => setTimeout(() => resolve(consumer.disconnect()), pauseMs))
          }
          seen.set(group, { requests: 0, sockets: new Set(), onRequest })
        })
        await consumer.start().then(
          async () => await ended,
          async () => await consumer.disconnect(),
        )
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, run))
    await new Promise((resolve) => setTimeout(resolve, LATER_MS))
    const open = (): string[] =>
      [...seen].filter(([, { sockets }]) => [...sockets].some(({ destroyed }) => !destroyed)).map(([group]) => group)
    await eventually(() => open().length === 0, 'the end of every connection').catch(() => {})
    const members = await withAdmin(broker, async (admin) => {
      const { groups } = await admin.describeGroups(sessions.map(({ group }) => group))
      return groups.filter((group) => group.members.length > 0).map(({ groupId }) => groupId)
    })
    expect({ open: open(), members }).toEqual({ open: [], members: [] })
  })
})
