import { runDriverConformance } from '@oslo-messaging/conformance'
import { describe, it } from 'vitest'
import { ClientFault } from '../src/port/client-port.ts'
import { createKafkaDriver, kafkaDriver } from '../src/index.ts'
import { openOver } from './support/open-driver.ts'
import { ScriptedKafka } from './support/scripted-client.ts'

// P12: the whole suite over a client that is not kafkajs. What differs from kafka.conformance.broker-test.ts is the
// client that the driver is given.
const kafka = new ScriptedKafka()
kafka.latencyMs = 20

describe('P12 kafka over a second client', () => {
  runDriverConformance({
    describe,
    it,
    capabilities: kafkaDriver.capabilities,
    createDriver: ({ vhost = '' }) => openOver(kafka, { url: `kafka://broker/${vhost}` }),
    knobs: {
      vhosts: ['one', 'two'],
      makeUnreadable: async ({ topic, priority, text }) => {
        kafka.store(`${topic}.${priority}`, [text])
        await Promise.resolve()
      },
      disconnect: async () => {
        for (const producer of kafka.producers) await producer.disconnect()
        for (const consumer of kafka.consumers) {
          if (consumer.isMember) consumer.crash(new ClientFault('ECONNRESET', 'cut'))
        }
      },
      secret: {
        definition: createKafkaDriver(),
        url: (password) => `kafka://nobody:${encodeURIComponent(password)}@127.0.0.1:1/`,
      },
    },
  })
})
