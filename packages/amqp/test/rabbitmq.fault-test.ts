import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { amqpDriver } from '../src/index.ts'
import { openDriver } from './support/open-driver.ts'
import { put } from './support/put.ts'

const broker = await skipOrFail(startBroker('rabbit', { version: '4.0' }))

/** RabbitMQ 4 speaks AMQP 1.0 on the port of 0-9-1, with addresses of its own. */
describe.skipIf(broker === undefined)('amqp on RabbitMQ 4.0', () => {
  if (broker === undefined) return
  afterAll(() => broker.close())
  const url = (options = {}): string => broker.urlFor(options).replace(/^rabbit/, 'amqp')

  runDriverConformance({
    describe,
    it,
    beforeAll,
    afterAll,
    capabilities: amqpDriver.capabilities,
    // The virtual host is part of the names here, as in the other addressings.
    createDriver: ({ vhost }) => openDriver(url(vhost === undefined ? {} : { vhost })),
    knobs: {
      timeScale: 2,
      vhosts: ['one', 'two'],
      disconnect: async () => void (await broker.control.dropAllConnections()),
      async makeUnreadable({ kind, topic, priority, text }) {
        const [port = 0] = broker.ports
        const name = kind === 'request' ? topic : `${topic}.${priority}`
        const place = { port, username: 'guest', password: 'guest' }
        await put(place, `/queues/${encodeURIComponent(`unicast.openstack.${name}`)}`, { body: text })
      },
      secret: { definition: amqpDriver, url: (password) => url({ user: 'nobody', password }) },
    },
  })
})
