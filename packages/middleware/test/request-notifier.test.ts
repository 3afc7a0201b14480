import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getMessaging, type Messaging } from '@oslo-messaging/core'
import {
  createFaults,
  createMemoryDriver,
  createRecorder,
  type Faults,
  type Recorder,
} from '@oslo-messaging/core/testing'
import express from 'express'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestNotifications, RequestNotifier, type RequestNotifierOptions } from '../src/index.ts'

let recorder: Recorder
let faults: Faults
let messaging: Messaging
const logged: string[] = []
const ends: (() => unknown)[] = []

beforeEach(async () => {
  recorder = createRecorder()
  faults = createFaults()
  logged.length = 0
  const driver = createMemoryDriver({ recorder, faults })
  const silent = (): void => {}
  messaging = await getMessaging({
    url: 'memory://',
    registry: { resolve: async () => driver },
    overrides: { oslo_messaging_notifications: { driver: ['messagingv2'], retry: 0 } },
    logger: { debug: silent, info: silent, warn: silent, error: (text) => void logged.push(text) },
  })
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await messaging.drain()
})

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Express 5 with the middleware. */
async function expressApp(options?: RequestNotifierOptions): Promise<string> {
  const notifier = new RequestNotifier(messaging, options)
  const app = express()
  app.use(notifier.handle)
  app.get('/ok', (_request, response) => void response.set('set-cookie', 'secret').send('fine'))
  app.get('/fail', () => {
    throw new Error('disk full')
  })
  app.use(notifier.handleError)
  app.use((_error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(500).send('sorry')
  })
  return await listening(createServer(app))
}

/** Fastify 5 with the hooks. */
async function fastifyApp(options?: RequestNotifierOptions): Promise<string> {
  const app = Fastify()
  requestNotifications(app, messaging, options)
  app.get('/ok', async (_request, reply) => await reply.header('set-cookie', 'secret').send('fine'))
  app.get('/fail', async () => {
    throw new Error('disk full')
  })
  ends.push(async () => await app.close())
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

interface Payload {
  readonly request: Readonly<Record<string, string>>
  readonly response?: { readonly status: string; readonly headers: Readonly<Record<string, string>> }
  readonly exception?: { readonly value: string; readonly traceback: readonly string[] }
}

async function sent(count: number): Promise<{ event: string; publisher: string; payload: Payload }[]> {
  await recorder.waitFor(() => recorder.notifications().length >= count)
  return recorder.notifications().map(({ message }) => ({
    event: String(message.event_type),
    publisher: String(message.publisher_id),
    payload: message.payload as Payload,
  }))
}

describe.each([
  ['Express 5', expressApp],
  ['Fastify 5', fastifyApp],
])('%s', (_name, start) => {
  it('M1 RequestNotifier - http.request before and http.response after, methods can be left out', async () => {
    const url = await start({ publisherId: 'web.one', ignoreMethods: ['options', 'Head'] })
    await fetch(`${url}/ok`, { method: 'HEAD' })
    await fetch(`${url}/ok?a=1&b=2`)
    const all = await sent(2)
    expect(all.map(({ event, publisher }) => [event, publisher])).toEqual([
      ['http.request', 'web.one'],
      ['http.response', 'web.one'],
    ])
    expect(recorder.notifications().map(({ message }) => message.priority)).toEqual(['INFO', 'INFO'])
  })

  it('M2 payload - the request in the words of CGI, status and headers; no secret of either', async () => {
    const url = await start({ serviceName: 'shop' })
    const headers = {
      'x-auth-token': 'secret',
      authorization: 'secret',
      'user-agent': 'me',
      'x-service-name': 'forged',
    }
    await fetch(`${url}/ok?a=1&b=2`, { headers })
    const [request, response] = await sent(2)
    expect(request?.payload.request).toMatchObject({
      REQUEST_METHOD: 'GET',
      PATH_INFO: '/ok',
      QUERY_STRING: 'a=1&b=2',
      REMOTE_ADDR: expect.stringContaining('127.0.0.1'),
      HTTP_USER_AGENT: 'me',
      HTTP_X_SERVICE_NAME: 'shop',
    })
    expect(response?.payload.response).toMatchObject({ status: '200 OK', headers: { 'content-length': '4' } })
    expect(JSON.stringify([request, response])).not.toContain('secret')
  })

  it('M2 payload - the exception of a request that failed, which goes on', async () => {
    const url = await start()
    expect((await fetch(`${url}/fail`)).status).toBe(500)
    const [, response] = await sent(2)
    expect(response?.payload).toMatchObject({
      response: { status: '500 Internal Server Error' },
      exception: { value: 'Error: disk full' },
    })
    expect(response?.payload.exception?.traceback[0]).toContain('at ')
  })

  it('M3 errors while notifying - are logged, and the request is served', async () => {
    const url = await start()
    faults.refusePublish()
    expect(await (await fetch(`${url}/ok`)).text()).toBe('fine')
    await sent(1)
    expect(logged.join()).toContain('The notification http.request could not be sent')
  })
})
