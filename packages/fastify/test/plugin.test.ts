import { getMessaging, MessagingTimeout, ValueError } from '@oslo-messaging/core'
import {
  createFaults,
  createMemoryDriver,
  createRecorder,
  type Faults,
  type Recorder,
} from '@oslo-messaging/core/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpError, messagingPlugin } from '../src/index.ts'

interface Stock {
  reserve(args: { count: number }): { left: number }
  slow(): string
}

let app: FastifyInstance
let recorder: Recorder
let faults: Faults
let begun: Promise<void>
let finish: () => void

beforeEach(async () => {
  recorder = createRecorder()
  faults = createFaults()
  const driver = createMemoryDriver({ recorder, faults })
  const messaging = { url: 'memory://', registry: { resolve: async () => driver } }
  app = Fastify()
  await app.register(messagingPlugin, { messaging, errorHandler: true })
  let begin = (): void => {}
  begun = new Promise((resolve) => (begin = resolve))
  const finished = new Promise<void>((resolve) => (finish = resolve))
  app.messaging.server<Stock>(
    { topic: 'stock', server: 'one' },
    {
      reserve: (_context, { count }) => {
        if (count > 10) throw new ValueError('only 10')
        return { left: 10 - count }
      },
      slow: async () => {
        begin()
        await finished
        return 'done'
      },
    },
  )
  const client = app.messaging.client<Stock>({ topic: 'stock' })
  app.get<{ Params: { count: string } }>('/reserve/:count', async ({ params }) =>
    client.call(null, 'reserve', { count: Number(params.count) }, { timeoutMs: 100 }),
  )
  app.get('/slow', async () => ({ answer: await client.call(null, 'slow') }))
  app.get('/unknown', async () => await app.messaging.client({ topic: 'stock' }).call(null, 'nothing'))
})
afterEach(async () => await app.close())

describe('the plugin', () => {
  it('starts the servers before the first request', async () => {
    expect((await app.inject('/reserve/3')).json()).toEqual({ left: 7 })
    expect(app.messaging.health()).toMatchObject({ status: 'ok', ready: true })
  })

  it('answers an error of messaging with its code, phase and delivery', async () => {
    await app.ready()
    faults.dropReply()
    const response = await app.inject('/reserve/3')
    expect(response.statusCode).toBe(504)
    expect(response.json()).toMatchObject({
      error: 'MessagingTimeout',
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
      delivery: 'confirmed',
      retryable: true,
    })
    expect((await app.inject('/unknown')).statusCode).toBe(501)
  })

  it("leaves other errors to Fastify, those of Python's that a method raised included", async () => {
    const response = await app.inject('/reserve/11')
    expect(response.json()).toMatchObject({ statusCode: 500, message: 'only 10' })
  })

  it('ends in order: requests over HTTP, then what was taken, then the buses', async () => {
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const request = fetch(`${address}/slow`)
    await begun
    const closing = app.close()
    finish()
    expect(await (await request).json()).toEqual({ answer: 'done' })
    await closing
    expect(app.messaging.health().status).toBe('closed')
    expect(recorder.ofType('reply')).toHaveLength(1)
  })

  it('takes buses that were made elsewhere, and ends them', async () => {
    const messaging = await getMessaging({ url: 'memory://elsewhere' })
    const other = Fastify()
    await other.register(messagingPlugin, { messaging })
    expect(other.messaging).toBe(messaging)
    await other.close()
    expect(messaging.health().status).toBe('closed')
  })

  it('does not start when its buses cannot be opened', async () => {
    const other = Fastify()
    await expect(other.register(messagingPlugin, { messaging: { url: 'nothing://' } })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER_LOAD',
    })
  })
})

it('httpError is for errors of messaging alone', () => {
  expect(httpError(new Error('x'))).toBeUndefined()
  expect(httpError(new MessagingTimeout('late'))).toMatchObject({ statusCode: 504, message: 'late' })
})
