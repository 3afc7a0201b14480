import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { amqpDriver } from '@oslo-messaging/amqp'
import { type Broker, startBroker } from '@oslo-messaging/brokers'
import type { ConformanceOptions } from '@oslo-messaging/conformance'
import type { FaultProxy } from '@oslo-messaging/conformance/faults'
import type { Subject, Versioned } from '@oslo-messaging/conformance/results'
import { type DriverDefinition, type ResolvedOptions, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext, createFaults, createMemoryDriver } from '@oslo-messaging/core/testing'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'

/** A driver at a broker, ready to be tested. */
export interface Bench extends AsyncDisposable {
  readonly subject: Subject
  readonly options: Pick<ConformanceOptions, 'capabilities' | 'createDriver' | 'knobs'>
}

const require = createRequire(import.meta.url)

/** What a package of the workspace says of itself. */
function versionOf(name: string): Versioned {
  const { version } = require(`${name}/package.json`) as { readonly version: string }
  return { name, version }
}

/** The client library beside a driver. Read as a file, because not every library lets its package.json be imported. */
function libraryOf(driver: string, name: string): Versioned {
  const path = join(dirname(require.resolve(`${driver}/package.json`)), 'node_modules', name, 'package.json')
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
  return { name, version }
}

/** Options that make recovery short, as tests of recovery have them. */
const QUICK_AMQP = { link_retry_delay: 1, connection_retry_interval_max: 1, idle_timeout: 4 }
const QUICK_RABBIT = {
  // Without it queues go with the broker, as Python's do.
  amqp_durable_queues: true,
  kombu_reconnect_delay: 0.5,
  rabbit_retry_interval: 1,
  rabbit_interval_max: 2,
  heartbeat_timeout_threshold: 4,
  heartbeat_rate: 3,
}

function open<Options extends ResolvedOptions>(
  definition: DriverDefinition<Options>,
  url: string,
  options: ResolvedOptions,
  defaultExchange = 'openstack',
) {
  return definition.open(TransportURL.parse(url), createDriverContext(definition, { options, defaultExchange }))
}

const DRIVERS = { amqplib: '@oslo-messaging/rabbit', rhea: '@oslo-messaging/amqp', kafkajs: '@oslo-messaging/kafka' }

async function atBroker(
  broker: Broker,
  name: string,
  definition: Pick<DriverDefinition, 'capabilities'>,
  library: 'amqplib' | 'rhea' | 'kafkajs',
  make: (proxies: readonly FaultProxy[]) => Bench['options']['createDriver'],
  more: ConformanceOptions['knobs'] = {},
): Promise<Bench> {
  const proxies = await Promise.all(broker.nodes.map((_, node) => broker.proxy(node)))
  return {
    subject: {
      title: name,
      driver: versionOf(DRIVERS[library]),
      library: libraryOf(DRIVERS[library], library),
      broker: { name: broker.name, version: broker.version },
    },
    options: {
      capabilities: definition.capabilities,
      createDriver: make(proxies),
      knobs: { timeScale: 2, ...more, levers: { proxies: () => proxies, ...more.levers } },
    },
    [Symbol.asyncDispose]: () => broker.close(),
  }
}

async function rabbit(name: string, version: string): Promise<Bench> {
  const broker = await startBroker('rabbit', { version })
  await broker.vhost('one')
  await broker.vhost('two')
  return await atBroker(
    broker,
    name,
    rabbitDriver,
    'amqplib',
    (proxies) =>
      ({ vhost = 'one' }) =>
        open(rabbitDriver, broker.urlFor({ vhost, via: proxies }), QUICK_RABBIT),
    {
      vhosts: ['one', 'two'],
      levers: {
        restart: () => broker.restart(),
        block: async () => {
          await broker.control.setMemoryAlarm(0)
          return () => broker.control.clearMemoryAlarm(0)
        },
      },
    },
  )
}

async function artemis(name: string): Promise<Bench> {
  const broker = await startBroker('artemis')
  return await atBroker(
    broker,
    name,
    amqpDriver,
    'rhea',
    // Of all exchanges, `ttl` is the one whose messages this broker lets expire when they should.
    (proxies) => () =>
      open(amqpDriver, broker.urlFor({ via: proxies }), { ...QUICK_AMQP, addressing_mode: 'legacy' }, 'ttl'),
    { levers: { restart: () => broker.restart() } },
  )
}

async function kafka(name: string, version: string): Promise<Bench> {
  const broker = await startBroker('kafka', { version })
  return await atBroker(
    broker,
    name,
    kafkaDriver,
    'kafkajs',
    (proxies) => () => open(kafkaDriver, broker.urlFor({ via: proxies }), {}),
    { levers: { restart: () => broker.restart() }, load: { topics: 100, bytes: 900_000 } },
  )
}

/** The in-process driver, whose levers are its script of faults. */
function memory(name: string): Bench {
  const faults = createFaults()
  const definition = createMemoryDriver({ faults })
  const away = () => {
    faults.disconnect()
    return Promise.resolve(() => Promise.resolve(faults.reconnect()))
  }
  return {
    subject: { title: name, driver: versionOf('@oslo-messaging/core'), library: null, broker: null },
    options: {
      capabilities: definition.capabilities,
      createDriver: () => definition.open(TransportURL.parse('memory://'), createDriverContext(definition)),
      knobs: {
        levers: {
          outage: away,
          freeze: away,
          block: () => {
            faults.block()
            return Promise.resolve(() => Promise.resolve(faults.unblock()))
          },
          revoke: () => Promise.resolve(faults.failListeners()),
        },
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** What `npm run conformance` knows, by the name that it and the files have. */
export const subjects: Readonly<Record<string, (name: string) => Bench | Promise<Bench>>> = {
  memory,
  'rabbit-3.10': (name) => rabbit(name, '3.10'),
  'rabbit-4.0': (name) => rabbit(name, '4.0'),
  'rabbit-4.3': (name) => rabbit(name, '4.3'),
  'amqp-artemis': artemis,
  'kafka-3.9': (name) => kafka(name, '3.9'),
}
