import type { RabbitControl } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { RabbitOptions } from '../../src/config.ts'
import { createRabbitDriver, rabbitDriver } from '../../src/index.ts'
import { openReal, unique } from './broker.ts'

/** What the suite needs of a broker: shared or its own. */
export interface BrokerUnderTest {
  readonly control: RabbitControl
  urlFor(options: { vhost: string; user?: string; password?: string }): string
}

/** The whole suite against one broker. `broker` is asked when the tests run. */
export function conformance(broker: () => BrokerUnderTest, options: Partial<RabbitOptions> = {}): void {
  const usual = unique('conformance')
  const other = unique('conformance-other')

  beforeAll(async () => {
    await broker().control.vhost(usual)
    await broker().control.vhost(other)
  })

  afterAll(async () => {
    await broker().control.deleteVhost(usual)
    await broker().control.deleteVhost(other)
  })

  runDriverConformance({
    describe,
    it,
    beforeAll,
    afterAll,
    capabilities: rabbitDriver.capabilities,
    createDriver: ({ vhost = usual }) => openReal(broker().urlFor({ vhost }), { options }),
    knobs: {
      timeScale: 2,
      vhosts: [usual, other],
      disconnect: async () => void (await broker().control.dropAllConnections({ vhost: usual })),
      async makeUnreadable({ exchange, topic, priority, text }) {
        const url = broker().urlFor({ vhost: usual }).replace('rabbit://', 'amqp://')
        const connection = await connect(url, { noDelay: true })
        const channel = await connection.createConfirmChannel()
        const key = priority === null ? topic : `${topic}.${priority}`
        channel.publish(exchange ?? 'openstack', key, Buffer.from(text), { contentType: 'application/json' })
        await channel.waitForConfirms()
        await connection.close()
      },
      secret: {
        definition: createRabbitDriver(),
        url: (password) => broker().urlFor({ vhost: usual, user: 'nobody', password }),
      },
    },
  })
}
