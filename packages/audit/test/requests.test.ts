import { once } from 'node:events'
import { createServer, type IncomingMessage, request as send, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readCadfEvent } from '@oslo-messaging/cadf'
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
import {
  type AuditNotifierOptions,
  AuditNotifier,
  auditRequests,
  keystoneIdentity,
  parseAuditMap,
} from '../src/index.ts'
import vectors from './vectors/requests.json' with { type: 'json' }

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

const LIKE_PYTHON: AuditNotifierOptions = {
  map: parseAuditMap(vectors.map),
  identify: keystoneIdentity,
  address: () => '192.0.2.7',
}

/** Answers with the status that the request asks for, or ends the connection without an answer. */
function answer(request: IncomingMessage, end: (status: number) => void): void {
  const status = request.headers['x-answer']
  if (status === 'none') request.socket.destroy()
  else end(Number(status))
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

/** Express 5 with the middleware. */
async function expressApp(options?: AuditNotifierOptions): Promise<number> {
  const app = express()
  app.use(express.json())
  app.use(new AuditNotifier(messaging, options).handle)
  app.use((request, response) => answer(request, (status) => void response.status(status).end()))
  return await listening(createServer(app))
}

/** Fastify 5 with the hooks. */
async function fastifyApp(options?: AuditNotifierOptions): Promise<number> {
  const app = Fastify({ exposeHeadRoutes: false })
  auditRequests(app, messaging, options)
  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
    url: '*',
    handler: (request, reply) => answer(request.raw, (status) => void reply.status(status).send()),
  })
  ends.push(async () => await app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly status: number | null
}

/** Sends a request; resolves when it has been answered, or has not. */
async function ask(port: number, { method, url, headers, body, status }: Asked): Promise<void> {
  const text = body === null || body === undefined ? undefined : JSON.stringify(body)
  const request = send({
    port,
    method,
    path: url,
    agent: false,
    headers: {
      ...headers,
      'x-answer': String(status ?? 'none'),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(text.length) }),
    },
  })
  await new Promise<void>((resolve) => {
    request.once('response', (response) => response.resume().once('end', resolve)).once('error', () => resolve())
    request.end(text)
  })
}

interface Sent {
  readonly event_type: string
  readonly payload: Readonly<Record<string, unknown>>
}

async function sent(count: number): Promise<Sent[]> {
  await recorder.waitFor(() => recorder.notifications().length >= count)
  return recorder.notifications().map(({ message }) => ({
    event_type: String(message.event_type),
    payload: message.payload as Sent['payload'],
  }))
}

/** What is new each time, replaced by a word, as in the vectors. */
function normalized({ event_type, payload }: Sent): Sent {
  const { tags, reporterchain, ...rest } = readCadfEvent(payload)
  return {
    event_type,
    payload: {
      ...rest,
      id: '<id>',
      eventTime: '<eventTime>',
      tags: tags?.map((tag) => tag.replace(/=.*/, '=<uuid>')),
      ...(reporterchain && { reporterchain: reporterchain.map((step) => ({ ...step, reporterTime: '<time>' })) }),
    },
  }
}

describe.each([
  ['Express 5', expressApp],
  ['Fastify 5', fastifyApp],
])('%s', (_name, start) => {
  it.each(vectors.requests)('is audited as keystonemiddleware 13.0.1 does: $name', async (vector) => {
    await ask(await start(LIKE_PYTHON), vector)
    expect((await sent(2)).map(normalized)).toEqual(vector.sent)
  })

  it('tells of one event twice, first pending', async () => {
    await ask(await start(), { method: 'GET', url: '/', headers: {}, status: 200 })
    const [first, second] = await sent(2)
    expect(second?.payload['id']).toBe(first?.payload['id'])
    expect(second?.payload['tags']).toEqual(first?.payload['tags'])
    expect([first?.payload['outcome'], second?.payload['outcome']]).toEqual(['pending', 'success'])
  })

  it('believes no header about who asks unless told to', async () => {
    const headers = { 'x-user-id': 'forged', 'x-forwarded-for': '198.51.100.1' }
    await ask(await start(), { method: 'GET', url: '/', headers, status: 200 })
    const [first] = await sent(1)
    expect(first?.payload['initiator']).toMatchObject({
      id: 'unknown',
      host: { address: expect.stringContaining('127.0.0.1') },
    })
  })

  it('leaves out methods, and takes a target and a context of the application', async () => {
    const port = await start({
      publisherId: 'api.one',
      ignoreMethods: ['get'],
      target: () => ({ id: 'shop', typeURI: 'service/shop' }),
      context: () => ({ request_id: 'req-1' }),
    })
    await ask(port, { method: 'GET', url: '/', headers: {}, status: 200 })
    await ask(port, { method: 'PUT', url: '/orders/7', headers: {}, status: 409 })
    const [first, second] = await sent(2)
    expect(first?.payload['target']).toEqual({ id: 'shop', typeURI: 'service/shop' })
    expect(second?.payload).toMatchObject({ outcome: 'failure', reason: { reasonCode: '409' } })
    expect(recorder.notifications()).toHaveLength(2)
    expect(recorder.notifications()[0]).toMatchObject({
      context: { request_id: 'req-1' },
      message: { publisher_id: 'api.one', priority: 'INFO' },
    })
  })

  it('what goes wrong is logged, and the request is served', async () => {
    const identify = (): never => {
      throw new Error('no identity')
    }
    const port = await start({ identify })
    await ask(port, { method: 'GET', url: '/', headers: {}, status: 200 })
    faults.refusePublish()
    expect(logged.join()).toContain('The notification audit.http.request could not be sent: Error: no identity')
  })

  it('a catalog that cannot be read and an empty id cost the event its target and initiator, and nothing else', async () => {
    const headers = { 'x-user-id': '', 'x-user-name': 'ada', 'x-service-catalog': '{"not": ' }
    await ask(await start(LIKE_PYTHON), { method: 'GET', url: '/', headers, status: 200 })
    const [first] = await sent(1)
    expect(first?.payload).toMatchObject({ initiator: { id: 'unknown', name: 'ada' }, target: { id: 'unknown' } })
  })
})

it('Fastify: a request that is refused before its body is read has its response alone', async () => {
  const app = Fastify()
  auditRequests(app, messaging)
  app.addHook('onRequest', async (_request, reply) => await reply.status(401).send())
  app.get('/', async () => 'never')
  ends.push(async () => await app.close())
  expect((await app.inject('/')).statusCode).toBe(401)
  expect((await sent(1)).map(({ event_type: event, payload }) => [event, payload['outcome']])).toEqual([
    ['audit.http.response', 'failure'],
  ])
})
