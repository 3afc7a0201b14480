import type { RabbitBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RabbitOptions } from '../src/config.ts'
import { createRabbitDriver, rabbitDriver } from '../src/index.ts'
import { openReal } from './support/broker.ts'
import {
  DURABLE_PROFILE,
  deprecatedFeaturesInUse,
  QUORUM_PROFILE,
  WITHOUT_TRANSIENT_QUEUES,
} from './support/deprecated.ts'
import { ownRabbit, VERSIONS } from './support/own-broker.ts'

interface Variant {
  readonly version: string
  readonly profile: string
  readonly options: Partial<RabbitOptions>
  readonly config: Readonly<Record<string, string>>
}

/** Stock configuration with the defaults of oslo, and the strictest configuration with each profile made for it. */
const VARIANTS: readonly Variant[] = VERSIONS.flatMap((version) => {
  const is4 = version.startsWith('4')
  const config = is4 ? WITHOUT_TRANSIENT_QUEUES : {}
  return [
    // RabbitMQ 3.10 with the defaults is the everyday run.
    ...(is4 ? [{ version, profile: 'default', options: {}, config: {} }] : []),
    { version, profile: 'durable', options: DURABLE_PROFILE, config },
    ...(version === VERSIONS.at(-1) ? [{ version, profile: 'quorum', options: QUORUM_PROFILE, config }] : []),
  ]
})

for (const { version, profile, options, config } of VARIANTS) {
  describe(`P04 - RabbitMQ ${version}, ${profile} profile${'deprecated_features.permit.transient_nonexcl_queues' in config ? ', transient queues refused' : ''}`, () => {
    let broker: RabbitBroker | undefined
    const the = (): RabbitBroker => {
      if (broker === undefined) throw new Error(`RabbitMQ ${version} did not start`)
      return broker
    }

    beforeAll(async () => {
      broker = await ownRabbit({ version, config })
      await broker?.vhost('usual')
      await broker?.vhost('other')
    })

    afterAll(async () => await broker?.close())

    runDriverConformance({
      describe,
      it,
      beforeAll,
      afterAll,
      capabilities: rabbitDriver.capabilities,
      createDriver: ({ vhost = 'usual' }) => openReal(the().urlFor({ vhost }), { options }),
      knobs: {
        timeScale: 2,
        vhosts: ['usual', 'other'],
        disconnect: async () => void (await the().control.dropAllConnections({ vhost: 'usual' })),
        async makeUnreadable({ exchange, topic, priority, text }) {
          const connection = await connect(the().urlFor({ vhost: 'usual' }).replace('rabbit://', 'amqp://'), {
            noDelay: true,
          })
          const channel = await connection.createConfirmChannel()
          const key = priority === null ? topic : `${topic}.${priority}`
          channel.publish(exchange ?? 'openstack', key, Buffer.from(text), { contentType: 'application/json' })
          await channel.waitForConfirms()
          await connection.close()
        },
        secret: {
          definition: createRabbitDriver(),
          url: (password) => the().urlFor({ vhost: 'usual', user: 'nobody', password }),
        },
      },
    })

    // RabbitMQ 3.10 keeps no list of them.
    if (!version.startsWith('4')) return
    it('P04 - deprecated features in use after the whole suite', async () => {
      const used = await deprecatedFeaturesInUse(the().control)
      // With the defaults the list is not empty: it would notice.
      expect(used).toEqual(profile === 'default' ? ['transient_nonexcl_queues'] : [])
    })
  })
}
