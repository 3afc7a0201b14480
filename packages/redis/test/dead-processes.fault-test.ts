import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
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
  it('what a dead listener was working on goes to another one, and the groups of dead servers are removed', async () => {
    const redis = await outside()
    const stream = 'oslo:notify:openstack:dead.info'
    const fanout = 'oslo:rpc:openstack:dead:all'
    // What a process leaves that was killed: a message that it had, and a group of its own.
    await redis.xGroupCreate(stream, 'listeners', '0', { MKSTREAM: true })
    await redis.xGroupCreate(fanout, 'server:dead', '$', { MKSTREAM: true })
    await redis.xGroupCreateConsumer(fanout, 'server:dead', 'dead')
    const transport = closing(
      await getNotificationTransport({ url: `${broker!.url}?claim_after=1&poll_interval=0.1`, registry }),
    )
    const rpc = closing(await getRpcTransport({ url: `${broker!.url}?claim_after=1&poll_interval=0.1`, registry }))
    const notifier = new Notifier(transport, { publisherId: 'test', driver: 'messagingv2', topics: ['dead'] })
    await notifier.info({}, 'event', { n: 1 })
    await redis.xReadGroup('listeners', 'dead', { key: stream, id: '>' })
    const server = getRpcServer(rpc, new Target({ topic: 'dead', server: 'a' }), [{ ping: () => 'pong' }])
    await server.start()
    const payload = new Promise((resolve) => {
      const listener = getNotificationListener(
        transport,
        [new Target({ topic: 'dead' })],
        [{ info: (...[, , , value]: readonly unknown[]) => resolve(value) }],
      )
      void listener.start()
      onTestFinished(async () => {
        await listener.stop()
        await listener.wait()
      })
    })
    expect(await payload).toEqual({ n: 1 })
    await expect.poll(async () => (await redis.xInfoGroups(fanout)).length, { timeout: 15_000 }).toBe(1)
    await server.stop()
    await server.wait()
  })
})
