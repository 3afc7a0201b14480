import { randomUUID } from 'node:crypto'
import { type SharedKafka, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, getMessaging, ValueError } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { messagingPlugin } from '../src/index.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka: SharedKafka | undefined = await skipOrFail(sharedBroker('kafka'))
const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver], discover: false })
const WORKING = 20
const MORE = 10

interface Work {
  slow(args: { number: number }): number
  fail(args: { as: string }): null
  remaining(): number | null
  who(): unknown
}

interface Place {
  readonly topic: string
  readonly url: string
  readonly notifyUrl: string
}

/** What the handlers of both applications have had to do with. */
class Tally {
  readonly calls: number[] = []
  readonly notifications: number[] = []
  readonly begun: ('call' | 'notification')[] = []
  finish = (): void => {}
  readonly finished = new Promise<void>((resolve) => (this.finish = resolve))
}

async function open({ topic, url, notifyUrl }: Place, server: string, tally: Tally): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(messagingPlugin, { messaging: { url, notifyUrl, registry }, errorHandler: true })
  app.messaging.server<Work>(
    { topic, server },
    {
      async slow(_context, { number }) {
        tally.begun.push('call')
        await tally.finished
        tally.calls.push(number)
        return number
      },
      fail(_context, { as }) {
        throw as === 'value' ? new ValueError('wrong') : Object.assign(new Error('disk full'), { code: 'ENOSPC' })
      },
      remaining: (_context, _args, call) => call.remainingMs,
      who: (context) => (context as { user?: string }).user ?? null,
    },
    { workers: WORKING },
  )
  app.messaging.listener(
    [{ topic: `${topic}-events` }],
    [
      {
        async info(_context, _publisher, _event, payload) {
          tally.begun.push('notification')
          await tally.finished
          tally.notifications.push((payload as { number: number }).number)
        },
      },
    ],
    { pool: `${topic}-pool`, workers: WORKING },
  )
  await app.ready()
  await app.messaging.ready()
  return app
}

describe.skipIf(rabbit === undefined || kafka === undefined)('a Fastify service on brokers', () => {
  const place = (notifyUrl: string | undefined): Place => ({
    topic: `fastify-${randomUUID().slice(0, 8)}`,
    url: rabbit?.url ?? '',
    notifyUrl: notifyUrl ?? '',
  })

  it.each([
    ['rabbit', () => rabbit?.url],
    ['kafka', () => kafka?.url],
  ])(
    'closed while 20 calls and notifications over %s are handled: all are done first, once',
    async (_name, notifyUrl) => {
      const where = place(notifyUrl())
      const tally = new Tally()
      const app = await open(where, 'one', tally)
      const outside = await getMessaging({ url: where.url, notifyUrl: where.notifyUrl, registry })
      const client = outside.client<Work>({ topic: where.topic })
      const notifier = outside.notifier({ driver: 'messagingv2', topics: [`${where.topic}-events`] })
      const numbers = Array.from({ length: WORKING }, (_each, index) => index)
      await Promise.all(numbers.map(async (number) => await notifier.info(null, 'event', { number })))
      const calls = numbers.map(async (number) => await client.call(null, 'slow', { number }, { timeoutMs: 60_000 }))
      const begun = (what: string): number => tally.begun.filter((each) => each === what).length
      // Kafka gives a listener the records of one partition one at a time.
      await expect.poll(() => begun('call'), { timeout: 30_000 }).toBe(WORKING)
      await expect.poll(() => begun('notification'), { timeout: 30_000 }).toBeGreaterThan(0)

      const closing = app.close()
      const later = Array.from({ length: MORE }, (_each, index) => WORKING + index)
      const callsOfLater = later.map(
        async (number) => await client.call(null, 'slow', { number }, { timeoutMs: 60_000 }),
      )
      tally.finish()
      await closing
      expect(await Promise.all(calls)).toEqual(numbers)
      expect(app.messaging.health().status).toBe('closed')

      // What was not taken waits for the next.
      const next = await open(where, 'two', tally)
      expect(await Promise.all(callsOfLater)).toEqual(later)
      await expect.poll(() => tally.notifications.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(WORKING)
      await next.close()
      await outside.drain()
      const sorted = (all: readonly number[]): number[] => all.toSorted((one, other) => one - other)
      expect(sorted(tally.calls)).toEqual([...numbers, ...later])
      expect(sorted(tally.notifications)).toEqual(numbers)
    },
  )

  it('errors, contexts and deadlines, as a server and as a client', async () => {
    const where = place(rabbit?.url)
    const tally = new Tally()
    const [serving, calling] = [await open(where, 'one', tally), Fastify()]
    await calling.register(messagingPlugin, {
      messaging: { url: where.url, notifications: false, registry },
      errorHandler: true,
    })
    const client = calling.messaging.client<Work>({ topic: where.topic })
    calling.get('/who', async () => await client.call({ user: 'ada' }, 'who'))
    calling.get('/value', async () => await client.call(null, 'fail', { as: 'value' }))
    calling.get('/code', async () => {
      const error: unknown = await client.call(null, 'fail', { as: 'code' }).catch((failure: unknown) => failure)
      return { code: (error as { code?: string }).code }
    })
    calling.get('/remaining', async () => await client.call(null, 'remaining', {}, { timeoutMs: 5000 }))
    calling.get('/late', async () => await client.call(null, 'slow', { number: 0 }, { timeoutMs: 300 }))
    const nobody = calling.messaging.client({ topic: `${where.topic}-nobody` })
    calling.get('/nobody', async () => await nobody.call(null, 'x', {}, { timeoutMs: 300 }))
    expect((await calling.inject('/who')).body).toBe('ada')
    expect((await calling.inject('/value')).json()).toMatchObject({ statusCode: 500, message: 'wrong' })
    expect((await calling.inject('/code')).json()).toEqual({ code: 'ENOSPC' })
    const left = Number((await calling.inject('/remaining')).body)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(5000)
    const timeout = { code: 'OSLO_MESSAGING_TIMEOUT', statusCode: 504 }
    expect((await calling.inject('/late')).json()).toMatchObject({ ...timeout, phase: 'reply', delivery: 'confirmed' })
    expect((await calling.inject('/nobody')).json()).toMatchObject({ ...timeout, delivery: 'not-sent' })
    tally.finish()
    await calling.close()
    await serving.close()
  })
})
