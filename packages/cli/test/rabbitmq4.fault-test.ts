import { randomUUID } from 'node:crypto'
import { amqpDriver } from '@oslo-messaging/amqp'
import { type RabbitBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'
import { buryAndRedrive } from './support/poison.ts'
import { osloMsg } from './support/program.ts'

const broker = await skipOrFail(startBroker('rabbit', { version: '4.0' }))

describe.skipIf(broker === undefined)('oslo-msg on RabbitMQ 4 over AMQP 1.0', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())
  redriveTests(broker)
})

function redriveTests(broker: RabbitBroker): void {
  it('P09 - redrive takes the name of a queue, and returns its dead letter', async () => {
    const topic = `meals-${randomUUID().slice(0, 8)}`
    const url = broker.url.replace('rabbit://', 'amqp://')
    const queue = `unicast.openstack.${topic}.info`
    await buryAndRedrive({
      driver: amqpDriver,
      onFailure: { attempts: 3, backoff: 50, then: 'dead-letter' },
      url,
      topic,
      maxAttempts: 3,
      isBuried: async () => (await broker.control.queue(`${queue}.dead`))?.messages === 1,
      async redrive() {
        await expect(osloMsg(url, 'redrive', queue)).resolves.toEqual({
          code: 0,
          stdout: 'Moved 1 dead letter; 0 left\n',
          stderr: '',
        })
      },
    })
  })
}
