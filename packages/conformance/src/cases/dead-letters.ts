import assert from 'node:assert/strict'
import { failureFacts } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { payloads } from '../messages.ts'

/** Notifications that cannot be handled. */
export const deadLetterCases: readonly ConformanceCase[] = [
  {
    name: 'dead letters - a buried notification frees its place and does not come again',
    needs: ['notifications', 'deadLetters'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const first = await harness.subscribe(driver, target, { prefetch: 1 })
      await harness.notify(driver, target, 'info', 'poison')
      const poison = await first.inbox.next('notification')
      assert.ok(poison.bury !== undefined, 'a delivery of a driver that declares deadLetters has bury')
      await harness.soon(poison.bury(failureFacts(1, new RangeError('cannot digest this'))), 'burial')
      await harness.notify(driver, target, 'info', 'next')
      const next = await first.inbox.next('notification behind the buried one')
      assert.deepEqual(payloads([next]), ['next'])
      next.acknowledge()
      await harness.soon(first.listener.close(), 'end of close')
      const second = await harness.subscribe(driver, target)
      await harness.notify(driver, target, 'info', 'fence')
      assert.deepEqual(payloads([await second.inbox.next('fence')]), ['fence'], 'what was buried does not come again')
    },
  },
  {
    name: 'dead letters - an error with a text of a megabyte is no obstacle',
    needs: ['notifications', 'deadLetters'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { prefetch: 1 })
      await harness.notify(driver, target, 'info', 'poison')
      const poison = await inbox.next('notification')
      const failure = failureFacts(2, new RangeError('ü'.repeat(1_000_000)))
      await harness.soon(poison.bury?.(failure) ?? Promise.reject(new Error('no bury')), 'burial')
    },
  },
]
