import { describe, expect, it } from 'vitest'

import { sharedBroker, skipOrFail } from '../src/index.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))

// A broker that somebody else runs gives no virtual hosts of one's own.
describe.skipIf(rabbit === undefined || rabbit.source === 'environment')('the shared RabbitMQ', () => {
  it('gives every test a virtual host of its own, reachable by its URL and levers', async () => {
    const [one, other] = await Promise.all([rabbit?.vhost(), rabbit?.vhost()])
    expect(one).not.toBe(other)
    expect(one).toMatch(/^rabbit:\/\/.*:\d+\/t-/)
    await expect(rabbit?.control.eval('1 + 1')).resolves.toBe('2')
  })
})

describe.skipIf(kafka === undefined)('the shared Kafka', () => {
  it('makes topics that have leaders when the promise resolves, and does not mind those that exist', async () => {
    const topic = `room-${process.pid}-${Date.now()}`
    await kafka?.createTopics([topic])
    await kafka?.createTopics([topic, `${topic}-2`])
    await expect(kafka?.createTopics(['not/allowed'])).rejects.toThrow('not/allowed (error 17)')
  })
})
