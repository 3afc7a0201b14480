import { sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { describe, it } from 'vitest'

import { runHybrid } from './support/hybrid-guide.ts'

const [artemis, kafka] = await Promise.all([skipOrFail(startBroker('artemis')), skipOrFail(sharedBroker('kafka'))])

describe.skipIf(artemis === undefined || kafka === undefined)('the Kafka deployment guide', () => {
  it('its service.conf for RPC over AMQP 1.0 and notifications over Kafka works as it stands', async () => {
    await runHybrid('amqp', artemis?.url ?? '', kafka?.url ?? '')
    await artemis?.close()
  })
})
