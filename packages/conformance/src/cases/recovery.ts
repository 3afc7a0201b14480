import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { echo, payloads } from '../messages.ts'
import { connectedPair } from '../traits/connected-pair.ts'

/** Losses of the connection. */
export const recoveryCases: readonly ConformanceCase[] = [
  {
    name: 'recovery - after a cut, subscriptions come back by themselves and calls work',
    level: 1,
    needs: ['rpc', 'lever cut'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { onRequest: echo })
      await harness.call(client, target, 'before')
      await harness.pull('cut')
      await harness.eventually(() => harness.call(client, target, 'after', {}, { deadline: harness.deadline(1000) }))
      assert.ok(inbox.all.some(({ message }) => message['method'] === 'after'))
      await harness.healthy(server, (status) => status === 'ok', 'health is ok again')
    },
  },
  {
    name: 'recovery - a notification sent after a cut arrives',
    level: 1,
    needs: ['notifications', 'lever cut'],
    async run(harness) {
      const { sending, target, inbox } = await connectedPair(harness)
      await harness.pull('cut')
      await harness.eventually(() => harness.notify(sending, target, 'info', 'after'))
      await inbox.until((all) => payloads(all).includes('after'), 'the notification after the cut')
    },
  },
]
