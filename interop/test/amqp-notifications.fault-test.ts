import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  getNotificationListener,
  type NotificationEndpoint,
  NotificationResult,
  type NotificationTransport,
  Notifier,
  PRIORITIES,
  Target,
} from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { MODES, overridesOf, startPeer } from './support/amqp.ts'
import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import type { Peer } from './support/peer.ts'
import { type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))
const artemis = await skipOrFail(startBroker('artemis'))
afterAll(() => artemis?.close())

const FORMATS = ['messaging', 'messagingv2'] as const
const CASES = FORMATS.flatMap((driver) => PRIORITIES.map((priority) => [driver, priority] as const))
const payload = { text: 'ü 😀', list: [1, null, { deep: true }], number: 1.5 }

describe.skipIf(python === undefined || artemis === undefined).each(MODES)(
  'notifications over AMQP 1.0 with %s addresses, Python 14.9.3',
  (mode) => {
    const url = artemis?.urlFor({ vhost: unique('vhost') }) ?? ''
    const [fromPython, toPython] = [unique('from-python'), unique('to-python')]
    const notifiers = new Map<string, Peer>()
    const peers: Peer[] = []
    let listener: Peer
    let bus: NotificationTransport

    beforeAll(async () => {
      bus = await openBus(url, overridesOf(mode))
      await Promise.all([
        ...FORMATS.map(async (driver) => {
          const args = ['--topics', fromPython, '--driver', driver]
          const peer = await startPeer('notifier', url, mode, args)
          peers.push(peer)
          notifiers.set(driver, peer)
        }),
        startPeer('listener', url, mode, ['--topics', toPython]).then((peer) => peers.push((listener = peer))),
      ])
    })

    afterAll(async () => {
      await Promise.all(peers.map((peer) => peer.stop()))
      await bus.close()
    })

    // The library sends no context object over this driver and drops plain ones, so contexts are not part of these.
    it.each(CASES)('from Python to us: %s, %s', async (driver, priority) => {
      const inbox = new Inbox<Received>()
      await using server = getNotificationListener(bus, [new Target({ topic: fromPython })], [recorder(inbox)])
      await server.start()
      const event = unique('event')
      const notifier = notifiers.get(driver)
      notifier?.send({ id: 1, priority, event_type: event, payload, publisher_id: 'host.1' })
      await notifier?.answer(1)
      const [got] = await inbox.atLeast(1, ({ eventType }) => eventType === event)
      expect(got).toMatchObject({ priority, publisherId: 'host.1', eventType: event, payload })
      expect(got?.metadata.message_id).toMatch(/^[0-9a-f-]{36}$/)
      expect(got?.metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?$/)
    })

    it('from Python to us: kept while nobody listens, and delivered again after a requeue', async () => {
      const notifier = notifiers.get('messagingv2')
      const event = unique('event')
      notifier?.send({ id: 2, event_type: event, payload: {} })
      await notifier?.answer(2)
      const seen = new Inbox<string>()
      const reluctant: NotificationEndpoint = {
        info: (_ctxt, _publisher, eventType) => {
          if (eventType !== event) return NotificationResult.HANDLED
          seen.add(eventType)
          return seen.items.length < 3 ? NotificationResult.REQUEUE : NotificationResult.HANDLED
        },
      }
      await using server = getNotificationListener(bus, [new Target({ topic: fromPython })], [reluctant], {
        allowRequeue: true,
      })
      await server.start()
      await seen.atLeast(3)
    })

    it.each(CASES)('from us to Python: %s, %s', async (driver, priority) => {
      const notifier = new Notifier(bus, { publisherId: 'node.1', driver, topics: [toPython] })
      const event = unique('event')
      await notifier[priority]({ user_id: 'u', request_id: 'r' }, event, payload)
      const got = await listener.next('notification', { event_type: event })
      expect(got).toMatchObject({ priority, publisher_id: 'node.1', payload, ctxt: { user_id: 'u', request_id: 'r' } })
      expect(got['metadata']).toMatchObject({
        message_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?$/) as string,
      })
    })

    it('from us to Python: delivered again when Python requeues them', async () => {
      const requeued = unique('requeued')
      await new Notifier(bus, { driver: 'messagingv2', topics: [requeued] }).error({}, 'again', { n: 1 })
      const args = ['--topics', requeued, '--allow-requeue', '--requeue-first', '2']
      await using slow = await startPeer('listener', url, mode, args)
      const next = (): ReturnType<Peer['next']> => slow.next('notification')
      const results = [await next(), await next(), await next()]
      expect(results.map(({ result }) => result)).toEqual(['requeue', 'requeue', 'handled'])
      expect(new Set(results.map(({ metadata }) => (metadata as { message_id: string }).message_id)).size).toBe(1)
      await slow.stop()
    })
  },
)
