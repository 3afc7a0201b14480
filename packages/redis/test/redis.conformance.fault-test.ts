import { type FaultProxy, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { Target, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { Names } from '../src/topology/names.ts'

const broker = await skipOrFail(startBroker('redis', { version: process.env['REDIS_VERSION'] ?? '7.0' }))
afterAll(() => broker?.close())

describe.skipIf(broker === undefined)('redis', () => {
  const { capabilities } = redisDriver
  const context = createDriverContext(redisDriver, { options: { heartbeat: 2 } })
  const names = new Names('oslo', context.defaultExchange)
  let proxy: FaultProxy

  beforeAll(async () => {
    proxy = await broker!.proxy()
  })
  runDriverConformance({
    describe,
    it,
    beforeAll: (body) => beforeAll(body),
    afterAll: (body) => afterAll(body),
    capabilities,
    level: 3,
    createDriver: ({ vhost }) =>
      redisDriver.open(
        TransportURL.parse(broker!.urlFor({ via: [proxy], ...(vhost === undefined ? {} : { vhost }) })),
        context,
      ),
    knobs: {
      vhosts: ['1', '2'],
      noticesSilenceMs: 6000,
      // More than the 4,096 that may be outstanding and the 16,384 that may wait for room.
      load: { unbounded: 25_000 },
      levers: {
        proxies: () => [proxy],
        restart: () => broker!.restart(),
        freeze: async () => {
          await broker!.freeze()
          return () => broker!.thaw()
        },
      },
      makeUnreadable: async ({ kind, exchange, topic, priority, text }) => {
        const target = new Target({ topic: priority === null ? topic : `${topic}.${priority}`, exchange })
        const [{ host, port }] = broker!.hosts as [{ host: string; port: number }]
        const client = createClient({ socket: { host, port }, username: 'app', password: 'secret' })
        await client.connect()
        const key = kind === 'request' ? names.anyServer(target) : names.notification(target)
        await client.xAdd(key, '*', { body: text })
        client.destroy()
      },
      secret: {
        definition: redisDriver,
        url: (password) => `redis://user:${encodeURIComponent(password)}@127.0.0.1:1/`,
      },
    },
  })
})
