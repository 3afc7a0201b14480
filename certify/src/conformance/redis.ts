import { type Broker, startBroker } from '@oslo-messaging/brokers'
import { createClient } from '@redis/client'
import { redisDriver } from 'oslo-messaging-driver-redis'
import { atBroker, type Bench, open } from './bench.ts'

export async function redis(title: string, version: string): Promise<Bench> {
  const broker = await startBroker('redis', { version })
  return await atBroker(title, {
    broker,
    driver: 'oslo-messaging-driver-redis',
    library: '@redis/client',
    definition: redisDriver,
    createDriver:
      (proxies) =>
      ({ vhost }) =>
        open(redisDriver, broker.urlFor({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }), { heartbeat: 2 }),
    revoke: async () => {
      // Of no key and no channel; what it may ask for stays, so that it can be given back.
      await command(broker, 'ACL', 'SETUSER', 'app', 'resetkeys', 'resetchannels')
      return () => command(broker, 'ACL', 'SETUSER', 'app', '~*', '&*')
    },
    knobs: {
      timeScale: 1,
      vhosts: ['1', '2'],
      noticesSilenceMs: 6000,
      // More than the 4,096 that may be outstanding and the 16,384 that may wait for room.
      load: { unbounded: 25_000 },
      async makeUnreadable({ kind, exchange, topic, priority, text }) {
        const place = `${exchange ?? 'openstack'}:${topic}`
        const key = kind === 'request' ? `oslo:rpc:${place}` : `oslo:notify:${place}.${priority}`
        await command(broker, 'XADD', key, '*', 'body', text)
      },
      secret: {
        definition: redisDriver,
        url: (password) => `redis://user:${encodeURIComponent(password)}@127.0.0.1:1/`,
      },
      levers: {
        restart: () => broker.restart(),
        freeze: async () => {
          await broker.freeze()
          return () => broker.thaw()
        },
      },
      reasons: {
        'lever block': 'a server without memory refuses (OOM), it never blocks',
        'lever killNode': 'the driver speaks to one server, and knows neither Cluster nor Sentinel',
        'knob peer': 'there is no other implementation',
      },
    },
  })
}

async function command({ hosts }: Broker, ...words: readonly string[]): Promise<void> {
  const [{ host, port } = { host: '', port: 0 }] = hosts
  const client = createClient({ socket: { host, port }, username: 'app', password: 'secret' })
  await client.connect()
  await client.sendCommand(words)
  client.destroy()
}
