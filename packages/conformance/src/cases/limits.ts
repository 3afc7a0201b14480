import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, ascending, echo, methods, payloads } from '../messages.ts'

const DEFAULT_LARGE_BYTES = 262_144

/** Bounds: what is held, how much is sent at once, how large it may be. */
export const limitCases: readonly ConformanceCase[] = [
  {
    name: 'limits - no more requests than prefetch are delivered and not settled',
    needs: ['rpc'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { prefetch: 3 })
      for (let n = 0; n < 10; n += 1) await harness.cast(client, target, `m${n}`)
      const first = await inbox.take(3, 'casts')
      const fence = harness.target({ server: 'fence' })
      await harness.serve(server, fence, { onRequest: echo })
      await harness.call(client, fence, 'fence')
      assert.equal(inbox.all.length, 3, 'delivered without a settlement')
      first[0]!.acknowledge()
      const [fourth] = await inbox.take(1, 'cast after one settlement')
      await harness.call(client, fence, 'fence')
      assert.equal(inbox.all.length, 4, 'one settlement makes room for one')
      for (const request of [first[1]!, first[2]!, fourth!]) request.acknowledge()
      for (const request of await inbox.take(3, 'casts')) request.acknowledge()
      const last = await inbox.take(3, 'casts')
      assert.deepEqual(methods(last), ['m7', 'm8', 'm9'])
    },
  },
  {
    name: 'limits - no more notifications than prefetch are delivered and not settled',
    needs: ['notifications'],
    async run(harness) {
      const [listening, sending] = [await harness.open(), await harness.open()]
      const [target, fence] = [harness.target(), harness.target()]
      const { inbox } = await harness.subscribe(listening, target, { prefetch: 3 })
      const fenced = await harness.subscribe(sending, fence, { onNotification: acknowledge })
      for (let n = 0; n < 10; n += 1) await harness.notify(sending, target, 'info', n)
      const first = await inbox.take(3, 'notifications')
      await harness.notify(sending, fence, 'info', 'fence')
      await fenced.inbox.next('fence')
      assert.equal(inbox.all.length, 3, 'delivered without a settlement')
      for (const message of first) message.acknowledge()
      for (let rest = 7; rest > 0; rest -= 1) acknowledge(await inbox.next('notification after a settlement'))
      assert.deepEqual(ascending(payloads(inbox.all).map(Number)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    },
  },
  {
    name: 'limits - five hundred notifications sent at once all arrive, once',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      await Promise.all(Array.from({ length: 500 }, (_, n) => harness.notify(driver, target, 'info', n)))
      const got = payloads(await inbox.take(500, 'notifications')).map(Number)
      assert.deepEqual(
        ascending(got),
        Array.from({ length: 500 }, (_, n) => n),
      )
    },
  },
  {
    name: 'limits - a large notification arrives whole',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      const payload = 'x'.repeat(harness.knobs.largeMessageBytes ?? DEFAULT_LARGE_BYTES)
      await harness.notify(driver, target, 'info', payload)
      const [got] = payloads([await inbox.next('large notification')])
      assert.ok(got === payload, `the payload came back changed: ${String(got).length} characters`)
    },
  },
  {
    name: 'limits - a large request and its reply arrive whole',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      await harness.serve(driver, target, { onRequest: echo })
      const text = 'x'.repeat(harness.knobs.largeMessageBytes ?? DEFAULT_LARGE_BYTES)
      const { result } = await harness.call(driver, target, 'echo', { text })
      assert.ok((result as { text: string }).text === text, 'the text came back changed')
    },
  },
]
