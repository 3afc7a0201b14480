import { amqpDriver } from '@oslo-messaging/amqp'
import { type BrokerJ, startBroker } from '@oslo-messaging/brokers'
import type { UnreadablePlace } from '@oslo-messaging/conformance'
import type { Driver } from '@oslo-messaging/core/driver'
import rhea from 'rhea'
import { atBroker, type Bench, open } from './bench.ts'
import { pythonPeer } from './python-peer.ts'

/** Options that make recovery short, as tests of recovery have them. */
const QUICK = { link_retry_delay: 1, connection_retry_interval_max: 1, idle_timeout: 4 }
const DRIVER = { driver: '@oslo-messaging/amqp', library: 'rhea', definition: amqpDriver } as const
const NO_BLOCK = 'it gives no credit instead of blocking, which is what a slow broker does: nothing tells the two apart'

/** `standby`: of two nodes on the same data, the one that waits takes over. */
export async function artemis(title: string, standby = false): Promise<Bench> {
  const broker = await startBroker('artemis', { standby })
  // Of all exchanges, `ttl` is the one whose messages this broker lets expire when they should.
  const python = pythonPeer({
    library: 'amqp10',
    url: broker.url,
    // Python's expiry times lie in 1970: where this broker minds them its calls would be gone at once.
    exchange: 'openstack',
    settings: ['DEFAULT.control_exchange=ttl', 'oslo_messaging_amqp.addressing_mode=legacy'],
  })
  return await atBroker(title, {
    broker,
    ...DRIVER,
    createDriver:
      (proxies) =>
      ({ vhost }) =>
        open(
          amqpDriver,
          broker.urlFor({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }),
          { ...QUICK, addressing_mode: 'legacy' },
          'ttl',
        ),
    revoke: async () => {
      await broker.setRights(false)
      return () => broker.setRights(true)
    },
    ...(standby ? {} : { cluster: () => artemis(title, true) }),
    close: python.close,
    knobs: {
      vhosts: ['one', 'two'],
      peer: python.peer,
      makeUnreadable: (place) => put({ port: portOf(broker) }, `unicast.ttl.${nameOf(place)}`, place.text),
      secret: { definition: amqpDriver, url: (password) => broker.urlFor({ user: 'nobody', password }) },
      levers: { restart: () => broker.restart() },
      reasons: { 'lever block': NO_BLOCK },
    },
  })
}

/** A listener leaves it to the broker what kind its queue is: of several nodes, one must outlive any of them. What a
 *  consumer on a node that died had been given is kept for it, a minute by default. */
const REPLICATED = { default_queue_type: 'quorum', consumer_disconnected_timeout: '1000' }

/** RabbitMQ 4 speaks AMQP 1.0 on the port of 0-9-1, with addresses of its own. */
export async function rabbitmq(title: string, version: string, nodes = 1): Promise<Bench> {
  const replicated = nodes === 1 ? {} : { config: REPLICATED }
  const broker = await startBroker('rabbit', { version, nodes, ...replicated })
  const url = (options: Parameters<typeof broker.urlFor>[0] = {}): string =>
    broker.urlFor(options).replace(/^rabbit/, 'amqp')
  return await atBroker(title, {
    broker,
    ...DRIVER,
    createDriver:
      (proxies) =>
      ({ vhost }) =>
        // The virtual host is part of the names here, as in the other addressings.
        open(amqpDriver, url({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }), QUICK),
    revoke: async () => {
      await broker.control.setRights({ configure: '', write: '', read: '' })
      return () => broker.control.setRights()
    },
    ...(nodes === 1 ? { cluster: () => rabbitmq(title, version, 3) } : {}),
    knobs: {
      vhosts: ['one', 'two'],
      makeUnreadable: (place) =>
        put(
          { port: portOf(broker), username: 'guest', password: 'guest' },
          `/queues/${encodeURIComponent(`unicast.openstack.${nameOf(place)}`)}`,
          place.text,
        ),
      secret: { definition: amqpDriver, url: (password) => url({ user: 'nobody', password }) },
      levers: {
        restart: () => broker.restart(),
        block: async () => {
          await broker.control.setMemoryAlarm(0)
          return () => broker.control.clearMemoryAlarm(0)
        },
      },
      reasons: {
        'knob peer': "Python's driver does not know the addresses of RabbitMQ 4",
      },
    },
  })
}

/** It is slow to store on a busy machine, and says nothing meanwhile, not even that it is alive. */
export async function brokerJ(title: string): Promise<Bench> {
  const broker = await startBroker('broker-j')
  return await atBroker(title, {
    broker,
    ...DRIVER,
    // Without capabilities of queues nobody made, it has no pools.
    definition: { capabilities: { ...amqpDriver.capabilities, pools: false } },
    createDriver:
      (proxies) =>
      async ({ vhost }) =>
        withFanouts(
          broker,
          await open(amqpDriver, broker.urlFor({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }), {
            ...QUICK,
            idle_timeout: 10,
            addressing_mode: 'legacy',
            pseudo_vhost: false,
          }),
          vhost ?? 'default',
        ),
    // Its users have all rights; who cannot log in any more has none.
    revoke: async () => {
      await broker.setPassword('changed')
      return () => broker.setPassword()
    },
    knobs: {
      vhosts: ['default', 'tenant1'],
      makeUnreadable: (place) =>
        put(
          { port: portOf(broker), username: 'app', password: 'secret' },
          `unicast.openstack.${nameOf(place)}`,
          place.text,
        ),
      secret: { definition: amqpDriver, url: (password) => broker.urlFor({ user: 'nobody', password }) },
      levers: { restart: () => broker.restart() },
      reasons: {
        'lever block': NO_BLOCK,
        'lever killNode': 'one node',
        'knob peer': "the exchanges behind Python's fanout addresses would have to be made by hand",
      },
    },
  })
}

/** Does what an operator of Broker-J does once for each topic: a receiver cannot make the exchange of a fanout
 *  address. */
function withFanouts(broker: BrokerJ, driver: Driver, virtualHost: string): Driver {
  return {
    send: (...args) => driver.send(...args),
    sendNotification: (...args) => driver.sendNotification(...args),
    async listen(target, options) {
      const made = broker.createFanout(`broadcast.${target.exchange ?? 'openstack'}.${target.topic}.all`, virtualHost)
      // While the broker is frozen or away nobody makes one, and the driver has to say what is wrong.
      await made.catch(() => undefined)
      return await driver.listen(target, options)
    },
    listenForNotifications: (...args) => driver.listenForNotifications(...args),
    health: () => driver.health(),
    close: (options) => driver.close(options),
  }
}

function portOf({ ports: [port = 0] }: { readonly ports: readonly number[] }): number {
  return port
}

function nameOf({ topic, priority }: UnreadablePlace): string {
  return priority === null ? topic : `${topic}.${priority}`
}

interface Place {
  readonly port: number
  readonly username?: string
  readonly password?: string
}

/** Stores one message under an address with rhea alone; resolves when the broker has accepted it. */
async function put(place: Place, address: string, body: string): Promise<void> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...place })
  try {
    await new Promise<void>((resolve, reject) => {
      const sender = connection.open_sender(address)
      sender.once('sendable', () => sender.send({ body }))
      sender.once('accepted', () => resolve())
      for (const event of ['rejected', 'released', 'sender_error'])
        sender.once(event, () => reject(new Error(`${event} by ${address}`)))
      connection.on('connection_error', ({ error }) => reject(error))
      connection.on('disconnected', () => reject(new Error('disconnected')))
    })
  } finally {
    connection.close()
  }
}
