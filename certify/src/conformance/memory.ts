import { TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext, createFaults, createMemoryBroker, createMemoryDriver } from '@oslo-messaging/core/testing'
import { type Bench, versionOf } from './bench.ts'

const NO_SOCKETS = 'it has no sockets'

/** The in-process driver, whose levers are its script of faults. */
export function memory(title: string): Bench {
  const faults = createFaults()
  const brokers = new Map(['usual', 'one', 'two'].map((name) => [name, createMemoryBroker(name)]))
  const definitions = new Map([...brokers].map(([name, broker]) => [name, createMemoryDriver({ broker, faults })]))
  const usual = createMemoryDriver({ broker: brokers.get('usual'), faults })
  const away = () => {
    faults.disconnect()
    return Promise.resolve(() => Promise.resolve(faults.reconnect()))
  }
  return {
    subject: { title, driver: versionOf('@oslo-messaging/core'), library: null, broker: null },
    options: {
      capabilities: usual.capabilities,
      createDriver: ({ vhost = 'usual' }) => {
        const definition = definitions.get(vhost) ?? usual
        return definition.open(TransportURL.parse('memory://'), createDriverContext(definition))
      },
      knobs: {
        vhosts: ['one', 'two'],
        makeUnreadable: ({ kind, exchange, topic, priority, text }) =>
          Promise.resolve(
            brokers.get('usual')?.publishText({
              kind,
              exchange: exchange ?? 'openstack',
              routingKey: priority === null ? topic : `${topic}.${priority}`,
              text,
            }),
          ),
        secret: {
          definition: usual,
          url: (password) => `memory://user:${encodeURIComponent(password)}@somewhere/`,
        },
        levers: {
          outage: away,
          freeze: away,
          restart: async () => {
            const back = await away()
            await back()
          },
          block: () => {
            faults.block()
            return Promise.resolve(() => Promise.resolve(faults.unblock()))
          },
          revoke: () => {
            faults.failListeners()
            // Its listeners are lost for good.
            return Promise.resolve(() => Promise.resolve())
          },
          connections: () => 1,
        },
        reasons: {
          'lever halfOpen': NO_SOCKETS,
          'lever latency': NO_SOCKETS,
          'lever split': NO_SOCKETS,
          'lever killNode': 'its broker is this process',
          'knob peer': 'nothing else speaks to it',
        },
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
