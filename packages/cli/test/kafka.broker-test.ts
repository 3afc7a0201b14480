import { randomUUID } from 'node:crypto'
import { sharedBroker, type SharedKafka, skipOrFail } from '@oslo-messaging/brokers'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { describe, expect, it } from 'vitest'
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

  it('a topic that is not there, and a command Kafka has not: one line, exit code 1', async () => {
    const missing = await osloMsg(broker.url, 'redrive', `nothing-${randomUUID().slice(0, 8)}`)
    expect(missing.code).toBe(1)
    expect(missing.stderr).toMatch(/^oslo-msg: There is no topic nothing-\w+: name the dead-letter topic.*\n$/)
    await expect(osloMsg(broker.url, 'queues')).resolves.toEqual({
      code: 1,
      stdout: '',
      stderr: 'oslo-msg: The kafka driver has no queues; it offers redrive\n',
    })
  })
}
