import { describe, expect, it } from 'vitest'
import {
  type BatchNotificationListenerOptions,
  getBatchNotificationListener,
} from '../../src/notify/batch-notification-listener.ts'
import type { BatchNotificationEndpoint, ReceivedNotification } from '../../src/notify/endpoint.ts'
import { NotificationFilter } from '../../src/notify/filter.ts'
import type { MessageServer } from '../../src/server/message-server.ts'
import { Target } from '../../src/target.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { arriving, createFakeBus, type Delivery, type FakeBus, FULL } from './fake-bus.ts'

const TARGET = new Target({ topic: 'notifications' })

async function started(
  endpoints: readonly BatchNotificationEndpoint[],
  options: BatchNotificationListenerOptions = {},
  bus?: FakeBus,
): Promise<{ readonly bus: FakeBus; readonly listener: MessageServer }> {
  const used = bus ?? (await createFakeBus())
  const listener = getBatchNotificationListener(used.transport, [TARGET], endpoints, options)
  await listener.start()
  return { bus: used, listener }
}

const payloads = (batch: readonly ReceivedNotification[]): unknown[] => batch.map((one) => one.payload)

/** Delivers notifications with these payloads. */
function deliverAll(
  bus: FakeBus,
  list: readonly unknown[],
  changes: Readonly<Record<string, unknown>> = {},
): Delivery[] {
  return list.map((payload) => bus.deliver(arriving({ payload, ...changes })))
}

