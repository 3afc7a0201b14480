import assert from 'node:assert/strict'
import { Deadline, type Driver } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import type { Harness } from '../harness.ts'
import { acknowledge, assertCode, payloads } from '../messages.ts'
import { connectedPair } from '../traits/connected-pair.ts'
import { operations } from '../traits/operations.ts'

const DEFAULT_UNBOUNDED = 50_000

/** Uses the driver once, so that it is connected, and waits until it has noticed that the broker is gone. */
async function downAfterUse(harness: Harness, driver: Driver): Promise<() => Promise<void>> {
  await harness.subscribe(driver, harness.target())
  const end = await harness.begin('outage')
  await harness.healthy(driver, (status) => status !== 'ok', 'health says that the broker is gone')
  return end
}

/** A broker that cannot be reached for a while. */
export const outageCases: readonly ConformanceCase[] = [
  ...operations.map(({ name, needs, run }): ConformanceCase => ({
    name: `outage - ${name} ends with its deadline`,
    level: 1,
    needs: [...needs, 'notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      await downAfterUse(harness, driver)
      const deadline = harness.deadline(500)
      const error = await harness.rejection(run(harness, driver, deadline), `${name} without a broker`)
      const lateMs = performance.now() - deadline.at
      assertCode(error, 'TIMEOUT', `${name} without a broker`)
      assert.notEqual(error['delivery'], 'confirmed', 'delivery of what no broker has')
      assert.ok(lateMs < harness.graceMs, `${name} ended ${Math.round(lateMs)} ms after its deadline`)
    },
  })),
  {
    name: 'outage - retries count: when they are spent the send fails long before its deadline',
    level: 1,
    needs: ['notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      await downAfterUse(harness, driver)
      const deadline = harness.deadline(3 * (harness.knobs.patienceMs ?? 10_000))
      const sent = harness.notify(driver, harness.target(), 'info', 'once', { deadline, retries: 1 })
      const error = await harness.rejection(sent, 'a send with one retry, without a broker')
      assertCode(error, 'DELIVERY', 'a send whose retries are spent')
      assert.equal(error['attempts'], 2, 'attempts: the first and one retry')
    },
  },
  {
    name: 'outage - health says so while it lasts, and why, and is ok again afterwards',
    level: 1,
    needs: ['notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      const end = await downAfterUse(harness, driver)
      const { components } = driver.health()
      const ill = components.filter(({ state }) => state === 'recovering' || state === 'starting' || state === 'failed')
      assert.ok(ill.length > 0, `a component that is not up: ${JSON.stringify(components)}`)
      await harness.eventually(() => {
        const reasons = driver.health().components.map(({ reason }) => reason)
        assert.ok(
          reasons.some((reason) => reason !== undefined && reason !== ''),
          'a component says why',
        )
      })
      await end()
      await harness.healthy(driver, (status) => status === 'ok', 'health is ok again')
    },
  },
  {
    name: 'outage - what is sent meanwhile leaves in the order of the calls',
    level: 1,
    needs: ['notifications', 'ordering by queue', 'lever outage'],
    async run(harness) {
      const { sending, target, inbox } = await connectedPair(harness)
      const end = await harness.begin('outage')
      // Of what was on its way when the connection went, nobody knows whether it must be sent again.
      await harness.healthy(sending, (status) => status !== 'ok', 'health says that the broker is gone')
      const deadline = harness.deadline(2 * (harness.knobs.patienceMs ?? 10_000))
      const sends = Array.from({ length: 50 }, (_, n) => harness.notify(sending, target, 'info', n, { deadline }))
      const all = harness.inBackground(Promise.all(sends))
      await harness.pause(harness.scaled(200))
      await end()
      await harness.soon(all, 'end of the sends once the broker is back')
      await inbox.until(
        (came) => came.length >= 51,
        () => `51 notifications; ${inbox.all.length} came`,
      )
      const numbers = [...new Set(payloads(inbox.all))].filter((payload) => payload !== 'before')
      assert.deepEqual(
        numbers,
        Array.from({ length: 50 }, (_, n) => n),
        'order of what was sent meanwhile',
      )
    },
  },
  {
    name: 'outage - more than a driver can hold is refused with BACKPRESSURE',
    level: 1,
    needs: ['notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      await downAfterUse(harness, driver)
      const target = harness.target()
      // Without an end of their own: on a busy machine the first would be late before the last has begun.
      const stop = new AbortController()
      harness.afterwards(() => Promise.resolve(stop.abort()))
      const deadline = Deadline.after(null, { signal: stop.signal })
      const refusals: unknown[] = []
      const most = harness.knobs.load?.unbounded ?? DEFAULT_UNBOUNDED
      for (let n = 0; n < most && refusals.length === 0; n += 1) {
        driver
          .sendNotification(
            target.with({ topic: `${target.topic}.info` }),
            {
              context: {},
              message: {
                message_id: String(n),
                publisher_id: 'conformance',
                event_type: 'conformance.event',
                priority: 'INFO',
                payload: n,
                timestamp: '2026-01-02 03:04:05.000006',
              },
            },
            { version: '2.0', deadline, retries: null },
          )
          .catch((error: unknown) => refusals.push(error))
        if (n % 1_000 === 999) await harness.pause(0)
      }
      await harness.eventually(() => assert.ok(refusals.length > 0, `${most} sends wait, and none was refused`))
      const [error] = refusals
      assertCode(error, 'BACKPRESSURE', 'a send that nobody can hold')
    },
  },
  {
    name: 'outage - a subscription that is asked for meanwhile is there when it is over',
    level: 1,
    needs: ['notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      const end = await downAfterUse(harness, driver)
      const target = harness.target()
      const subscribing = harness.inBackground(
        harness.subscribe(driver, target, { onNotification: acknowledge, deadline: harness.deadline(20_000) }),
      )
      await harness.pause(harness.scaled(200))
      await end()
      const { inbox } = await harness.soon(subscribing, 'subscription once the broker is back')
      await harness.notify(driver, target, 'info', 'here')
      await inbox.next('notification')
    },
  },
  {
    name: 'outage - a driver closes in time, and what waits is told CLOSED',
    level: 1,
    needs: ['notifications', 'lever outage'],
    async run(harness) {
      const driver = await harness.open()
      await downAfterUse(harness, driver)
      const waiting = harness.notify(driver, harness.target(), 'info', 'waits')
      const told = harness.rejection(waiting, 'a send that waits while its driver closes')
      const startedAt = performance.now()
      await harness.soon(driver.close({ signal: AbortSignal.timeout(harness.graceMs / 2) }), 'end of close')
      const tookMs = performance.now() - startedAt
      assert.ok(
        tookMs < harness.graceMs,
        `close took ${Math.round(tookMs)} ms, its signal came after half of ${harness.graceMs}`,
      )
      assertCode(await told, 'CLOSED', 'a send that waits while its driver closes')
    },
  },
]
