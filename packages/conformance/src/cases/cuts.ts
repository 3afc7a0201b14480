import assert from 'node:assert/strict'
import { isMessagingError } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, ascending, assertCode, payloads } from '../messages.ts'
import { connectedPair } from '../traits/connected-pair.ts'

const WAVES = 3
const WAVE = 100
const WITHOUT_RIGHTS_MS = 1_500

/** Connections that are cut while something is under way. */
export const cutCases: readonly ConformanceCase[] = [
  {
    name: 'cut - a notification that was delivered and not settled comes again, and settling the first delivery then does nothing',
    level: 1,
    needs: ['notifications', 'acknowledgement after the handler', 'lever cut'],
    async run(harness) {
      const [listening, sending] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const { inbox } = await harness.subscribe(listening, target, { prefetch: 10 })
      for (const n of [0, 1, 2]) await harness.notify(sending, target, 'info', n)
      const held = await inbox.take(3, 'notifications')
      await harness.pull('cut')
      const again = await inbox.take(3, 'notifications that were not settled before the cut')
      assert.deepEqual(ascending(payloads(again).map(Number)), [0, 1, 2], 'what comes again')
      for (const { redelivered } of again)
        assert.notEqual(redelivered, false, 'a repetition that denies it is one: redelivered')
      for (const message of held) acknowledge(message)
      for (const message of again) acknowledge(message)
      await harness.eventually(() => harness.notify(sending, target, 'info', 'fence'))
      await inbox.until((all) => payloads(all).includes('fence'), 'the notification after the cut')
      const numbers = payloads(inbox.all).filter((payload) => payload !== 'fence')
      assert.equal(numbers.length, 6, 'what was settled after the cut came a third time')
    },
  },
  {
    name: 'cut - a call that waits gets its reply or REPLY_PATH_LOST, not silence until its deadline',
    level: 1,
    needs: ['rpc', 'lever cut'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      let isCut = false
      const { inbox } = await harness.serve(server, target, {
        onRequest: (request) => {
          request.acknowledge()
          if (isCut) void request.reply({ result: 'after the cut', failure: null })
        },
      })
      const call = harness
        .call(client, target, 'wait', {}, { deadline: harness.deadline(2 * harness.patienceMs) })
        .then(() => undefined)
        .catch((error: unknown) => error)
      const request = await inbox.next('request')
      isCut = true
      await harness.pull('cut')
      void request.reply({ result: 'after the cut', failure: null })
      const error = await harness.soon(call, 'reply, or REPLY_PATH_LOST, after the cut')
      // A request whose confirm was on its way as well is one of which nobody knows.
      const isUnknown = error instanceof Error && 'delivery' in error && error.delivery === 'unknown'
      if (error !== undefined && !(isUnknown && !isMessagingError(error, 'TIMEOUT')))
        assertCode(error, 'REPLY_PATH_LOST', 'a call whose reply cannot arrive any more')
    },
  },
  {
    name: 'cut - what was sent meanwhile is there if its send resolved, not if it said not-sent, and never twice',
    level: 1,
    needs: ['notifications', 'storesBeforeListeners', 'lever cut'],
    async run(harness) {
      const sending = await harness.open()
      const target = harness.target()
      const told = new Map<number, string>()
      for (let wave = 0; wave < WAVES; wave += 1) {
        const sends = Array.from({ length: WAVE }, async (_, index) => {
          const n = wave * WAVE + index
          await harness.notify(sending, target, 'info', n).then(
            () => told.set(n, 'resolved'),
            (error: unknown) => told.set(n, String((error as { delivery?: string }).delivery)),
          )
        })
        await harness.pull('cut')
        await harness.soon(Promise.all(sends), `end of the ${WAVE} sends that were cut`)
      }
      const reading = await harness.open()
      const { inbox } = await harness.subscribe(reading, target, { onNotification: acknowledge })
      const resolved = [...told].filter(([, outcome]) => outcome === 'resolved').map(([n]) => n)
      await inbox.until(
        (all) => new Set(payloads(all)).size >= resolved.length && resolved.every((n) => payloads(all).includes(n)),
        () => {
          const got = new Set(payloads(inbox.all))
          const missing = resolved.filter((n) => !got.has(n))
          return `all ${resolved.length} that resolved; ${missing.length} are missing: ${missing.slice(0, 20).join(', ')}`
        },
      )
      await harness.notify(sending, target, 'info', 'fence')
      await inbox.until((all) => payloads(all).includes('fence'), 'the fence')
      const counts = new Map<unknown, number>()
      for (const { message, redelivered } of inbox.all)
        if (redelivered !== true) counts.set(message['payload'], (counts.get(message['payload']) ?? 0) + 1)
      const twice = [...counts].filter(([, count]) => count > 1).map(([n]) => n)
      assert.deepEqual(twice, [], 'came more than once though sent once')
      const ghosts = [...told].filter(([n, outcome]) => outcome === 'not-sent' && counts.has(n)).map(([n]) => n)
      assert.deepEqual(ghosts, [], 'came although the send said not-sent')
    },
  },
  {
    name: 'cut - ten cuts later there are no more connections than before',
    level: 1,
    needs: ['notifications', 'lever cut', 'lever connections'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      const works = async (n: number): Promise<void> => {
        await harness.eventually(() => harness.notify(driver, target, 'info', n))
        await inbox.until(
          (all) => payloads(all).includes(n),
          () => `the notification after ${n} cuts`,
        )
      }
      await works(0)
      const before = await harness.levers.connections!()
      for (let cut = 1; cut <= 10; cut += 1) {
        await harness.pull('cut')
        await works(cut)
      }
      await harness.eventually(async () => {
        const now = await harness.levers.connections!()
        assert.ok(now <= before, `${now} connections after ten cuts, ${before} before`)
      })
    },
  },
  {
    name: 'rights taken away - a listener says that it does not consume, and goes on when it has them again, or closed rejects',
    level: 1,
    needs: ['notifications', 'lever revoke'],
    async run(harness) {
      const { listening, listener, sending, target, inbox } = await connectedPair(harness)
      let lost: { readonly reason: unknown } | undefined
      listener.closed.catch((reason: unknown) => (lost = { reason }))
      const giveBack = await harness.begin('revoke')
      const doesNotConsume = (): void => {
        const component = listening.health().components.find(({ kind }) => kind === 'listener')
        assert.notEqual(component?.state, 'consuming', 'health says that a listener consumes which has lost its rights')
      }
      await harness.eventually(doesNotConsume)
      // Long enough for a listener that only its connection was taken from.
      await harness.pause(harness.scaled(WITHOUT_RIGHTS_MS))
      doesNotConsume()
      await giveBack()
      let sent = 0
      await harness.eventually(async () => {
        if (lost !== undefined) return
        const deadline = harness.deadline(2_000)
        await harness.notify(sending, target, 'info', `after ${(sent += 1)}`, { deadline })
        const came = payloads(inbox.all).some((payload) => String(payload).startsWith('after'))
        assert.ok(came, 'a listener that has its rights again gets nothing, and its closed did not reject')
      }, 3 * harness.patienceMs)
      if (lost === undefined) return
      const { reason } = lost
      assert.ok(reason instanceof Error && reason.message !== '', 'the reason is an error with a text')
    },
  },
]
