import assert from 'node:assert/strict'
import { Target } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, ascending, assertCode, payloads } from '../messages.ts'
import { untilTogether } from '../inbox.ts'

const PRIORITIES = ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'] as const

/** Notifications (NotifyTestCase). */
export const notifyCases: readonly ConformanceCase[] = [
  {
    name: 'notify - both message formats arrive complete',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      for (const version of ['1.0', '2.0'] as const) {
        const context = { request_id: `req-${version}`, roles: ['admin'] }
        const payload = { text: 'żółw 🐢', list: [1, null, { deep: true }], big: 2 ** 53 - 1 }
        const sent = await harness.notify(driver, target, 'info', payload, { version, context, publisherId: 'p.host' })
        const got = await inbox.next(`notification in format ${version}`)
        assert.deepEqual({ ...got.message }, sent, `message in format ${version}`)
        // oslo's rabbit driver adds this one to every context it delivers.
        const { client_timeout: _, ...received } = got.context
        assert.deepEqual(received, context, `context in format ${version}`)
        if (got.priority !== undefined) assert.equal(got.priority, 'info', 'the priority it was subscribed under')
      }
    },
  },
  {
    name: 'notify - each priority reaches the listeners of that priority',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { priorities: PRIORITIES, onNotification: acknowledge })
      for (const priority of PRIORITIES) await harness.notify(driver, target, priority, priority)
      const got = await inbox.take(PRIORITIES.length, 'notifications')
      assert.deepEqual(payloads(got).map(String).sort(), [...PRIORITIES].sort())
      for (const { message } of got) assert.equal(message['priority'], String(message['payload']).toUpperCase())
    },
  },
  {
    name: 'notify - a priority nobody asked for does not arrive',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { priorities: ['error'], onNotification: acknowledge })
      await harness.notify(driver, target, 'info', 'unwanted')
      await harness.notify(driver, target, 'error', 'wanted')
      assert.deepEqual(payloads([await inbox.next('notification')]), ['wanted'])
      assert.equal(inbox.all.length, 1)
    },
  },
  {
    name: 'notify - one listener of two topics gets both',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const [a, b] = [harness.target(), harness.target()]
      const { inbox } = await harness.subscribe(driver, [a, b], { onNotification: acknowledge })
      await harness.notify(driver, a, 'info', 'on a', { publisherId: 'a' })
      await harness.notify(driver, b, 'info', 'on b', { publisherId: 'b' })
      const got = await inbox.take(2, 'notifications')
      const pairs = got.map(({ message }) => [message['publisher_id'], message['payload']].join(': ')).sort()
      assert.deepEqual(pairs, ['a: on a', 'b: on b'])
    },
  },
  {
    name: 'notify - listeners of different topics get exactly their own',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const [a, b] = [harness.target(), harness.target()]
      const first = await harness.subscribe(driver, a, { onNotification: acknowledge })
      const second = await harness.subscribe(await harness.open(), b, { onNotification: acknowledge })
      for (let n = 0; n < 8; n += 1) {
        await harness.notify(driver, a, 'info', `a${n}`)
        await harness.notify(driver, b, 'info', `b${n}`)
      }
      const wanted = (name: string): string[] => Array.from({ length: 8 }, (_, n) => `${name}${n}`)
      assert.deepEqual(
        payloads(await first.inbox.take(8, 'notifications'))
          .map(String)
          .sort(),
        wanted('a'),
      )
      assert.deepEqual(
        payloads(await second.inbox.take(8, 'notifications'))
          .map(String)
          .sort(),
        wanted('b'),
      )
    },
  },
  {
    name: 'notify - the broker keeps it when no listener has ever existed',
    needs: ['notifications', 'storesBeforeListeners'],
    async run(harness) {
      const target = harness.target()
      const sender = await harness.open()
      await harness.notify(sender, target, 'info', 'early')
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      assert.deepEqual(payloads([await inbox.next('stored notification')]), ['early'])
    },
  },
  {
    name: 'notify - nothing sent after the subscription is missed',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      await harness.notify(driver, target, 'info', 'at once')
      assert.deepEqual(payloads([await inbox.next('notification')]), ['at once'])
    },
  },
  {
    name: 'notify - two listeners of one topic share its notifications, none comes twice',
    needs: ['notifications', 'ordering by queue'],
    async run(harness) {
      const target = harness.target()
      const driver = await harness.open()
      const first = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      const second = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      for (let n = 0; n < 8; n += 1) await harness.notify(driver, target, 'info', n)
      const both = (): unknown[] => [...payloads(first.inbox.all), ...payloads(second.inbox.all)]
      await untilTogether([first.inbox, second.inbox], () => both().length >= 8, '8 notifications')
      assert.deepEqual(ascending(both().map(Number)), [0, 1, 2, 3, 4, 5, 6, 7])
      for (const { inbox } of [first, second]) {
        const got = payloads(inbox.all).map(Number)
        assert.ok(got.length > 0, 'each listener gets some')
        assert.deepEqual(got, ascending(got), 'in order per listener')
      }
    },
  },
  {
    name: 'notify - exchanges keep the same topic apart',
    needs: ['notifications', 'exchanges for notifications'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const [a, b] = [new Target({ topic }), new Target({ topic, exchange: harness.unique('exchange') })]
      const first = await harness.subscribe(driver, a, { onNotification: acknowledge })
      const second = await harness.subscribe(driver, b, { onNotification: acknowledge })
      await harness.notify(driver, a, 'info', 'default')
      await harness.notify(driver, b, 'info', 'named')
      assert.deepEqual(payloads([await first.inbox.next('notification')]), ['default'])
      assert.deepEqual(payloads([await second.inbox.next('notification')]), ['named'])
      assert.equal(first.inbox.all.length + second.inbox.all.length, 2)
    },
  },
  {
    name: 'notify - virtual hosts keep the same topic apart',
    needs: ['notifications', 'virtualHosts', 'knob vhosts'],
    async run(harness) {
      const target = harness.target()
      const [one, two] = harness.knobs.vhosts!
      const [first, second] = [await harness.open({ vhost: one }), await harness.open({ vhost: two })]
      const here = await harness.subscribe(first, target, { onNotification: acknowledge })
      const there = await harness.subscribe(second, target, { onNotification: acknowledge })
      await harness.notify(first, target, 'info', 'one')
      await harness.notify(second, target, 'info', 'two')
      assert.deepEqual(payloads([await here.inbox.next('notification')]), ['one'])
      assert.deepEqual(payloads([await there.inbox.next('notification')]), ['two'])
    },
  },
  {
    name: 'notify - a payload that JSON cannot carry is refused and never sent',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      const circle: Record<string, unknown> = {}
      circle['itself'] = circle
      const error = await harness.rejection(harness.notify(driver, target, 'info', circle), 'a circular payload')
      assertCode(error, 'SERIALIZATION', 'a circular payload')
      await harness.notify(driver, target, 'info', 'fence')
      assert.deepEqual(payloads([await inbox.next('fence')]), ['fence'])
    },
  },
]
