import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { natsDriver } from '../src/index.ts'

const broker = await skipOrFail(startBroker('nats'))
afterAll(() => broker?.close())

const registry = createDriverRegistry({ drivers: [natsDriver] })
const bare = await skipOrFail(startBroker('nats', { jetstream: false }))
afterAll(() => bare?.close())

function closing<Closable extends { close(): Promise<unknown> }>(transport: Closable): Closable {
  onTestFinished(async () => void (await transport.close()))
  return transport
}

describe.skipIf(broker === undefined || bare === undefined)('nats', () => {
  it('calls survive a restart of the server in their middle, and a call begun before its server exists is served', async () => {
    const client = closing(await getRpcTransport({ url: broker!.url, registry }))
    const server = closing(await getRpcTransport({ url: broker!.url, registry }))
    const target = new Target({ topic: 'restart', server: 'a' })
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    let begin = (): void => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const endpoint = {
      early: () => 'early',
      slow: async () => {
        begin()
        await released
        return 'slow'
      },
    }
    const rpc = getRpcClient(client, new Target({ topic: 'restart' }), { timeoutMs: 10_000 })
    const early = rpc.call({}, 'early')
    const running = getRpcServer(server, target, [endpoint])
    await running.start()
    expect(await early).toBe('early')
    const slow = rpc.call({}, 'slow')
    await begun
    await broker!.restart()
    release()
    expect(await slow).toBe('slow')
    await running.stop()
    await running.wait()
  })

  it('notifications outlive a kill of the server, and dead letters go where an operator finds them', async () => {
    const transport = closing(await getNotificationTransport({ url: broker!.url, registry }))
    const notifier = new Notifier(transport, { publisherId: 'test', driver: 'messagingv2', topics: ['kill'] })
    await notifier.info({}, 'event', { n: 1 })
    await broker!.kill()
    await broker!.start()
    const seen: number[] = []
    let done = (): void => {}
    const buried = new Promise<void>((resolve) => (done = resolve))
    const listener = getNotificationListener(
      transport,
      [new Target({ topic: 'kill' })],
      [
        {
          info: (_context, _publisher, _event, payload) => {
            seen.push((payload as { readonly n: number }).n)
            if (seen.length === 3) done()
            throw new Error('cannot digest')
          },
        },
      ],
      { onFailure: { attempts: 3, backoff: 10, then: 'dead-letter' } },
    )
    await listener.start()
    await buried
    await listener.stop()
    await listener.wait()
    expect(seen).toEqual([1, 1, 1])
  })

  it('a server without JetStream serves calls, and refuses notifications by naming what is missing', async () => {
    const transport = closing(await getRpcTransport({ url: bare!.url, registry }))
    const running = getRpcServer(transport, new Target({ topic: 't', server: 'a' }), [{ ping: () => 'pong' }])
    await running.start()
    expect(await getRpcClient(transport, new Target({ topic: 't' })).call({}, 'ping')).toBe('pong')
    await running.stop()
    await running.wait()
    const notifications = closing(await getNotificationTransport({ url: bare!.url, registry }))
    const notifier = new Notifier(notifications, { publisherId: 'test', driver: 'messagingv2', topics: ['t'] })
    await expect(notifier.info({}, 'event', {})).rejects.toThrow('JetStream is not enabled')
  })

  it('a notification that was on its way when the server went is not said to be unsent', async () => {
    const proxy = await broker!.proxy()
    const url = broker!.urlFor({ via: [proxy] })
    const transport = closing(await getNotificationTransport({ url, registry }))
    const notifier = new Notifier(transport, { publisherId: 'test', driver: 'messagingv2', topics: ['gone'] })
    await notifier.info({}, 'event', {})
    // From the next bytes on, every connection is cut: that of the message, and those that are to carry it again.
    proxy.cutAfter(20)
    await expect(notifier.info({}, 'event', {}, { timeoutMs: 1500 })).rejects.toMatchObject({ delivery: 'unknown' })
    proxy.cutAfter(null)
    await notifier.info({}, 'event', {})
  })

  it('what a frozen server has not taken keeps its place, however early the deadline was', async () => {
    const url = `${broker!.url}?max_outstanding_messages=1`
    const transport = closing(await getRpcTransport({ url, registry }))
    const server = closing(await getRpcTransport({ url: broker!.url, registry }))
    const running = getRpcServer(server, new Target({ topic: 'frozen', server: 'a' }), [{ ping: () => 'pong' }])
    await running.start()
    const client = getRpcClient(transport, new Target({ topic: 'frozen' }), { timeoutMs: 10_000 })
    expect(await client.call({}, 'ping')).toBe('pong')
    await broker!.freeze()
    try {
      const hasty = client.prepare({ timeoutMs: 300 })
      await expect(hasty.call({}, 'ping')).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
      await expect(hasty.call({}, 'ping')).rejects.toMatchObject({ code: 'OSLO_MESSAGING_BACKPRESSURE' })
    } finally {
      await broker!.thaw()
    }
    expect(await client.call({}, 'ping')).toBe('pong')
    await running.stop()
    await running.wait()
  })
})
