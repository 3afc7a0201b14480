import { randomUUID } from 'node:crypto'
import { sharedBroker, type SharedKafka, skipOrFail } from '@oslo-messaging/brokers'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { describe, expect, it } from 'vitest'
import { doctor } from './support/doctor.ts'
import { buryAndRedrive } from './support/poison.ts'
import { osloMsg } from './support/program.ts'

const broker = await skipOrFail(sharedBroker('kafka'))

describe.skipIf(broker === undefined)('oslo-msg on Kafka', () => {
  if (broker === undefined) return
  redriveTests(broker)
})

function redriveTests(broker: SharedKafka): void {
  it('P09 - redrive returns a dead letter to its topic, once, and the mended endpoint handles it', async () => {
    const id = randomUUID().slice(0, 8)
    const [topic, dead] = [`meals-${id}`, `dead-${id}`]
    await broker.createTopics([dead])
    const options = `kafka_commit_mode=after&kafka_max_attempts=3&kafka_dead_letter_topic=${dead}&consumer_group=g-${id}`
    const url = `${broker.url.replace(/\/?$/, '/')}?${options}`
    const dryRun = async (...names: readonly string[]) => (await osloMsg(url, 'redrive', ...names, '--dry-run')).stdout
    await buryAndRedrive({
      driver: kafkaDriver,
      url,
      topic,
      maxAttempts: 3,
      isBuried: async () => (await dryRun(dead)) === 'Would move 1 dead letter of 1\n',
      async redrive() {
        await expect(dryRun('elsewhere')).resolves.toBe(
          'Would move 0 dead letters of 1\nSkipped 1: it did not come from elsewhere\n',
        )
        await expect(osloMsg(url, 'redrive', `${topic}.info`)).resolves.toEqual({
          code: 0,
          stdout: 'Moved 1 dead letter; 0 left\n',
          stderr: '',
        })
        await expect(osloMsg(url, 'redrive', dead)).resolves.toMatchObject({ stdout: 'Moved 0 dead letters; 0 left\n' })
      },
    })
  })

  it('queues - what each consumer group has left of a topic; one that nobody is a member of is an orphan', async () => {
    const id = randomUUID().slice(0, 8)
    const topic = `lag-${id}`
    const group = `readers-${id}`
    await broker.createTopics([`${topic}.info`])
    const url = `${broker.url.replace(/\/?$/, '/')}?consumer_group=${group}`
    const notify = async (): Promise<void> =>
      expect((await osloMsg(url, 'notify', 'e', '--topic', topic)).stderr).toBe('')
    const listening = osloMsg(url, 'listen', topic, '--priority', 'info', '--take', '--count', '1')
    const ended = listening.then(() => true)
    // A listener that has just joined may begin behind what was sent before.
    while (!(await Promise.race([ended, notify().then(() => false)])));
    expect((await listening).code).toBe(0)
    for (let index = 0; index < 3; index += 1) await notify()
    const { code, stdout, stderr } = await osloMsg(url, 'queues', '--orphans', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const rows = stdout.split('\n').filter((line) => line.includes(group))
    expect(rows).toHaveLength(1)
    const row = JSON.parse(rows[0] ?? '') as { readonly messages: number }
    expect(row).toMatchObject({ name: `${topic}.info (${group})`, consumers: 0, orphan: true })
    expect(row.messages).toBeGreaterThanOrEqual(3)
  })

  it('doctor - topics with one copy, and a broker that makes what is mistyped', async () => {
    const topic = `doctor-${randomUUID().slice(0, 8)}`
    await broker.createTopics([`${topic}.info`])
    const { code, found } = await doctor('memory://', {
      oslo_messaging_notifications: { topics: topic, transport_url: broker.url },
    })
    expect(found).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        check: 'min.insync.replicas',
        what: `${topic}.info has one copy`,
      }),
    )
    expect(found).toContainEqual(
      expect.objectContaining({
        severity: 'ok',
        check: 'clock',
        what: expect.stringMatching(
          /^The clocks of Kafka's controller and this machine are at most \d+ ms apart$/,
        ) as string,
      }),
    )
    expect(found.some(({ what }) => what.startsWith(`There is no topic ${topic}.audit, ${topic}.debug`))).toBe(true)
    expect(code).toBe(4)
  })

  it('a topic that is not there: one line, exit code 1', async () => {
    const missing = await osloMsg(broker.url, 'redrive', `nothing-${randomUUID().slice(0, 8)}`)
    expect(missing.code).toBe(1)
    expect(missing.stderr).toMatch(/^oslo-msg: There is no topic nothing-\w+: name the dead-letter topic.*\n$/)
  })
}
