import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, assertCode, echo, payloads } from '../messages.ts'
import { connectedPair } from '../traits/connected-pair.ts'

/** Brokers that take nothing, that start again, and that lose a node. */
export const troubleCases: readonly ConformanceCase[] = [
  {
    name: 'block - sends wait, health says blocked, and both go on when it is over',
    level: 2,
    needs: ['notifications', 'lever block'],
    async run(harness) {
      const { sending, target, inbox } = await connectedPair(harness)
      const end = await harness.begin('block')
      const deadline = harness.deadline(2 * (harness.knobs.patienceMs ?? 10_000))
      const sent = harness.inBackground(harness.notify(sending, target, 'info', 'meanwhile', { deadline }))
      await harness.healthy(sending, (status) => status === 'blocked', 'health says that the broker takes nothing')
      await end()
      await harness.soon(sent, 'end of the send that waited')
      await inbox.until((all) => payloads(all).includes('meanwhile'), 'the notification that waited')
      await harness.healthy(sending, (status) => status === 'ok', 'health is ok again')
    },
  },
  {
    name: 'block - a send that waits ends with its deadline',
    level: 2,
    needs: ['notifications', 'lever block'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      await harness.notify(driver, target, 'info', 'before')
      await harness.begin('block')
      const deadline = harness.deadline(500)
      const error = await harness.rejection(
        harness.notify(driver, target, 'info', 'waits', { deadline }),
        'a send to a broker that takes nothing',
      )
      assertCode(error, 'TIMEOUT', 'a send to a broker that takes nothing')
      const lateMs = performance.now() - deadline.at
      assert.ok(lateMs < harness.graceMs, `it ended ${Math.round(lateMs)} ms after its deadline`)
    },
  },
  {
    name: 'restart - subscriptions come back and calls work',
    level: 2,
    needs: ['rpc', 'lever restart'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      await harness.serve(server, target, { onRequest: echo })
      await harness.call(client, target, 'before')
      await harness.pull('restart')
      await harness.eventually(() => harness.call(client, target, 'after', {}, { deadline: harness.deadline(2_000) }))
    },
  },
  {
    name: 'restart - notifications that the broker had are still there',
    level: 2,
    needs: ['notifications', 'persistence', 'storesBeforeListeners', 'lever restart'],
    async run(harness) {
      const target = harness.target()
      const sending = await harness.open()
      for (const n of [0, 1, 2]) await harness.notify(sending, target, 'info', n)
      await harness.pull('restart')
      const reading = await harness.open()
      const { inbox } = await harness.eventually(() =>
        harness.subscribe(reading, target, { onNotification: acknowledge, deadline: harness.deadline(5_000) }),
      )
      assert.deepEqual(payloads(await inbox.take(3, 'notifications from before the restart')), [0, 1, 2])
    },
  },
  {
    name: 'node gone - the others go on',
    level: 2,
    needs: ['notifications', 'lever killNode'],
    async run(harness) {
      const { sending, target, inbox } = await connectedPair(harness)
      await harness.begin('killNode')
      await harness.eventually(
        () => harness.notify(sending, target, 'info', 'after', { deadline: harness.deadline(5_000) }),
        3 * harness.patienceMs,
      )
      await harness.eventually(
        () => assert.ok(payloads(inbox.all).includes('after'), 'the notification after a node was gone came'),
        3 * harness.patienceMs,
      )
    },
  },
]
