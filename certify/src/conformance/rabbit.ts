import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import type { UnreadablePlace } from '@oslo-messaging/conformance'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { connect } from 'amqplib'
import { atBroker, type Bench, open } from './bench.ts'
import { pythonPeer } from './python-peer.ts'

/** Options that make recovery short, as tests of recovery have them. */
const QUICK = {
  // Without it queues go with the broker, as Python's do.
  amqp_durable_queues: true,
  kombu_reconnect_delay: 0.5,
  rabbit_retry_interval: 1,
  rabbit_interval_max: 2,
  heartbeat_timeout_threshold: 4,
  heartbeat_rate: 3,
}

/** At several nodes: queues that outlive one of them. */
const REPLICATED = { ...QUICK, amqp_durable_queues: false, rabbit_quorum_queue: true }

export async function rabbit(title: string, version: string, nodes = 1): Promise<Bench> {
  // What a consumer on a node that died had been given, 4.3 keeps for it: a minute by default.
  const config = nodes > 1 && version === '4.3' ? { consumer_disconnected_timeout: '1000' } : {}
  const broker = await startBroker('rabbit', { version, nodes, config })
  await broker.vhost('one')
  await broker.vhost('two')
  const python = pythonPeer({
    library: 'newest',
    url: broker.urlFor({ vhost: 'one' }),
    settings: ['oslo_messaging_rabbit.amqp_durable_queues=true'],
  })
  return await atBroker(title, {
    broker,
    driver: '@oslo-messaging/rabbit',
    library: 'amqplib',
    definition: rabbitDriver,
    createDriver:
      (proxies) =>
      ({ vhost = 'one' }) =>
        open(rabbitDriver, broker.urlFor({ vhost, via: proxies }), nodes === 1 ? QUICK : REPLICATED),
    revoke: async () => {
      await broker.control.setRights({ vhost: 'one', configure: '', write: '', read: '' })
      return () => broker.control.setRights({ vhost: 'one' })
    },
    ...(nodes === 1 ? { cluster: () => rabbit(title, version, 3) } : {}),
    close: python.close,
    knobs: {
      vhosts: ['one', 'two'],
      peer: python.peer,
      makeUnreadable: (place) => put(broker, place),
      secret: {
        definition: rabbitDriver,
        url: (password) => broker.urlFor({ vhost: 'one', user: 'nobody', password }),
      },
      levers: {
        restart: () => broker.restart(),
        block: async () => {
          await broker.control.setMemoryAlarm(0)
          return () => broker.control.clearMemoryAlarm(0)
        },
      },
    },
  })
}

async function put(broker: RabbitBroker, { exchange, topic, priority, text }: UnreadablePlace): Promise<void> {
  const url = broker.urlFor({ vhost: 'one' }).replace('rabbit://', 'amqp://')
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  const key = priority === null ? topic : `${topic}.${priority}`
  channel.publish(exchange ?? 'openstack', key, Buffer.from(text), { contentType: 'application/json' })
  await channel.waitForConfirms()
  await connection.close()
}
