import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { auditRequests, keystoneIdentity } from '@oslo-messaging/audit'
import { pythonNova, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { type CadfEvent, createCadfEvent, readCadfEvent } from '@oslo-messaging/cadf'
import { createDriverRegistry, getMessaging } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import Fastify from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'
import { Inbox } from '../test/support/inbox.ts'

// The environment of nova has pyCADF and keystonemiddleware, because nova needs them.
const programs = await skipOrFail(pythonNova())
const broker = await skipOrFail(startBroker('rabbit'))
afterAll(() => broker?.close())

const PEER = fileURLToPath(new URL('../peers/audit.py', import.meta.url))

interface Printed {
  readonly event: string
  readonly [field: string]: unknown
}

describe.skipIf(programs === undefined || broker === undefined)('the real pyCADF and keystonemiddleware', () => {
  it('take our audit events for valid and the same, and theirs are read here', async () => {
    const url = broker?.url ?? ''
    const messaging = await getMessaging({
      url,
      rpc: false,
      registry: createDriverRegistry({ drivers: [rabbitDriver], discover: false }),
      overrides: { oslo_messaging_notifications: { driver: ['messagingv2'], topics: ['ours'] } },
    })
    const theirs = new Inbox<{ readonly event: string | null; readonly payload: CadfEvent }>()
    messaging.listener(
      [{ topic: 'theirs' }],
      [{ info: (_context, _publisher, event, payload) => theirs.add({ event, payload: readCadfEvent(payload) }) }],
    )
    await messaging.start()
    const peer = spawn(path.join(programs ?? '', 'python'), ['-u', PEER, url, 'ours', 'theirs'])
    let errors = ''
    peer.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const printed = new Inbox<Printed>()
    createInterface({ input: peer.stdout }).on('line', (line) => printed.add(JSON.parse(line) as Printed))
    try {
      await printed.atLeast(1, undefined, 60_000)

      // A request of Fastify, and an event with a part of every class.
      const app = Fastify()
      auditRequests(app, messaging, { identify: keystoneIdentity })
      app.post('/v1/orders', async (_request, reply) => await reply.status(201).send())
      const headers = { 'x-user-id': 'ada', 'x-auth-token': 'y'.repeat(180) }
      const address = await app.listen({ port: 0, host: '127.0.0.1' })
      await fetch(`${address}/v1/orders`, { method: 'POST', headers })
      await app.close()
      const event = createCadfEvent({
        eventType: 'monitor',
        action: 'monitor',
        outcome: 'success',
        severity: 'low',
        name: 'all of it',
        initiator: {
          id: 'ada',
          domain: 'default',
          host: { id: 'h', platform: 'linux' },
          credential: { token: 'z'.repeat(30), type: 'token' },
          geolocation: { city: 'Vienna', latitude: '48.2' },
          attachments: [{ typeURI: 'text/plain', content: 'note', name: 'why' }],
        },
        target: { id: 'web-1', typeURI: 'compute/server', addresses: [{ url: 'http://nova', port: '8774' }] },
        observerId: 'observer',
        reason: { policyType: 'rbac', policyId: 'admin' },
        tags: ['plain'],
        attachments: [{ typeURI: 'application/json', content: { a: [1, null] }, name: 'body' }],
        measurements: [{ result: 7, metric: { unit: 's' }, calculatedBy: { id: 'me', typeURI: 'service' } }],
        reporterchain: [{ role: 'relay', reporterId: 'relay-1' }],
      })
      await messaging.notifier({ publisherId: 'node' }).info({}, 'audit.all', event)

      // Python hands notifications to a pool of threads, so their order is not that of the queue.
      const seen = (await printed.atLeast(4)).slice(1)
      const types = ['audit.http.request', 'audit.http.response', 'audit.all']
      expect(new Set(seen)).toEqual(
        new Set(types.map((type) => ({ event: 'seen', event_type: type, valid: true, same: true }))),
      )
      const [first, second] = await theirs.atLeast(2)
      expect([first?.event, first?.payload.outcome]).toEqual(['audit.http.request', 'pending'])
      expect([second?.event, second?.payload.outcome]).toEqual(['audit.http.response', 'success'])
      expect(second?.payload.initiator).toMatchObject({ id: 'ada', host: { address: '192.0.2.7' } })
    } catch (error) {
      throw new Error(`${String(error)}\nThe peer said: ${errors.slice(-3000)}`, { cause: error })
    } finally {
      const ended = once(peer, 'close')
      peer.stdin.end()
      await ended
      await messaging.drain()
    }
  })
})
