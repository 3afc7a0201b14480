import { runDriverConformance } from '@oslo-messaging/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { amqpDriver } from '../src/index.ts'
import { artemis } from './support/artemis.ts'
import { openDriver } from './support/open-driver.ts'
import { put } from './support/put.ts'

const broker = await artemis()

describe.skipIf(broker === undefined)('amqp on Artemis', () => {
  if (broker === undefined) return
  afterAll(() => broker.close())

  runDriverConformance({
    describe,
    it,
    beforeAll,
    afterAll,
    capabilities: amqpDriver.capabilities,
    // Of all exchanges, `ttl` is the one whose messages the broker lets expire when they should
    // (brokers/recipes/artemis/broker.xml).
    createDriver: ({ vhost }) =>
      openDriver(
        broker.urlFor(vhost === undefined ? {} : { vhost }),
        { addressing_mode: 'legacy' },
        { defaultExchange: 'ttl' },
      ),
    knobs: {
      timeScale: 2,
      vhosts: ['one', 'two'],
      disconnect: () => broker.cutConnections(),
      async makeUnreadable({ kind, topic, priority, text }) {
        const name = kind === 'request' ? topic : `${topic}.${priority}`
        await put(broker.place, `unicast.ttl.${name}`, { body: text })
      },
      secret: {
        definition: amqpDriver,
        url: (password) => broker.urlFor({ user: 'nobody', password }),
      },
    },
  })
})
