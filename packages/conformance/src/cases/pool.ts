import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, ascending, payloads } from '../messages.ts'
import { untilTogether } from '../inbox.ts'

/** Named groups of listeners. */
export const poolCases: readonly ConformanceCase[] = [
  {
    name: 'pool - each pool and the unpooled listeners get a copy',
    needs: ['notifications', 'pools'],
    async run(harness) {
      const target = harness.target()
      const driver = await harness.open()
      const groups = []
      for (const pool of [null, harness.unique('pool-a'), harness.unique('pool-b')])
        groups.push(await harness.subscribe(await harness.open(), target, { pool, onNotification: acknowledge }))
      for (const payload of ['one', 'two', 'three']) await harness.notify(driver, target, 'info', payload)
      for (const { inbox } of groups) {
        const got = payloads(await inbox.take(3, 'notifications of the group')).map(String)
        assert.deepEqual(got.sort(), ['one', 'three', 'two'])
      }
      for (const { inbox } of groups) assert.equal(inbox.all.length, 3, 'one copy for each group')
    },
  },
  {
    name: 'pool - listeners of one pool share its copy',
    needs: ['notifications', 'pools'],
    async run(harness) {
      const target = harness.target()
      const driver = await harness.open()
      const pool = harness.unique('pool')
      const first = await harness.subscribe(await harness.open(), target, { pool, onNotification: acknowledge })
      const second = await harness.subscribe(await harness.open(), target, { pool, onNotification: acknowledge })
      for (let n = 0; n < 10; n += 1) await harness.notify(driver, target, 'info', n)
      const both = (): number[] => [...payloads(first.inbox.all), ...payloads(second.inbox.all)].map(Number)
      await untilTogether([first.inbox, second.inbox], () => both().length >= 10, '10 notifications')
      assert.deepEqual(ascending(both()), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    },
  },
]
