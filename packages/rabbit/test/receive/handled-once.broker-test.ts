import {
  getDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  MemoryIdempotencyStore,
  Notifier,
} from '@oslo-messaging/core'
import { createDeferred } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createRabbitDriver } from '../../src/index.ts'
import { rabbit, unique } from '../support/broker.ts'

const broker = await rabbit()
const GIVE_UP = { timeoutMs: 2000 }

/** Two processes, as far as the broker can tell, with one store. */
describe.skipIf(broker === undefined)('a message that is delivered again', () => {
  if (broker === undefined) return
  const vhost = unique('once')
  const registry = getDriverRegistry({ drivers: [createRabbitDriver({ duplicateCacheSize: 0 })], discover: false })
  const url = broker.urlFor({ vhost })
  const idempotency = () => ({ store: new MemoryIdempotencyStore(), retryAfterMs: 50 })
  beforeAll(async () => await broker.vhost(vhost))
  afterAll(async () => await broker.control.deleteVhost(vhost))

  it('a notification - handled once, although its listener lost its connection while it handled it', async () => {
    const topic = unique('notifications')
    const options = { idempotency: idempotency(), workers: 1 }
    const begun = createDeferred<void>()
    const gate = createDeferred<void>()
    const again = createDeferred<void>()
    const handled: unknown[] = []
    const info = async (...[, , event]: unknown[]): Promise<void> => {
      handled.push(event)
      if (event === 'last') return again.resolve()
      begun.resolve()
      await gate.promise
    }
    for (let n = 0; n < 2; n += 1) {
      const bus = await getNotificationTransport({ url, registry })
      onTestFinished(async () => void (await bus.close(GIVE_UP)))
      await getNotificationListener(bus, [{ topic }], [{ info }], options).start()
    }
    const bus = await getNotificationTransport({ url, registry })
    onTestFinished(async () => void (await bus.close(GIVE_UP)))
    const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
    await notifier.info({}, 'first', {})
    await begun.promise
    await broker.control.closeAllConnections({ vhost })
    await expect.poll(() => bus.health().status, { timeout: 10_000 }).toBe('ok')
    gate.resolve()
    await notifier.info({}, 'last', {})
    await again.promise
    await expect
      .poll(async () => (await broker.control.queue(`${topic}.info`, vhost))?.messages, { timeout: 10_000 })
      .toBe(0)
    expect(handled).toEqual(['first', 'last'])
  })

  it('a cast - its method runs once, although its server lost its connection while it ran', async () => {
    const topic = unique('jobs')
    const options = { acknowledge: 'after', idempotency: idempotency() } as const
    const begun = createDeferred<void>()
    const gate = createDeferred<void>()
    const ran: string[] = []
    for (const server of ['one', 'two']) {
      const transport = await getRpcTransport({ url, registry })
      onTestFinished(async () => void (await transport.close(GIVE_UP)))
      const endpoint = {
        async work() {
          ran.push(server)
          begun.resolve()
          await gate.promise
        },
        ping: () => 'pong',
      }
      await getRpcServer(transport, { topic, server }, endpoint, options).start()
    }
    const transport = await getRpcTransport({ url, registry })
    onTestFinished(async () => void (await transport.close(GIVE_UP)))
    await getRpcClient(transport, { topic }).cast({}, 'work', {})
    await begun.promise
    await broker.control.closeAllConnections({ vhost })
    for (const server of ['one', 'two'])
      expect(await getRpcClient(transport, { topic, server }, { timeoutMs: 10_000 }).call({}, 'ping')).toBe('pong')
    gate.resolve()
    await expect.poll(async () => (await broker.control.queue(topic, vhost))?.messages, { timeout: 10_000 }).toBe(0)
    expect(ran).toHaveLength(1)
  })
})
