import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { getNotificationListener } from '../../src/notify/notification-listener.ts'
import { Target } from '../../src/target.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { arriving, createFakeBus, FULL, watchChannel } from './fake-bus.ts'

import { started } from './listening.ts'

describe('notification listener - settling and stopping', () => {
  const unknown: readonly [name: string, priority: unknown][] = [
    ['unknown', 'URGENT'],
    ['empty', ''],
    ['missing', undefined],
    ['not a text', 5],
    ['named like a method of objects', 'constructor'],
  ]
  it.each(unknown)('L17 priority - %s: logged, reported, acknowledged, no endpoint runs', async (_name, priority) => {
    const topic = randomUUID()
    const dropped = watchChannel('oslo-messaging:message-dropped')
    const { bus } = await started([{ info: () => expect.fail('ran') }], { topic, allowRequeue: true })
    expect(await bus.deliver(arriving({ priority }), { uniqueId: 'id' }).settled).toBe('acknowledged')
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('is unknown') }])
    expect(dropped.filter((drop) => drop.source.endsWith(topic))).toEqual([
      {
        driver: 'fakebus',
        source: `notification listener ${topic}`,
        reason: 'unknown-priority',
        uniqueId: 'id',
      },
    ])
  })

  it.each([[null], ['text'], [['list']], [undefined]])(
    'L17 malformed - %j is acknowledged and reported as unreadable',
    async (message) => {
      const topic = randomUUID()
      const dropped = watchChannel('oslo-messaging:message-dropped')
      const { bus } = await started([{ info: () => expect.fail('ran') }], { topic, allowRequeue: true })
      expect(await bus.deliver(message).settled).toBe('acknowledged')
      expect(dropped.filter((drop) => drop.source.endsWith(topic))).toMatchObject([{ reason: 'unreadable' }])
    },
  )

  it('L17 revoked - what the broker took away before a worker was free is dropped, unsettled', async () => {
    const topic = randomUUID()
    const dropped = watchChannel('oslo-messaging:message-dropped')
    const gate = createDeferred<void>()
    const { bus, listener } = await started([{ info: () => gate.promise }], { topic, workers: 1 })
    const abort = new AbortController()
    const first = bus.deliver(arriving())
    const second = bus.deliver(arriving(), { signal: abort.signal })
    abort.abort()
    gate.resolve()
    await first.settled
    await listener.stop()
    await listener.wait()
    expect(second.settlements).toEqual([])
    expect(dropped.filter((drop) => drop.source.endsWith(topic))).toMatchObject([{ reason: 'revoked' }])
  })

  it('L18 start, stop, wait - what runs is finished and settled, what waits is handed back', async () => {
    const gate = createDeferred<void>()
    const { bus, listener } = await started([{ info: () => gate.promise }], { workers: 1 })
    const running = bus.deliver(arriving())
    const waiting = bus.deliver(arriving())
    await listener.stop()
    expect([running.settlements, waiting.settlements]).toEqual([[], ['requeued']])
    gate.resolve()
    await listener.wait()
    await listener.closed
    expect(running.settlements).toEqual(['acknowledged'])
  })

  it('L18 stop - a driver that settles before the handler has its waiting messages handled', async () => {
    const bus = await createFakeBus({
      capabilities: { ...FULL, requeue: false, notificationAcknowledgement: 'before-handler' },
    })
    const gate = createDeferred<void>()
    const { listener } = await started([{ info: () => gate.promise }], { workers: 1 }, bus)
    const deliveries = [bus.deliver(arriving()), bus.deliver(arriving())]
    await listener.stop()
    gate.resolve()
    await listener.wait()
    expect(deliveries.map(({ settlements }) => settlements)).toEqual([['acknowledged'], ['acknowledged']])
  })

  it('L18 stop - a driver without requeue gets back what no worker took by its close', async () => {
    const bus = await createFakeBus({ capabilities: { ...FULL, requeue: false } })
    const gate = createDeferred<void>()
    const { listener } = await started([{ info: () => gate.promise }], { workers: 1 }, bus)
    const deliveries = [bus.deliver(arriving()), bus.deliver(arriving())]
    await listener.stop()
    gate.resolve()
    await listener.wait()
    expect(deliveries.map(({ settlements }) => settlements)).toEqual([['acknowledged'], []])
  })

  it('L19 no topic - InvalidTarget at start', async () => {
    const bus = await createFakeBus()
    const listener = getNotificationListener(bus.transport, [new Target({ exchange: 'x' })], [{ info() {} }])
    await expect(listener.start()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_INVALID_TARGET' })
    expect(bus.subscriptions).toEqual([])
  })

  it('workers - run at the same time, but one after the other for one ordering key', async () => {
    const running: string[] = []
    const gates = new Map<string, () => void>()
    const { bus } = await started([
      {
        info: (_ctxt, _publisherId, eventType) =>
          new Promise<void>((resolve) => {
            running.push(String(eventType))
            gates.set(String(eventType), resolve)
          }),
      },
    ])
    const send = (event_type: string, orderingKey?: string) =>
      bus.deliver(arriving({ event_type }), orderingKey === undefined ? {} : { orderingKey })
    const first = send('p0-1', 'p0')
    const second = send('p0-2', 'p0')
    send('p1-1', 'p1')
    send('free')
    await bus.clock.advance(0)
    expect(running).toEqual(['p0-1', 'p1-1', 'free'])
    gates.get('p0-1')?.()
    await first.settled
    await bus.clock.advance(0)
    expect(running.at(-1)).toBe('p0-2')
    gates.get('p0-2')?.()
    await second.settled
  })
})
