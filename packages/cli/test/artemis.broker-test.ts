import { randomUUID } from 'node:crypto'
import { type ArtemisBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { amqpDriver } from '@oslo-messaging/amqp'
import { afterAll, describe, expect, it } from 'vitest'
import { buryAndRedrive } from './support/poison.ts'
import { osloMsg } from './support/program.ts'

const broker = await skipOrFail(startBroker('artemis'))

describe.skipIf(broker === undefined)('oslo-msg on Artemis', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())
  redriveTests(broker)
})

function redriveTests(broker: ArtemisBroker): void {
  it('P09 - redrive returns a dead letter to its address, and the mended endpoint handles it', async () => {
    const topic = `meals-${randomUUID().slice(0, 8)}`
    const { url } = broker
    const address = `openstack.org/om/notify/anycast/openstack/${topic}.info`
    const redrive = async (...args: readonly string[]) => await osloMsg(url, 'redrive', ...args)
    await buryAndRedrive({
      driver: amqpDriver,
      onFailure: { attempts: 3, backoff: 50, then: 'dead-letter' },
      url,
      topic,
      maxAttempts: 3,
      isBuried: async () =>
        (await redrive(`${address}.dead`, '--dry-run')).stdout === 'Would move 1 dead letter of 1\n',
      async redrive() {
        await expect(redrive(address)).resolves.toEqual({
          code: 0,
          stdout: 'Moved 1 dead letter; 0 left\n',
          stderr: '',
        })
        await expect(redrive(`${address}.dead`)).resolves.toMatchObject({ stdout: 'Moved 0 dead letters; 0 left\n' })
      },
    })
  })
}
