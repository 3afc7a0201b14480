import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { payloads } from '../messages.ts'

/** Notifications that come again. */
export const requeueCases: readonly ConformanceCase[] = [
  {
    name: 'requeue - what is handed back is delivered again and says so',
    needs: ['notifications', 'requeue'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { allowRequeue: true })
      await harness.notify(driver, target, 'info', 'again')
      const first = await inbox.next('notification')
      assert.notEqual(first.redelivered, true, 'the first delivery is none again')
      first.requeue()
      const second = await inbox.next('notification again')
      assert.deepEqual({ ...second.message }, { ...first.message })
      if (second.redelivered !== undefined) assert.equal(second.redelivered, true, 'redelivered')
      if (second.deliveryCount !== undefined) assert.ok(second.deliveryCount >= 1, 'deliveryCount')
      second.acknowledge()
      await harness.notify(driver, target, 'info', 'fence')
      assert.deepEqual(payloads([await inbox.next('fence')]), ['fence'], 'an acknowledged one does not come again')
    },
  },
  {
    name: 'requeue - the first settlement counts',
    needs: ['notifications', 'requeue'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { allowRequeue: true })
      await harness.notify(driver, target, 'info', 'once')
      const message = await inbox.next('notification')
      message.acknowledge()
      message.requeue()
      message.acknowledge()
      await harness.notify(driver, target, 'info', 'fence')
      assert.deepEqual(payloads([await inbox.next('fence')]), ['fence'])
    },
  },
  {
    name: 'requeue - what a closed listener had not settled goes to the next one, in order',
    needs: ['notifications', 'acknowledgement after the handler'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const first = await harness.subscribe(driver, target)
      for (const payload of ['one', 'two', 'three']) await harness.notify(driver, target, 'info', payload)
      const [settled] = await first.inbox.take(3, 'notifications')
      settled!.acknowledge()
      // Before the first one goes: not every broker keeps notifications while nobody listens.
      const second = await harness.subscribe(driver, target)
      // The acknowledgement is behind it in the same channel, so the broker has seen it when close is done.
      await harness.soon(first.listener.close(), 'end of close')
      assert.deepEqual(payloads(await second.inbox.take(2, 'notifications handed back')), ['two', 'three'])
    },
  },
]
