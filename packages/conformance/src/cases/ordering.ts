import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, ascending, payloads } from '../messages.ts'

const COUNT = 100

/** The order the driver declares. */
export const orderingCases: readonly ConformanceCase[] = [
  {
    name: 'ordering - one listener gets the notifications of one sender in the order they were sent',
    needs: ['notifications', 'ordering by queue'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      // Sent without waiting for each other: the order is that of the calls.
      await Promise.all(Array.from({ length: COUNT }, (_, n) => harness.notify(driver, target, 'info', n)))
      assert.deepEqual(
        payloads(await inbox.take(COUNT, 'notifications')),
        Array.from({ length: COUNT }, (_, n) => n),
      )
    },
  },
  {
    name: 'ordering - notifications with one ordering key come in the order they were sent',
    needs: ['notifications', 'ordering by partition'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      for (let n = 0; n < COUNT; n += 1) await harness.notify(driver, target, 'info', n)
      const lanes = new Map<string | undefined, number[]>()
      for (const { orderingKey, message } of await inbox.take(COUNT, 'notifications'))
        lanes.set(orderingKey, [...(lanes.get(orderingKey) ?? []), Number(message['payload'])])
      assert.ok(!lanes.has(undefined), 'a driver that orders by partition gives each notification its ordering key')
      for (const [key, lane] of lanes) assert.deepEqual(lane, ascending(lane), `order of ${String(key)}`)
    },
  },
  {
    name: 'ordering - what is sent with one ordering key is delivered with one, in the order of the calls',
    needs: ['notifications', 'ordering by partition'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      const keys = ['a', 'b', 'c']
      const sent = Array.from({ length: COUNT }, (_, n) => keys[n % keys.length] ?? '')
      // Sent without waiting for each other: the order is that of the calls.
      await Promise.all(sent.map((key, n) => harness.notify(driver, target, 'info', [key, n], { orderingKey: key })))
      const got = await inbox.take(COUNT, 'notifications')
      for (const key of keys) {
        const own = got.filter(({ message }) => (message['payload'] as readonly unknown[])[0] === key)
        const lanes = new Set(own.map(({ orderingKey }) => orderingKey))
        assert.ok(lanes.size === 1 && !lanes.has(undefined), `${key} is delivered with one ordering key`)
        const expected = sent.flatMap((each, n) => (each === key ? [n] : []))
        assert.deepEqual(
          own.map(({ message }) => (message['payload'] as readonly unknown[])[1]),
          expected,
          `order of ${key}`,
        )
      }
    },
  },
  {
    name: 'ordering - one server gets the casts of one client in the order they were sent',
    needs: ['rpc', 'ordering by queue'],
    async run(harness) {
      const client = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(await harness.open(), target, { onRequest: acknowledge })
      await Promise.all(Array.from({ length: COUNT }, (_, n) => harness.cast(client, target, 'm', { n })))
      const got = await inbox.take(COUNT, 'casts')
      assert.deepEqual(
        got.map(({ message }) => message['args']),
        Array.from({ length: COUNT }, (_, n) => ({ n })),
      )
    },
  },
]
