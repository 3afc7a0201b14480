import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, echo, payloads } from '../messages.ts'

const GARBAGE: readonly string[] = [
  '{"not json',
  '[1, 2]',
  'null',
  '""',
  '{"oslo.version": "2.0", "oslo.message": "{"}',
]

/** Messages that cannot be read are settled and reported, and the next one is handled. */
export const unreadableCases: readonly ConformanceCase[] = [
  {
    name: 'unreadable - garbage among notifications does not stop the listener',
    needs: ['notifications', 'knob makeUnreadable'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { prefetch: 1, onNotification: acknowledge })
      for (const text of GARBAGE) {
        await harness.knobs.makeUnreadable!({
          kind: 'notification',
          exchange: null,
          topic: target.topic!,
          priority: 'info',
          text,
        })
      }
      await harness.notify(driver, target, 'info', 'readable')
      await inbox.until((all) => payloads(all).includes('readable'), 'the notification behind the garbage')
      assert.equal(driver.health().status, 'ok', 'garbage is no fault of the listener')
    },
  },
  {
    name: 'unreadable - garbage among requests does not stop the server',
    needs: ['rpc', 'knob makeUnreadable'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      // Core answers what it can read but not dispatch; here everything that gets through is settled.
      await harness.serve(driver, target, { prefetch: 1, onRequest: echo })
      for (const text of GARBAGE)
        await harness.knobs.makeUnreadable!({
          kind: 'request',
          exchange: null,
          topic: target.topic!,
          priority: null,
          text,
        })
      const { result } = await harness.call(driver, target.with({ server: null }), 'readable', { n: 1 })
      assert.deepEqual(result, { n: 1 })
      assert.equal(driver.health().status, 'ok', 'garbage is no fault of the listener')
    },
  },
]
