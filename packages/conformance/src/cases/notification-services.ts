import assert from 'node:assert/strict'
import { getNotificationListener, Notifier, PRIORITIES, Target } from '@oslo-messaging/core'
import { openNotificationTransport, start, startCollector } from '../api.ts'
import type { ConformanceCase } from '../case.ts'
import { Inbox } from '../inbox.ts'

/** The driver under the public notification API. */
export const notificationServiceCases: readonly ConformanceCase[] = [
  {
    name: 'notifier - priority, event type, payload and publisher arrive (NotifyTestCase.test_simple)',
    needs: ['notifications'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topic = harness.unique()
      const inbox = await startCollector(harness, bus, [topic])
      for (const driver of ['messaging', 'messagingv2']) {
        const notifier = new Notifier(bus, { publisherId: 'publisher', driver, topics: [topic] })
        await notifier.info({}, 'test', `Hello over ${driver}`)
        assert.deepEqual(await inbox.next('notification'), {
          priority: 'info',
          publisherId: 'publisher',
          eventType: 'test',
          payload: `Hello over ${driver}`,
        })
      }
    },
  },
  {
    name: 'notifier - one listener of two topics gets both publishers (NotifyTestCase.test_multiple_topics)',
    needs: ['notifications'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topics = [harness.unique('a'), harness.unique('b')]
      const inbox = await startCollector(harness, bus, topics)
      for (const [index, topic] of topics.entries()) {
        const notifier = new Notifier(bus, { publisherId: `pub-${index}`, driver: 'messagingv2', topics: [topic] })
        await notifier.info({}, `event.${index}`, `payload ${index}`)
      }
      const got = await inbox.take(2, 'notifications')
      const text = got.map(({ publisherId, payload }) => `${publisherId} ${String(payload)}`).toSorted()
      assert.deepEqual(text, ['pub-0 payload 0', 'pub-1 payload 1'])
    },
  },
  {
    name: 'notifier - each priority reaches its method (NotifyTestCase.test_all_categories)',
    needs: ['notifications'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topic = harness.unique()
      const inbox = await startCollector(harness, bus, [topic])
      const notifier = new Notifier(bus, { publisherId: 'p', driver: 'messagingv2', topics: [topic] })
      for (const priority of PRIORITIES) await notifier[priority]({}, 'event', { priority })
      const got = await inbox.take(PRIORITIES.length, 'notifications')
      assert.deepEqual(got.map(({ priority }) => priority).toSorted(), PRIORITIES.toSorted())
      for (const { priority, payload } of got) assert.deepEqual(payload, { priority })
    },
  },
  {
    name: 'notifier - an endpoint that asks for requeue gets the notification again',
    needs: ['notifications', 'requeue'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topic = harness.unique()
      const inbox = new Inbox<unknown>(harness.patienceMs)
      const endpoint = {
        info: (_context: object, _publisher: unknown, _event: unknown, payload: unknown) => {
          inbox.onMessage(payload)
          return inbox.all.length === 1 ? ('requeue' as const) : ('handled' as const)
        },
      }
      const target = new Target({ topic })
      await start(harness, getNotificationListener(bus, [target], [endpoint], { allowRequeue: true }))
      await new Notifier(bus, { driver: 'messagingv2', topics: [topic] }).info({}, 'event', 'again')
      assert.deepEqual(await inbox.take(2, 'deliveries'), ['again', 'again'])
    },
  },
  {
    name: 'notifier - without allowRequeue a failing endpoint does not get it again',
    needs: ['notifications'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topic = harness.unique()
      const inbox = new Inbox<unknown>(harness.patienceMs)
      const endpoint = {
        info: (_context: object, _publisher: unknown, _event: unknown, payload: unknown) => {
          inbox.onMessage(payload)
          if (payload === 'poison') throw new Error('this endpoint fails')
        },
      }
      await start(harness, getNotificationListener(bus, [new Target({ topic })], [endpoint]))
      const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
      await notifier.info({}, 'event', 'poison')
      await inbox.next('notification')
      await notifier.info({}, 'event', 'fence')
      assert.equal(await inbox.next('fence'), 'fence')
    },
  },
]
