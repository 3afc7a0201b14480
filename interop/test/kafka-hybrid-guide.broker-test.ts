import { sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, it } from 'vitest'

import { runHybrid } from './support/hybrid-guide.ts'

const [rabbit, artemis, kafka] = await Promise.all([
  skipOrFail(sharedBroker('rabbit')),
  skipOrFail(startBroker('artemis')),
  skipOrFail(sharedBroker('kafka')),
])

describe('the Kafka deployment guide, its service.conf works as it stands', () => {
  afterAll(async () => {
    await artemis?.close()
  })

  it.skipIf(rabbit === undefined || kafka === undefined)(
    'for RPC over RabbitMQ and notifications over Kafka',
    async () => {
      // In a virtual host of its own: the guide's exchange is durable, and that of other tests may not be.
      await runHybrid('rabbit', (await rabbit?.vhost()) ?? '', kafka?.url ?? '')
    },
  )

  it.skipIf(artemis === undefined || kafka === undefined)(
    'for RPC over AMQP 1.0 and notifications over Kafka',
    async () => {
      await runHybrid('amqp', artemis?.url ?? '', kafka?.url ?? '')
    },
  )
})
