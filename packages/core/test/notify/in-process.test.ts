import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import {
  type BatchNotificationListenerOptions,
  getBatchNotificationListener,
} from '../../src/notify/batch-notification-listener.ts'
import { type NotificationEndpoint, NotificationResult, type ReceivedNotification } from '../../src/notify/endpoint.ts'
import type { NotificationListenerOptions } from '../../src/notify/listener-parts.ts'
import { getNotificationListener } from '../../src/notify/notification-listener.ts'
import { Notifier } from '../../src/notify/notifier.ts'
import { PRIORITIES } from '../../src/notify/priority.ts'
import { createDriverRegistry } from '../../src/registry/driver-registry.ts'
import { Target, type TargetFields } from '../../src/target.ts'
import { createMemoryDriver } from '../../src/memory/create-memory-driver.ts'
import { getNotificationTransport } from '../../src/transport/notification-transport.ts'

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000 })

/** One bus in this process, a notifier on it, and listeners that write down what they get. */
async function openBus() {
  const registry = createDriverRegistry({ drivers: [createMemoryDriver()], discover: false })
  const transport = await getNotificationTransport(await loadConfig(), { url: 'memory://', registry })
  onTestFinished(async () => {
    await transport.close()
  })
  const topic = `t${randomUUID().slice(0, 8)}`
  return {
    transport,
    topic,
    notifier: (topics = [topic]) => new Notifier(transport, { driver: 'messagingv2', topics, publisherId: 'me' }),
    /** Starts a listener for `info` and gives the list of the payloads it gets. */
    listen: async (
      targets: readonly TargetFields[] = [{ topic }],
      options: NotificationListenerOptions = {},
    ): Promise<unknown[]> => {
      const got: unknown[] = []
      const endpoint: NotificationEndpoint = {
        info: (_ctxt, _publisherId, _eventType, payload) => void got.push(payload),
      }
      const all = targets.map((fields) => new Target(fields))
      await getNotificationListener(transport, all, [endpoint], options).start()
      return got
    },
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const sorted = (list: readonly unknown[]): unknown[] => list.toSorted((a, b) => Number(a) - Number(b))

describe('notifications in process', () => {
  it('L1 N2 all priorities - each reaches its method with publisher, event type, payload and context', async () => {
    const { transport, topic, notifier } = await openBus()
    const got: unknown[] = []
    const endpoint = Object.fromEntries(
      PRIORITIES.map((priority) => [priority, (...all: unknown[]) => void got.push([priority, ...all.slice(0, 4)])]),
    )
    await getNotificationListener(transport, [new Target({ topic })], [endpoint]).start()
    for (const priority of PRIORITIES) await notifier()[priority]({ request_id: 'r' }, `e.${priority}`, { priority })
    await eventually(() => expect(got).toHaveLength(PRIORITIES.length))
    expect(got).toEqual(
      PRIORITIES.map((priority) => [priority, { request_id: 'r' }, 'me', `e.${priority}`, { priority }]),
    )
  })

  it('N3 L1 several topics - one listener gets the notifications of all its targets', async () => {
    const { topic, notifier, listen } = await openBus()
    const got = await listen([{ topic: `${topic}a` }, { topic: `${topic}b` }])
    await notifier([`${topic}a`, `${topic}b`]).info({}, 'e', 1)
    await eventually(() => expect(got).toEqual([1, 1]))
  })

  it('N16 store before listeners exist - what was sent earlier is delivered to the first listener', async () => {
    const { notifier, listen } = await openBus()
    await notifier().info({}, 'e', 'early')
    const got = await listen()
    await eventually(() => expect(got).toEqual(['early']))
  })

  it('L4 L5 requeue - a notification handed back is delivered again', async () => {
    const { transport, topic, notifier } = await openBus()
    const seen: unknown[] = []
    const endpoint: NotificationEndpoint = {
      info: (_ctxt, _publisherId, _eventType, payload, _metadata, delivery) => {
        seen.push([payload, delivery.redelivered ?? false])
        return seen.length === 1 ? 'requeue' : 'handled'
      },
    }
    await getNotificationListener(transport, [new Target({ topic })], [endpoint], { allowRequeue: true }).start()
    await notifier().info({}, 'e', 1)
    await eventually(() =>
      expect(seen).toEqual([
        [1, false],
        [1, true],
      ]),
    )
  })

  it('L9 load sharing - listeners of one topic share its notifications, none comes twice', async () => {
    const { notifier, listen } = await openBus()
    const lists = [await listen(), await listen()]
    for (const number of numbers(8)) await notifier().info({}, 'e', number)
    await eventually(() => expect(sorted(lists.flat())).toEqual(numbers(8)))
    expect(lists.map((list) => list.length > 0)).toEqual([true, true])
    for (const list of lists) expect(list).toEqual(sorted(list))
  })

  it('L10 independent topics - listeners get only theirs', async () => {
    const { topic, notifier, listen } = await openBus()
    const first = await listen([{ topic: `${topic}1` }])
    const second = await listen([{ topic: `${topic}2` }])
    await notifier([`${topic}1`]).info({}, 'e', 'one')
    await notifier([`${topic}2`]).info({}, 'e', 'two')
    await eventually(() => expect([first, second]).toEqual([['one'], ['two']]))
  })

  it('L11 exchanges - a listener of another exchange gets nothing', async () => {
    const { topic, notifier, listen } = await openBus()
    const ours = await listen([{ topic, exchange: 'openstack' }])
    const theirs = await listen([{ topic, exchange: 'other' }])
    await notifier().info({}, 'e', 1)
    await eventually(() => expect(ours).toEqual([1]))
    expect(theirs).toEqual([])
  })

  it('L12 pools - each pool gets a copy, shared by its listeners, and the unpooled get one', async () => {
    const { notifier, listen } = await openBus()
    const unpooled = await listen()
    const first = await listen(undefined, { pool: 'one' })
    const second = [await listen(undefined, { pool: 'two' }), await listen(undefined, { pool: 'two' })]
    for (const number of numbers(6)) await notifier().info({}, 'e', number)
    await eventually(() =>
      expect([unpooled, first, second.flat()].map(sorted)).toEqual([numbers(6), numbers(6), numbers(6)]),
    )
  })

  it('L13 batches - 205 notifications come as 100, 100 and 5', async () => {
    const { transport, topic, notifier } = await openBus()
    const batches: number[] = []
    const options: BatchNotificationListenerOptions = { batchSize: 100, batchTimeoutMs: 50 }
    const endpoint = { info: (batch: readonly ReceivedNotification[]) => void batches.push(batch.length) }
    await Promise.all(numbers(205).map((number) => notifier().info({}, 'e', number)))
    await getBatchNotificationListener(transport, [new Target({ topic })], [endpoint], options).start()
    await eventually(() => expect(batches).toEqual([100, 100, 5]))
  })

  it('L18 close - the transport drains its listeners', async () => {
    const { transport, topic, notifier } = await openBus()
    const done: unknown[] = []
    const endpoint: NotificationEndpoint = {
      info: async (_ctxt, _publisherId, _eventType, payload) => {
        await new Promise((resolve) => setImmediate(resolve))
        done.push(payload)
      },
    }
    const listener = getNotificationListener(transport, [new Target({ topic })], [endpoint])
    await listener.start()
    await Promise.all(numbers(3).map((number) => notifier().info({}, 'e', number)))
    await eventually(() => expect(done.length).toBeGreaterThan(0))
    await transport.close()
    await listener.closed
    const atClose = done.length
    await expect(notifier().info({}, 'e', 'late')).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
    expect(done).toHaveLength(atClose)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('poison')
      },
    ],
    ['asks for requeue', () => NotificationResult.REQUEUE],
  ])(
    'requeue - a handler that %s for ever does not keep the process busy, nor others from their turn',
    async (_, fail) => {
      const { transport, topic, notifier } = await openBus()
      let calls = 0
      const other = vi.fn()
      const endpoint: NotificationEndpoint = {
        info: (_ctxt, _publisherId, _eventType, payload) => {
          if (payload === 'good') return void other()
          calls += 1
          return fail()
        },
      }
      await getNotificationListener(transport, [new Target({ topic })], [endpoint], {
        allowRequeue: true,
        workers: 1,
      }).start()
      await notifier().info({}, 'e', 'poison')
      await notifier().info({}, 'e', 'good')
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(other).toHaveBeenCalledOnce()
      expect(calls).toBeLessThan(40)
    },
  )

  it('close - a handler that looks at the signal of its delivery is told when nobody waits any more', async () => {
    const { transport, topic, notifier } = await openBus()
    let signal: AbortSignal | undefined
    const endpoint: NotificationEndpoint = {
      info: (_ctxt, _publisherId, _eventType, _payload, _metadata, delivery) => {
        signal = delivery.signal
        return new Promise<never>(() => {})
      },
    }
    await getNotificationListener(transport, [new Target({ topic })], [endpoint]).start()
    await notifier().info({}, 'e', {})
    await eventually(() => expect(signal?.aborted).toBe(false))
    expect(await transport.close({ timeoutMs: 5 })).toEqual({ abandoned: 1 })
    expect(signal?.reason).toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
  })
})
