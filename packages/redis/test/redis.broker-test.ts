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
import { createClient } from '@redis/client'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisDriver } from '../src/index.ts'

const broker = await skipOrFail(startBroker('redis'))
afterAll(() => broker?.close())
const registry = createDriverRegistry({ drivers: [redisDriver] })

function closing<Closable extends { close(): Promise<unknown> }>(transport: Closable): Closable {
  onTestFinished(async () => void (await transport.close()))
  return transport
}

/** A client that is none of the driver's. */
async function outside() {
  const client = createClient({ url: broker!.url })
  await client.connect()
  onTestFinished(() => client.destroy())
  return client
}

describe.skipIf(broker === undefined)('redis', () => {
  it('calls survive a restart of the server in their middle, and a call begun before its server exists is served', async () => {
    const client = closing(await getRpcTransport({ url: broker!.url, registry }))
    const server = closing(await getRpcTransport({ url: broker!.url, registry }))
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
    const running = getRpcServer(server, new Target({ topic: 'restart', server: 'a' }), [endpoint])
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

  it('a notification that fails is tried again later and then buried; what everybody has settled is forgotten', async () => {
    const transport = closing(await getNotificationTransport({ url: `${broker!.url}?poll_interval=0.1`, registry }))
    const notifier = new Notifier(transport, { publisherId: 'test', driver: 'messagingv2', topics: ['bury'] })
    await notifier.info({}, 'event', { n: 1 })
    let attempts = 0
    const listener = getNotificationListener(
      transport,
      [new Target({ topic: 'bury' })],
      [
        {
          info: () => {
            attempts += 1
            throw new Error('cannot digest')
          },
        },
      ],
      { onFailure: { attempts: 3, backoff: 10, then: 'dead-letter' } },
    )
    await listener.start()
    const redis = await outside()
    const stream = 'oslo:notify:openstack:bury.info'
    await expect.poll(() => redis.xLen(`${stream}:dead`), { timeout: 5000 }).toBe(1)
    expect(attempts).toBe(3)
    const letters = await redis.xRange(`${stream}:dead`, '-', '+')
    expect(JSON.parse(letters?.[0]?.message['headers'] ?? '')).toMatchObject({
      'x-oslo-attempts': '3',
      'x-oslo-reason': 'Error: cannot digest',
      'x-oslo-origin': stream,
    })
    await expect.poll(() => redis.xLen(stream), { timeout: 5000 }).toBe(0)
    await listener.stop()
    await listener.wait()
  })

  it('a password alone in the URL is that of the default user', async () => {
    const redis = await outside()
    await redis.sendCommand(['ACL', 'SETUSER', 'default', 'on', '>only-a-password', '~*', '&*', '+@all'])
    const url = broker!.url.replace('app:secret', ':only-a-password')
    const transport = closing(await getNotificationTransport({ url, registry }))
    const notifier = new Notifier(transport, {
      publisherId: 'test',
      driver: 'messagingv2',
      topics: ['default'],
      retry: 0,
    })
    await notifier.info({}, 'event', {})
    expect(await redis.xLen('oslo:notify:openstack:default.info')).toBe(1)
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