describe('batch notification listener', () => {
  it('L13 getBatchNotificationListener - 205 messages with size 100 come as 100, 100 and 5', async () => {
    const batches: unknown[][] = []
    const { bus } = await started([{ info: (batch) => void batches.push(payloads(batch)) }], {
      batchSize: 100,
      batchTimeoutMs: 2000,
    })
    const numbers = Array.from({ length: 205 }, (_, index) => index)
    deliverAll(bus, numbers)
    await bus.clock.advance(1999)
    expect(batches.map((batch) => batch.length)).toEqual([100, 100])
    await bus.clock.advance(1)
    expect(batches.map((batch) => batch.length)).toEqual([100, 100, 5])
    expect(batches.flat()).toEqual(numbers)
  })

  it('L13 members - have context, publisher, event type, payload, metadata and the delivery', async () => {
    const seen: unknown[] = []
    const { bus } = await started([{ info: (batch) => void seen.push(...batch) }], { batchSize: 1 })
    await bus.deliver(arriving(), { context: { a: 1 }, redelivered: true }).settled
    expect(seen).toEqual([
      {
        ctxt: { a: 1 },
        publisherId: 'compute.host1',
        eventType: 'compute.instance.create.end',
        payload: { state: 'active' },
        metadata: { message_id: '5d761f43-c9ce-448c-aa28-1a353d07a624', timestamp: '2026-01-01 10:00:00.000001' },
        delivery: { redelivered: true },
      },
    ])
  })

  it('L14 grouping - by priority, in alphabetical order, with an endpoint for each', async () => {
    const calls: unknown[] = []
    const method = (priority: string) => (batch: readonly ReceivedNotification[]) =>
      void calls.push([priority, payloads(batch)])
    const { bus } = await started([{ warn: method('warn'), info: method('info'), audit: method('audit') }], {
      batchSize: 5,
    })
    const order = ['WARN', 'INFO', 'AUDIT', 'INFO', 'warn']
    const deliveries = order.map((priority, payload) => bus.deliver(arriving({ priority, payload })))
    await Promise.all(deliveries.map(({ settled }) => settled))
    expect(calls).toEqual([
      ['audit', [2]],
      ['info', [1, 3]],
      ['warn', [0, 4]],
    ])
  })

  it('L14 filters - apply to each message, and an endpoint with none left is not called', async () => {
    const calls: unknown[] = []
    const endpoint = (name: string, eventType: string): BatchNotificationEndpoint => ({
      filterRule: new NotificationFilter({ eventType }),
      info: (batch) => void calls.push([name, payloads(batch)]),
    })
    const { bus } = await started([endpoint('a', 'x'), endpoint('b', 'y'), endpoint('c', '')], { batchSize: 3 })
    const deliveries = ['x1', 'z', 'x2'].map((event_type) => bus.deliver(arriving({ event_type, payload: event_type })))
    expect(await Promise.all(deliveries.map(({ settled }) => settled))).toEqual([
      'acknowledged',
      'acknowledged',
      'acknowledged',
    ])
    expect(calls).toEqual([
      ['a', ['x1', 'x2']],
      ['c', ['x1', 'z', 'x2']],
    ])
  })

  it.each([
    ['REQUEUE', () => 'requeue' as const],
    ['an exception', () => Promise.reject(new Error('boom'))],
  ])('L15 requeue - %s concerns all messages of the priority and skips later endpoints', async (_name, answer) => {
    const later: unknown[] = []
    const first = { info: answer, error: () => 'handled' as const }
    const second: BatchNotificationEndpoint = { info: (batch) => void later.push(batch) }
    const { bus } = await started([first, second], { batchSize: 3, allowRequeue: true })
    const deliveries = ['INFO', 'ERROR', 'INFO'].map((priority) => bus.deliver(arriving({ priority })))
    expect(await Promise.all(deliveries.map(({ settled }) => settled))).toEqual([
      'requeued',
      'acknowledged',
      'requeued',
    ])
    expect(later).toEqual([])
  })

  it('L15 requeue - is acknowledged without allowRequeue', async () => {
    const { bus } = await started([{ info: () => 'requeue' }], { batchSize: 1 })
    expect(await bus.deliver(arriving()).settled).toBe('acknowledged')
  })

  it('L15 filter that throws - concerns its priority only', async () => {
    const endpoint: BatchNotificationEndpoint = {
      filterRule: new NotificationFilter({ payload: { a: 'b' } }),
      info() {},
      warn() {},
    }
    const { bus } = await started([endpoint], { batchSize: 2, allowRequeue: true })
    const text = bus.deliver(arriving({ payload: 'text' }))
    const object = bus.deliver(arriving({ payload: { a: 'b' }, priority: 'WARN' }))
    expect([await text.settled, await object.settled]).toEqual(['requeued', 'acknowledged'])
  })

  it('L16 limits - the time starts with the first message of a batch', async () => {
    const batches: unknown[][] = []
    const { bus } = await started([{ info: (batch) => void batches.push(payloads(batch)) }], { batchTimeoutMs: 100 })
    await bus.clock.advance(90)
    deliverAll(bus, [1])
    await bus.clock.advance(90)
    deliverAll(bus, [2])
    expect(batches).toEqual([])
    await bus.clock.advance(10)
    expect(batches).toEqual([[1, 2]])
    deliverAll(bus, [3])
    await bus.clock.advance(99)
    expect(batches).toHaveLength(1)
    await bus.clock.advance(1)
    expect(batches).toEqual([[1, 2], [3]])
  })

  it('L16 size only - a batch waits until it is full', async () => {
    const batches: unknown[][] = []
    const { bus } = await started([{ info: (batch) => void batches.push(payloads(batch)) }], {
      batchSize: 2,
      batchTimeoutMs: null,
    })
    deliverAll(bus, [1])
    await bus.clock.advance(1e9)
    expect([batches.length, bus.clock.pending]).toEqual([0, 0])
    deliverAll(bus, [2])
    await bus.clock.advance(0)
    expect(batches).toEqual([[1, 2]])
  })

  it('L16 timer - is gone once the batch is full', async () => {
    const { bus } = await started([{ info() {} }], { batchSize: 2 })
    await Promise.all(deliverAll(bus, [1, 2]).map(({ settled }) => settled))
    expect(bus.clock.pending).toBe(0)
  })

  it.each([0, 1.5, 10_001, NaN])('L16 batchSize %s is refused', async (batchSize) => {
    const bus = await createFakeBus()
    expect(() => getBatchNotificationListener(bus.transport, [TARGET], [{ info() {} }], { batchSize })).toThrow(
      /batchSize/,
    )
  })

  it('L16 batchTimeoutMs must be a time', async () => {
    const bus = await createFakeBus()
    const build = () => getBatchNotificationListener(bus.transport, [TARGET], [{ info() {} }], { batchTimeoutMs: -1 })
    expect(build).toThrow(/batchTimeoutMs/)
  })

  it('L16 prefetch - is enough for the batches in hand and one more, and never more than AMQP can say', async () => {
    const first = await started([{ info() {} }])
    const second = await started([{ info() {} }], { batchSize: 50, workers: 3 })
    const third = await started([{ info() {} }], { batchSize: 10_000, workers: 10 })
    expect([first, second, third].map(({ bus }) => bus.subscriptions[0]?.options.prefetch)).toEqual([200, 200, 65_535])
  })

  it('L17 unknown priority or unreadable - settled alone, the rest of the batch goes on', async () => {
    const batches: unknown[][] = []
    const { bus } = await started([{ info: (batch) => void batches.push(payloads(batch)) }], {
      batchSize: 3,
      allowRequeue: true,
    })
    const deliveries = [
      bus.deliver(arriving({ priority: 'URGENT' })),
      bus.deliver(null),
      bus.deliver(arriving({ payload: 1 })),
    ]
    expect(await Promise.all(deliveries.map(({ settled }) => settled))).toEqual([
      'acknowledged',
      'acknowledged',
      'acknowledged',
    ])
    expect(batches).toEqual([[1]])
    expect(bus.lines.map((line) => line.fields?.['reason'])).toEqual(['unknown-priority', 'unreadable'])
  })

  it('L17 revoked - is left out of the batch, unsettled', async () => {
    const batches: unknown[][] = []
    const { bus } = await started([{ info: (batch) => void batches.push(payloads(batch)) }], { batchSize: 2 })
    const taken = bus.deliver(arriving(), { signal: AbortSignal.abort() })
    await bus.deliver(arriving({ payload: 1 })).settled
    expect([batches, taken.settlements]).toEqual([[[1]], []])
  })

  it('L18 stop - a batch that is not full is handled at once', async () => {
    const batches: unknown[][] = []
    const { bus, listener } = await started([{ info: (batch) => void batches.push(payloads(batch)) }])
    const deliveries = deliverAll(bus, [1, 2])
    await listener.stop()
    await listener.wait()
    expect([batches, deliveries.map(({ settlements }) => settlements), bus.clock.pending]).toEqual([
      [[1, 2]],
      [['acknowledged'], ['acknowledged']],
      0,
    ])
  })

  it('L18 stop - batches no worker has taken are handed back', async () => {
    const gate = createDeferred<void>()
    const { bus, listener } = await started([{ info: () => gate.promise }], { batchSize: 2 })
    const deliveries = deliverAll(bus, [1, 2, 3, 4, 5])
    await listener.stop()
    gate.resolve()
    await listener.wait()
    expect(deliveries.map(({ settlements }) => settlements[0])).toEqual([
      'acknowledged',
      'acknowledged',
      'requeued',
      'requeued',
      'requeued',
    ])
  })

  it('L18 stop - where the broker has forgotten them they are handled instead', async () => {
    const capabilities = { ...FULL, requeue: false, notificationAcknowledgement: 'before-handler' as const }
    const bus = await createFakeBus({ capabilities })
    const gate = createDeferred<void>()
    const { listener } = await started([{ info: () => gate.promise }], { batchSize: 2 }, bus)
    const deliveries = deliverAll(bus, [1, 2, 3])
    await listener.stop()
    gate.resolve()
    await listener.wait()
    expect(deliveries.map(({ settlements }) => settlements)).toEqual(deliveries.map(() => ['acknowledged']))
  })

  it('order - with several workers, batches of ordered messages still go one after the other', async () => {
    const gates: (() => void)[] = []
    const endpoint = { info: () => new Promise<void>((resolve) => void gates.push(resolve)) }
    const { bus } = await started([endpoint], { batchSize: 1, workers: 2 })
    bus.deliver(arriving(), { orderingKey: 'p0' })
    bus.deliver(arriving(), { orderingKey: 'p1' })
    await bus.clock.advance(0)
    expect(gates).toHaveLength(1)
    gates[0]?.()
    await bus.clock.advance(0)
    expect(gates).toHaveLength(2)
  })

  it('L6 L12 capabilities - are asked for while the listener is made', async () => {
    const bus = await createFakeBus({ capabilities: { notifications: true } })
    const build = (options: BatchNotificationListenerOptions) => () =>
      getBatchNotificationListener(bus.transport, [TARGET], [{ info() {} }], options)
    expect(build({ allowRequeue: true })).toThrow(expect.objectContaining({ capability: 'requeue' }))
    expect(build({ pool: 'p' })).toThrow(expect.objectContaining({ capability: 'pools' }))
  })
})
