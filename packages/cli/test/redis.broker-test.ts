import { randomUUID } from 'node:crypto'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { redisDriver } from 'oslo-messaging-driver-redis'
import { afterAll, describe, expect, it } from 'vitest'
import { buryAndRedrive } from './support/poison.ts'
import { sickPool } from './support/pool.ts'
import { osloMsg } from './support/program.ts'

const broker = await skipOrFail(startBroker('redis'))
afterAll(() => broker?.close())
const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`

describe.skipIf(broker === undefined)('oslo-msg on Redis', () => {
  it('redrive returns a dead letter to the group it failed in, once, and queues shows both', async () => {
    const topic = unique('meals')
    const { url } = broker!
    const stream = `oslo:notify:openstack:${topic}.info`
    const dead = `${stream}:dead`
    const letters = async (): Promise<string> => (await osloMsg(url, 'redrive', dead, '--dry-run')).stdout
    await buryAndRedrive({
      driver: redisDriver,
      onFailure: { attempts: 3, backoff: 50, then: 'dead-letter' },
      url,
      topic,
      maxAttempts: 3,
      isBuried: async () => (await letters()) === 'Would move 1 dead letter of 1\n',
      async redrive() {
        const { stdout } = await osloMsg(url, 'queues')
        expect(stdout).toMatch(new RegExp(`${stream} +0 +\\? +1`))
        expect(stdout).toMatch(new RegExp(`${dead} +1 +\\? +0 +dead letters`))
        const other = await osloMsg(url, 'redrive', `${topic}.info`)
        expect(other).toMatchObject({
          stdout: '',
          stderr: expect.stringContaining('oslo-msg queues names them') as string,
        })
        await expect(osloMsg(url, 'redrive', stream)).resolves.toEqual({
          code: 0,
          stdout: 'Moved 1 dead letter; 0 left\n',
          stderr: '',
        })
        await expect(osloMsg(url, 'redrive', dead)).resolves.toMatchObject({ stdout: 'Moved 0 dead letters; 0 left\n' })
      },
    })
  })

  it('a letter goes back to the pool that failed alone, and a pool nobody reads is an orphan until it is removed', async () => {
    const topic = unique('pool')
    const { url } = broker!
    const redrive = () => osloMsg(url, 'redrive', `oslo:notify:openstack:${topic}.info`)
    const { handled, whileRead, admin } = await sickPool({ driver: redisDriver, url, topic, redrive })
    expect(handled).toEqual({ healthy: ['one', 'two'], sick: ['one', 'two'] })
    expect(whileRead).toBe('The pool sick is being read: stop its listeners first')
    const orphans = await osloMsg(url, 'queues', '--orphans', '--fail')
    expect(orphans.code).toBe(3)
    expect(orphans.stdout).toMatch(/ pool:sick +0 +\? +0 +orphan: a pool nobody listens to/)
    expect(await admin.removePool('sick', { timeoutMs: 10_000 })).toBe(true)
    expect(await admin.removePool('sick', { timeoutMs: 10_000 })).toBe(false)
    expect(await admin.check({ timeoutMs: 10_000 })).toEqual({ product: 'Redis', version: broker!.version })
    await admin.close()
  })
})
