import assert from 'node:assert/strict'
import { getBatchNotificationListener, Notifier, Target } from '@oslo-messaging/core'
import { openNotificationTransport, start } from '../api.ts'
import type { ConformanceCase } from '../case.ts'
import { Inbox } from '../inbox.ts'

/** Notifications in batches. */
export const notifyBatchCases: readonly ConformanceCase[] = [
  {
    name: 'batch - 205 notifications come as 100, 100 and 5 (NotifyTestCase.test_simple_batch)',
    needs: ['notifications'],
    async run(harness) {
      const bus = await openNotificationTransport(harness)
      const topic = harness.unique()
      const inbox = new Inbox<readonly unknown[]>(harness.patienceMs)
      const endpoint = {
        info: (batch: readonly { readonly payload: unknown }[]) => inbox.onMessage(batch.map(({ payload }) => payload)),
      }
      const listener = getBatchNotificationListener(bus, [new Target({ topic })], [endpoint], {
        batchSize: 100,
        batchTimeoutMs: harness.scaled(2000),
      })
      await start(harness, listener)
      const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
      await Promise.all(Array.from({ length: 205 }, (_, n) => notifier.info({}, 'event', n)))
      const batches = await inbox.take(3, 'batches')
      assert.deepEqual(
        batches.map((batch) => batch.length),
        [100, 100, 5],
      )
      const all = batches.flat().map(Number)
      assert.deepEqual(
        all.toSorted((x, y) => x - y),
        Array.from({ length: 205 }, (_, n) => n),
      )
    },
  },
]
