import { importSecondKafkaClient, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, getBrokerAdmin, loadConfig } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { createKafkaDriver } from '../../src/index.ts'

const broker = await skipOrFail(sharedBroker('kafka'))

describe.skipIf(broker === undefined)('the clock of the controller', () => {
  if (broker === undefined) return

  it.each(['kafkajs', 'platformatic'] as const)(
    'over %s - is that of this machine, on which Kafka runs',
    async (client) => {
      const driver = createKafkaDriver({ client, importClient: importSecondKafkaClient })
      const registry = createDriverRegistry({ drivers: [driver], discover: false })
      await using admin = await getBrokerAdmin(await loadConfig(), { url: broker.url, registry })
      const found = await admin.examine([], { timeoutMs: 20_000 })
      expect(found.at(-1)).toMatchObject({
        severity: 'ok',
        check: 'clock',
        what: expect.stringMatching(/at most \d+ ms apart$/) as string,
      })
    },
  )
})
