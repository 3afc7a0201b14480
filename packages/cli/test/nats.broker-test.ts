import { randomUUID } from 'node:crypto'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { natsDriver } from 'oslo-messaging-driver-nats'
import { afterAll, describe, expect, it } from 'vitest'
import { buryAndRedrive } from './support/poison.ts'
import { sickPool } from './support/pool.ts'
import { osloMsg } from './support/program.ts'

const broker = await skipOrFail(startBroker('nats'))
afterAll(() => broker?.close())
const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`

describe.skipIf(broker === undefined)('oslo-msg on NATS', () => {
  it('redrive returns a dead letter to the consumer it failed in, once, and queues shows both', async () => {
    const topic = unique('meals')
    const url = broker!.urlFor({ vhost: topic })
    const root = `oslo.${topic}`
    const dead = `${root}.dead.openstack.${topic}=2Einfo`
    const letters = async (): Promise<string> => (await osloMsg(url, 'redrive', dead, '--dry-run')).stdout
    await buryAndRedrive({
      driver: natsDriver,
      onFailure: { attempts: 3, backoff: 50, then: 'dead-letter' },
      url,
      topic,
      maxAttempts: 3,
      isBuried: async () => (await letters()) === 'Would move 1 dead letter of 1\n',
      async redrive() {
        const { stdout } = await osloMsg(url, 'queues')
        expect(stdout).toMatch(new RegExp(`openstack~${topic}=2Einfo +0 +\\? +1`))
        expect(stdout).toMatch(new RegExp(`${root}\\.dead\\.openstack\\.${topic}=2Einfo +1 +\\? +0 +dead letters`))
        await expect(osloMsg(url, 'redrive', `openstack~${topic}=2Einfo`)).resolves.toEqual({
          code: 0,
          stdout: 'Moved 1 dead letter; 0 left\n',
          stderr: '',
        })
        await expect(osloMsg(url, 'redrive', dead)).resolves.toMatchObject({ stdout: 'Moved 0 dead letters; 0 left\n' })
      },
    })
  })

  it('redrive returns the letters of every topic, each to its own, and refuses a name of nothing here', async () => {
    const topic = unique('every')
    const url = broker!.urlFor({ vhost: topic })
    const every = `oslo.${topic}.dead.>`
    await buryAndRedrive({
      driver: natsDriver,
      onFailure: { attempts: 1, then: 'dead-letter' },
      url,
      topic,
      maxAttempts: 1,
      isBuried: async () =>
        (await osloMsg(url, 'redrive', every, '--dry-run')).stdout === 'Would move 1 dead letter of 1\n',
      async redrive() {
        const other = await osloMsg(url, 'redrive', `${topic}.info`)
        expect(other).toMatchObject({
          stdout: '',
          stderr: expect.stringContaining('oslo-msg queues names them') as string,
        })
        await expect(osloMsg(url, 'redrive', every)).resolves.toMatchObject({ stdout: 'Moved 1 dead letter; 0 left\n' })
      },
    })
  })

  it('a letter goes back to the pool that failed alone, and a pool nobody reads is an orphan until it is removed', async () => {
    const topic = unique('pool')
    const url = broker!.urlFor({ vhost: topic })
    const redrive = () => osloMsg(url, 'redrive', `openstack~${topic}=2Einfo~pool~sick`)
    const { handled, whileRead, admin } = await sickPool({ driver: natsDriver, url, topic, redrive })
    expect(handled).toEqual({ healthy: ['one', 'two'], sick: ['one', 'two'] })
    expect(whileRead).toBe('The pool sick is being read: stop its listeners first')
    const orphans = await osloMsg(url, 'queues', '--orphans', '--fail')
    expect(orphans.code).toBe(3)
    expect(orphans.stdout).toMatch(/~pool~sick +0 +\? +0 +orphan: a pool nobody listens to/)
    expect(await admin.removePool('sick', { timeoutMs: 10_000 })).toBe(true)
    expect(await admin.removePool('sick', { timeoutMs: 10_000 })).toBe(false)
    expect(await admin.check({ timeoutMs: 10_000 })).toEqual({ product: 'NATS', version: broker!.version })
    await admin.close()
  })
})
