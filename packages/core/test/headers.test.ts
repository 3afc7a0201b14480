import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  getBatchNotificationListener,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  NoOpSerializer,
  type NotificationDelivery,
  Notifier,
  type RPCCall,
  Target,
} from '../src/index.ts'
import { createMemoryDriver } from '../src/testing.ts'
import { createDeferred } from '../src/util/deferred.ts'
import { createScene, rejection } from './rpc/scene.ts'

const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' }

describe('headers of an application travel beside the message', () => {
  it.each([
    ['plain', undefined],
    ['with a serializer', new (class extends NoOpSerializer {})()],
  ])('call, %s', async (_, serializer) => {
    await using scene = await createScene()
    const seen = createDeferred<RPCCall['headers']>()
    await scene.serve({
      trace(context: object, args: object, call: RPCCall) {
        seen.resolve(call.headers)
        return { context, args }
      },
    })
    const client = scene.client(serializer === undefined ? {} : { serializer })
    const result = await client.call({ request_id: 'r' }, 'trace', { a: 1 }, { headers })
    expect(await seen.promise).toEqual(headers)
    expect(result).toEqual({ context: { request_id: 'r' }, args: { a: 1 } })
  })

  it('cast, and none without', async () => {
    await using scene = await createScene()
    const seen: RPCCall['headers'][] = []
    const both = createDeferred<void>()
    await scene.serve({
      trace(_context: object, _args: object, call: RPCCall) {
        if (seen.push(call.headers) === 2) both.resolve()
      },
    })
    await scene.client().cast({}, 'trace', {}, { headers })
    await scene.client().cast({}, 'trace', {}, { headers: {} })
    await both.promise
    expect(seen).toEqual([headers, {}])
  })

  it('notifications, one by one and in batches', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: 'memory://' } } })
    await using bus = await getNotificationTransport(conf, {
      registry: { resolve: async () => createMemoryDriver() },
    })
    const topic = `t${randomUUID().slice(0, 8)}`
    const single = createDeferred<NotificationDelivery>()
    const batched = createDeferred<NotificationDelivery | undefined>()
    const listener = getNotificationListener(
      bus,
      [new Target({ topic })],
      [{ info: (_context, _publisher, _event, _payload, _metadata, delivery) => single.resolve(delivery) }],
    )
    const batches = getBatchNotificationListener(
      bus,
      [new Target({ topic })],
      [{ info: (batch) => batched.resolve(batch[0]?.delivery) }],
      { pool: 'batches', batchSize: 1 },
    )
    await listener.start()
    await batches.start()
    await new Notifier(bus, { driver: 'messagingv2', topics: [topic] }).info({}, 'e', 1, { headers })
    expect((await single.promise).headers).toEqual(headers)
    expect((await batched.promise)?.headers).toEqual(headers)
  })

  it.each([['x'], [[]], [{ traceparent: 7 }], [{ '': 'a' }]])(
    '%j is refused before anything is sent',
    async (wrong) => {
      await using scene = await createScene()
      const options = { headers: wrong } as object
      for (const verb of ['call', 'cast'] as const) {
        const error = await rejection(scene.client()[verb]({}, 'm', {}, options))
        expect(error).toBeInstanceOf(TypeError)
        expect((error as Error).message).toMatch(/^headers/)
      }
      expect(scene.recorder.calls()).toEqual([])
    },
  )
})
