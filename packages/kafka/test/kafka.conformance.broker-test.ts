import { runDriverConformance } from '@oslo-messaging/conformance'
import { describe, it } from 'vitest'
import { createKafkaDriver, kafkaDriver } from '../src/index.ts'
import { sharedKafka, store } from './support/broker.ts'
import { openReal } from './support/open-driver.ts'

const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return
  runDriverConformance({
    describe,
    it,
    capabilities: kafkaDriver.capabilities,
    createDriver: async ({ vhost }) => await openReal(broker.urlFor(vhost === undefined ? {} : { vhost })),
    knobs: {
      timeScale: 2,
      vhosts: ['one', 'two'],
      makeUnreadable: async ({ topic, priority, text }) => await store(broker, `${topic}.${priority}`, [text]),
      secret: {
        definition: createKafkaDriver(),
        url: (password) => broker.urlFor({ user: 'nobody', password }),
      },
    },
  })
})
