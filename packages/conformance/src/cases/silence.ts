import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, assertCode, echo, payloads } from '../messages.ts'
import { connectedPair } from '../traits/connected-pair.ts'
import { operations } from '../traits/operations.ts'

/** A broker that is there and does not answer, and ways that bend what goes through them. */
export const silenceCases: readonly ConformanceCase[] = [
  ...operations.map(({ name, needs, run }): ConformanceCase => ({
    name: `silence - ${name} ends with its deadline`,
    level: 2,
    needs: [...needs, 'lever freeze'],
    async run(harness) {
      const driver = await harness.open()
      const first = run(harness, driver, harness.deadline(1_000)).catch(() => undefined)
      await harness.soon(first, `end of ${name} before the silence`)
      await harness.begin('freeze')
      const deadline = harness.deadline(500)
      const error = await harness.rejection(run(harness, driver, deadline), `${name} with a broker that is silent`)
      const lateMs = performance.now() - deadline.at
      assertCode(error, 'TIMEOUT', `${name} with a broker that is silent`)
      assert.ok(lateMs < harness.graceMs, `${name} ended ${Math.round(lateMs)} ms after its deadline`)
    },
  })),
  {
    name: 'silence - once it is over, calls and notifications work',
    level: 2,
    needs: ['notifications', 'lever freeze'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      const end = await harness.begin('freeze')
      const deadline = harness.deadline(500)
      await harness.notify(driver, target, 'info', 'into silence', { deadline }).catch(() => undefined)
      await end()
      await harness.eventually(() =>
        harness.notify(driver, target, 'info', 'heard', { deadline: harness.deadline(2_000) }),
      )
      await inbox.until((all) => payloads(all).includes('heard'), 'the notification after the silence')
    },
  },
  {
    name: 'silence - a driver closes in time while nothing answers',
    level: 2,
    needs: ['notifications', 'lever freeze'],
    async run(harness) {
      const driver = await harness.open()
      await harness.subscribe(driver, harness.target())
      await harness.begin('freeze')
      const startedAt = performance.now()
      await harness.soon(driver.close({ signal: AbortSignal.timeout(harness.graceMs / 2) }), 'end of close')
      const tookMs = performance.now() - startedAt
      assert.ok(tookMs < harness.graceMs, `close took ${Math.round(tookMs)} ms, its signal came after half of that`)
    },
  },
  {
    name: 'silence - a connection whose other end is gone without a word is noticed and made again',
    level: 2,
    needs: ['notifications', 'lever halfOpen'],
    async run(harness) {
      const { sending, target, inbox } = await connectedPair(harness)
      await harness.pull('halfOpen')
      const noticesMs = harness.scaled(harness.knobs.noticesSilenceMs ?? 10_000)
      const endAt = performance.now() + noticesMs + harness.patienceMs
      for (let n = 0; !payloads(inbox.all).some((payload) => payload !== 'before'); n += 1) {
        assert.ok(performance.now() < endAt, `no notification came within ${noticesMs + harness.patienceMs} ms`)
        await harness.notify(sending, target, 'info', n, { deadline: harness.deadline(1_000) }).catch(() => undefined)
        await harness.pause(harness.scaled(50))
      }
    },
  },
  {
    name: 'network - a slow way changes nothing but the time',
    level: 2,
    needs: ['rpc', 'lever latency'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      await harness.serve(server, target, { onRequest: echo })
      await harness.begin('latency')
      const replies = await Promise.all([1, 2, 3].map((n) => harness.call(client, target, 'm', { n })))
      assert.deepEqual(
        replies.map(({ result }) => result),
        [{ n: 1 }, { n: 2 }, { n: 3 }],
      )
    },
  },
  {
    name: 'network - frames that come in small pieces are put together',
    level: 2,
    needs: ['notifications', 'lever split'],
    async run(harness) {
      const [listening, sending] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const { inbox } = await harness.subscribe(listening, target, { onNotification: acknowledge })
      await harness.begin('split')
      const texts = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(100))
      for (const text of texts) await harness.notify(sending, target, 'info', text)
      assert.deepEqual(payloads(await inbox.take(20, 'notifications in pieces')), texts)
    },
  },
]
