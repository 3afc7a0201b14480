import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
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

import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'
import { type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary())
const rabbit = await skipOrFail(sharedBroker('rabbit'))

const FORMATS = ['messaging', 'messagingv2'] as const
const CASES = FORMATS.flatMap((driver) => PRIORITIES.map((priority) => [driver, priority] as const))

describe.skipIf(python === undefined || rabbit === undefined)('notifications over RabbitMQ', () => {
  let url: string
  let bus: NotificationTransport

  beforeAll(async () => {
    url = (await rabbit?.vhost()) ?? ''
    bus = await openBus(url)
  })

  afterAll(() => bus.close())

  describe('from Python to us', () => {
    const topic = unique('from-python')
    const inbox = new Inbox<Received>()
    const notifiers = new Map<string, Peer>()

    beforeAll(async () => {
      await Promise.all(
        FORMATS.map(async (driver) =>
          notifiers.set(driver, await Peer.start('notifier', url, ['--topics', topic, '--driver', driver])),
        ),
      )
    })

    afterAll(() => Promise.all([...notifiers.values()].map((peer) => peer.stop())))

    it.each(CASES)('%s, %s', async (driver, priority) => {
      await using listener = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox)])
      await listener.start()
      const event = unique('event')
      const payload = { text: 'ü 😀', list: [1, null, { deep: true }], number: 1.5 }
      const ctxt = { user_id: 'u', project_id: 'p' }
      const notifier = notifiers.get(driver)
      notifier?.send({
        id: 1,
        priority,
        event_type: event,
        payload,
        ctxt,
        context_object: true,
        publisher_id: 'host.1',
      })
      await notifier?.answer(1)
      const [got] = await inbox.atLeast(1, ({ eventType }) => eventType === event)
      expect(got).toMatchObject({ priority, publisherId: 'host.1', eventType: event, payload })
      expect(got?.ctxt).toMatchObject(ctxt)
      expect(got?.metadata.message_id).toMatch(/^[0-9a-f-]{36}$/)
      expect(got?.metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?$/)
    })

    it('are kept while nobody listens, and delivered again after a requeue', async () => {
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
      await using listener = getNotificationListener(bus, [new Target({ topic })], [reluctant], { allowRequeue: true })
      await listener.start()
      await seen.atLeast(3)
    })

    it('reach every pool once, and one listener of those without a pool', async () => {
      const shared = unique('pooled')
      const inboxes = Array.from({ length: 4 }, () => new Inbox<Received>())
      const [first, second, poolA, poolB] = inboxes
      const listeners = inboxes.map((each, index) =>
        getNotificationListener(bus, [new Target({ topic: shared })], [recorder(each)], {
          pool: [null, null, 'a', 'b'][index] ?? null,
        }),
      )
      await Promise.all(listeners.map((listener) => listener.start()))
      await using notifier = await Peer.start('notifier', url, ['--topics', shared])
      for (let id = 1; id <= 20; id++) notifier.send({ id, event_type: `e${id}`, payload: { id } })
      await Promise.all([poolA?.atLeast(20), poolB?.atLeast(20)])
      const events = (): string[] =>
        [...(first?.items ?? []), ...(second?.items ?? [])].map(({ eventType }) => eventType ?? '')
      const all = Array.from({ length: 20 }, (_, index) => `e${index + 1}`)
      await expect.poll(() => events().length, { timeout: 10_000 }).toBe(20)
      expect(events()).toEqual(expect.arrayContaining(all))
      expect([poolA?.items.length, poolB?.items.length]).toEqual([20, 20])
      await notifier.stop()
      await Promise.all(listeners.map((listener) => listener.stop()))
    })
  })

  describe('from us to Python', () => {
    const topic = unique('to-python')
    let listener: Peer

    beforeAll(async () => {
      listener = await Peer.start('listener', url, ['--topics', topic])
    })

    afterAll(() => listener.stop())

    it.each(CASES)('%s, %s', async (driver, priority) => {
      const notifier = new Notifier(bus, { publisherId: 'node.1', driver, topics: [topic] })
      const event = unique('event')
      const payload = { text: 'ü 😀', list: [1, null, { deep: true }], number: 1.5 }
      await notifier[priority]({ user_id: 'u', request_id: 'r' }, event, payload)
      const got = await listener.next('notification', { event_type: event })
      expect(got).toMatchObject({ priority, publisher_id: 'node.1', payload, ctxt: { user_id: 'u', request_id: 'r' } })
      expect(got['metadata']).toMatchObject({
        message_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?$/) as string,
      })
    })

    it('are delivered again when Python requeues them', async () => {
      const requeued = unique('requeued')
      await new Notifier(bus, { driver: 'messagingv2', topics: [requeued] }).error({}, 'again', { n: 1 })
      await using slow = await Peer.start('listener', url, [
        '--topics',
        requeued,
        '--allow-requeue',
        '--requeue-first',
        '2',
      ])
      const results = [
        await slow.next('notification'),
        await slow.next('notification'),
        await slow.next('notification'),
      ]
      expect(results.map(({ result }) => result)).toEqual(['requeue', 'requeue', 'handled'])
      expect(new Set(results.map(({ metadata }) => (metadata as { message_id: string }).message_id)).size).toBe(1)
      await slow.stop()
    })

    it('reach pools of Python and of ours side by side', async () => {
      const pooled = unique('pooled')
      const inbox = new Inbox<Received>()
      await using ours = getNotificationListener(bus, [new Target({ topic: pooled })], [recorder(inbox)], {
        pool: 'ours',
      })
      await ours.start()
      await using theirs = await Peer.start('listener', url, ['--topics', pooled, '--pool', 'theirs'])
      const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [pooled] })
      await Promise.all(Array.from({ length: 10 }, (_, n) => notifier.info({}, `e${n}`, { n })))
      for (let n = 0; n < 10; n++) await theirs.next('notification', { event_type: `e${n}` })
      await inbox.atLeast(10)
      await theirs.stop()
    })
  })
})
