import { startBroker } from '@oslo-messaging/brokers'
import { connect } from '@nats-io/transport-node'
import { natsDriver } from 'oslo-messaging-driver-nats'
import { atBroker, type Bench, open } from './bench.ts'

export async function nats(title: string, version: string, nodes = 1): Promise<Bench> {
  const broker = await startBroker('nats', { version, nodes, config: { max_payload: '8MB' } })
  const options = { heartbeat: 2, stream_replicas: nodes }
  return await atBroker(title, {
    broker,
    driver: 'oslo-messaging-driver-nats',
    library: '@nats-io/transport-node',
    definition: natsDriver,
    createDriver:
      (proxies) =>
      ({ vhost }) =>
        open(natsDriver, broker.urlFor({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }), options),
    revoke: async () => {
      await broker.setRights(false)
      return () => broker.setRights(true)
    },
    ...(nodes === 1 ? { cluster: () => nats(title, version, 3) } : {}),
    knobs: {
      timeScale: 1,
      vhosts: ['one', 'two'],
      noticesSilenceMs: 6000,
      // More than the 4,096 that may be outstanding and the 16,384 that may wait for room.
      load: { unbounded: 25_000 },
      async makeUnreadable({ kind, exchange, topic, priority, text }) {
        const [{ host, port } = { host: '', port: 0 }] = broker.hosts
        const client = await connect({ servers: `${host}:${port}`, user: 'app', pass: 'secret' })
        const place = `${exchange ?? 'openstack'}.${topic}`
        client.publish(kind === 'request' ? `oslo.=.rpc.${place}.any` : `oslo.=.notify.${place}=2E${priority}`, text)
        await client.close()
      },
      secret: {
        definition: natsDriver,
        url: (password) => `nats://user:${encodeURIComponent(password)}@127.0.0.1:1/`,
      },
      levers: {
        restart: () => broker.restart(),
        freeze: async () => {
          await broker.freeze()
          return () => broker.thaw()
        },
      },
      reasons: {
        'lever block': 'a stream that is full refuses, and the server never blocks',
        'knob peer': 'there is no other implementation',
      },
    },
  })
}
