import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { describe, it } from 'vitest'

import { runHybrid } from './support/hybrid-guide.ts'

const [rabbit, kafka] = await Promise.all([skipOrFail(sharedBroker('rabbit')), skipOrFail(sharedBroker('kafka'))])

describe.skipIf(rabbit === undefined || kafka === undefined)('the Kafka deployment guide', () => {
  it('its service.conf for RPC over RabbitMQ and notifications over Kafka works as it stands', async () => {
    await runHybrid('rabbit', rabbit?.url ?? '', kafka?.url ?? '')
  })
})
