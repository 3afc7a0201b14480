import { type FaultProxy, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { Target, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { natsDriver } from '../src/index.ts'
import { Names } from '../src/topology/names.ts'

const broker = await skipOrFail(
  startBroker('nats', { version: process.env['NATS_VERSION'] ?? '2.9', config: { max_payload: '8MB' } }),
)
afterAll(() => broker?.close())

describe.skipIf(broker === undefined)('nats', () => {
  const { capabilities } = natsDriver
  const context = createDriverContext(natsDriver, { options: { heartbeat: 2 } })
  const names = new Names({ prefix: 'oslo', virtualHost: null, defaultExchange: context.defaultExchange })
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
      natsDriver.open(
        TransportURL.parse(broker!.urlFor({ via: [proxy], ...(vhost === undefined ? {} : { vhost }) })),
        context,
      ),
    knobs: {
      vhosts: ['one', 'two'],
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
        const client = await connect({ servers: `${host}:${port}`, user: 'app', pass: 'secret' })
        client.publish(kind === 'request' ? names.anyServer(target) : names.notification(target), text)
        await client.close()
      },
      secret: { definition: natsDriver, url: (password) => `nats://user:${encodeURIComponent(password)}@127.0.0.1:1/` },
    },
  })
})
