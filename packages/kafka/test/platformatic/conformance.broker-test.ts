import { runDriverConformance } from '@oslo-messaging/conformance'
import { describe, it } from 'vitest'
import { kafkaDriver } from '../../src/index.ts'
import { sharedKafka } from '../support/broker.ts'
import { openReal } from '../support/open-driver.ts'

const broker = await sharedKafka()

// The short form; `KAFKA_CLIENT=platformatic` runs every other suite over this client as well.
describe.skipIf(broker === undefined)('kafka over @platformatic/kafka', () => {
  if (broker === undefined) return
  runDriverConformance({
    describe,
    it,
    capabilities: kafkaDriver.capabilities,
    createDriver: async () => await openReal(broker.url, { client: 'platformatic' }),
    knobs: { timeScale: 2 },
    level: 0,
  })
})
