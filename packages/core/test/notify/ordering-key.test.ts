import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { createMemoryDriver } from '../../src/memory/create-memory-driver.ts'
import { getNotificationListener } from '../../src/notify/notification-listener.ts'
import { Notifier } from '../../src/notify/notifier.ts'
import { getDriverRegistry } from '../../src/registry/driver-registry.ts'
import { getNotificationTransport } from '../../src/transport/notification-transport.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { createFakeBus } from './fake-bus.ts'

const keysOf = (sent: readonly object[]): unknown[] =>
  sent.map((each) => ('notification' in each ? Object(each.notification).orderingKey : 'nothing sent'))

describe('Notifier - ordering key', () => {
  it('the key of a call travels to the driver; without one there is none', async () => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, { driver: 'messagingv2', topics: ['t'] })
    await notifier.info({}, 'e', {}, { orderingKey: 'instance-17' })
    await notifier.info({}, 'e', {})
    expect(keysOf(bus.sent)).toEqual(['instance-17', undefined])
  })

  it('a notifier finds the key in what it sends, and a call may say otherwise', async () => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, {
      driver: 'messagingv2',
      topics: ['t'],
      orderingKey: (_ctxt, eventType, payload) => (eventType === 'e' ? (payload as { id: string }).id : undefined),
    }).prepare({ publisherId: 'me' })
    await notifier.info({}, 'e', { id: 'one' })
    await notifier.info({}, 'other', { id: 'one' })
    await notifier.info({}, 'e', { id: 'one' }, { orderingKey: 'two' })
    expect(keysOf(bus.sent)).toEqual(['one', undefined, 'two'])
  })

  it.each([[''], [17], [null], [{}]])('%j is no key: the notification rejects and nothing is sent', async (key) => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, { driver: 'messagingv2' })
    await expect(notifier.info({}, 'e', {}, { orderingKey: key as string })).rejects.toThrow(
      /orderingKey must be a text/,
    )
    expect(bus.sent).toEqual([])
  })

  it('what the function throws is what the notification rejects with', async () => {
    const bus = await createFakeBus()
    const orderingKey = (): string => {
      throw new RangeError('no id')
    }
    await expect(new Notifier(bus.transport, { driver: 'messagingv2', orderingKey }).info({}, 'e', {})).rejects.toThrow(
      'no id',
    )
  })

  it('an interceptor sees the key', async () => {
    const bus = await createFakeBus()
    const seen: unknown[] = []
    bus.transport.use({
      notify: async (operation, next) => {
        seen.push(operation.orderingKey)
        await next()
      },
    })
    await new Notifier(bus.transport, { driver: 'messagingv2' }).info({}, 'e', {}, { orderingKey: 'k' })
    expect(seen).toEqual(['k'])
  })

  it('one worker at a time handles a key, in order, while other keys go on', async () => {
    const registry = getDriverRegistry({ drivers: [createMemoryDriver()], discover: false })
    const transport = await getNotificationTransport(await loadConfig(), { url: 'memory://', registry })
    onTestFinished(async () => {
      await transport.close()
    })
    const gate = createDeferred<void>()
    const others = createDeferred<void>()
    const begun: string[] = []
    const info = async (_ctxt: object, _publisher: string | null, eventType: string | null): Promise<void> => {
      begun.push(String(eventType))
      if (eventType === 'slow.1') await gate.promise
      if (eventType === 'fast.2') others.resolve()
      if (eventType === 'slow.2') done.resolve()
    }
    const done = createDeferred<void>()
    await getNotificationListener(transport, [{ topic: 't' }], [{ info }], { workers: 4 }).start()
    const notifier = new Notifier(transport, { driver: 'messagingv2', topics: ['t'] })
    for (const [event, orderingKey] of [
      ['slow.1', 'slow'],
      ['slow.2', 'slow'],
      ['fast.1', 'fast'],
      ['fast.2', 'fast'],
    ] as const)
      await notifier.info({}, event, {}, { orderingKey })
    await others.promise
    expect(begun).toEqual(['slow.1', 'fast.1', 'fast.2'])
    gate.resolve()
    await done.promise
  })
})
