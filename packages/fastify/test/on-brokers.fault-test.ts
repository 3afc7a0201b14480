import { randomUUID } from 'node:crypto'
import { type SharedKafka, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { messagingPlugin } from '../src/index.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka: SharedKafka | undefined = await skipOrFail(sharedBroker('kafka'))
const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver], discover: false })

describe.skipIf(rabbit === undefined || kafka === undefined)('a Fastify service on brokers', () => {
  it.each([
    ['rabbit', () => rabbit?.url ?? ''],
    ['kafka', () => kafka?.url ?? ''],
  ])('calls over RabbitMQ, notifies over %s, and drains when it closes', async (_name, notifyUrl) => {
    const topic = `fastify-${randomUUID().slice(0, 8)}`
    const app = Fastify()
    await app.register(messagingPlugin, { messaging: { url: rabbit?.url ?? '', notifyUrl: notifyUrl(), registry } })
    app.messaging.server(
      { topic, server: 'one' },
      { add: (_context: object, { a, b }: { a: number; b: number }) => a + b },
    )
    const heard = new Promise((resolve) => {
      app.messaging.listener(
        [{ topic: `${topic}-events` }],
        [{ info: (_context, _publisher, event, payload) => resolve([event, payload]) }],
        { pool: `${topic}-pool` },
      )
    })
    const client = app.messaging.client({ topic })
    const notifier = app.messaging.notifier({ driver: 'messagingv2', topics: [`${topic}-events`] })
    app.get('/add', async () => {
      const sum = await client.call(null, 'add', { a: 1, b: 2 })
      await notifier.info(null, 'added', { sum })
      return { sum }
    })
    await app.ready()
    await app.messaging.ready()
    expect((await app.inject('/add')).json()).toEqual({ sum: 3 })
    expect(await heard).toEqual(['added', { sum: 3 }])
    await app.close()
    expect(app.messaging.health().status).toBe('closed')
  })
})
