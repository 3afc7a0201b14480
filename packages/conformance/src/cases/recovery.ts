import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, echo, payloads } from '../harness.ts'

/** Losses of the connection. */
export const recoveryCases: readonly ConformanceCase[] = [
  {
    name: 'recovery - after a cut, subscriptions come back by themselves and calls work',
    needs: ['rpc', 'knob disconnect'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { onRequest: echo })
      await harness.call(client, target, 'before')
      await harness.knobs.disconnect!()
      await eventually(async () => {
        await harness.call(client, target, 'after', {}, { deadline: harness.deadline(1000) })
      }, harness.patienceMs)
      assert.ok(inbox.all.some(({ message }) => message['method'] === 'after'))
      await eventually(async () => assert.equal(server.health().status, 'ok'), harness.patienceMs)
    },
  },
  {
    name: 'recovery - a notification sent after a cut arrives',
    needs: ['notifications', 'knob disconnect'],
    async run(harness) {
      const [listening, sending] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const { inbox } = await harness.subscribe(listening, target, { onNotification: acknowledge })
      await harness.notify(sending, target, 'info', 'before')
      await inbox.next('notification')
      await harness.knobs.disconnect!()
      await eventually(() => harness.notify(sending, target, 'info', 'after').then(() => undefined), harness.patienceMs)
      await inbox.until((all) => payloads(all).includes('after'), 'the notification after the cut')
    },
  },
]

/** Repeats what may fail while a connection is being mended; fails with the last failure. */
async function eventually(attempt: () => Promise<void>, patienceMs: number): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
