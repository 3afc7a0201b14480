import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type IncomingRequest, isMessagingError, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { Arrivals, rejection, unhandledDuring, waitFor } from '../support/load.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit')
})
afterAll(async () => await broker.close())

async function vhostUrl(): Promise<{ vhost: string; url: string }> {
  const vhost = unique('pub')
  await broker.control.vhost(vhost)
  return { vhost, url: broker.urlFor({ vhost }) }
}

const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })

describe('P05 - no message is lost that was said to be delivered', () => {
  it('P05 - the broker is killed in the middle of 10 000 publishes to a durable queue: resolved are stored, all settle, nothing is left outstanding', async () => {
    const { vhost, url } = await vhostUrl()
    const options = {
      options: { amqp_durable_queues: true, rabbit_interval_max: 1 },
      settings: { maxWaitingMessages: 10_000 },
    }
    const driver = openReal(url, options)
    const topic = unique('topic')
    // Declares what keeps the messages.
    const listener = await driver.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>(() => {}),
    )
    await listener.close()
    await broker.control.flush()
    const resolved = new Set<number>()
    const outcomes = { resolved: 0, rejected: 0 }
    const unhandled = await unhandledDuring(async () => {
      const all = Array.from({ length: 10_000 }, async (_, n) => {
        try {
          await driver.send(new Target({ topic }), request(n), castOptions({ timeoutMs: 30_000, retries: 0 }))
          resolved.add(n)
          outcomes.resolved += 1
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^OSLO_MESSAGING_/) as string,
            delivery: expect.stringMatching(/^(not-sent|unknown)$/) as string,
          })
          outcomes.rejected += 1
        }
      })
      await waitFor('some confirms', () => outcomes.resolved > 500, 20_000)
      await broker.kill()
      await Promise.all(all)
    })
    expect(unhandled).toEqual([])
    expect(outcomes.resolved + outcomes.rejected).toBe(10_000)
    expect(outcomes.rejected).toBeGreaterThan(0)
    await broker.start()
    const arrivals = new Arrivals()
    const reader = openReal(url, options)
    const stored = (await broker.control.queue(topic, vhost))?.messages ?? 0
    expect(stored).toBeGreaterThanOrEqual(outcomes.resolved)
    const again = await reader.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>(arrivals.onMessage, { prefetch: 500, deadline: Deadline.after(20_000) }),
    )
    await waitFor('everything stored', () => arrivals.numbers.length >= stored, 20_000)
    const seen = new Set(arrivals.numbers)
    expect([...resolved].filter((n) => !seen.has(n))).toEqual([])
    await again.close()
    await reader.close()
    await driver.close({ signal: AbortSignal.timeout(1000) })
  }, 120_000)
})

describe('P06 - one deadline over everything', () => {
  /** A call with two seconds against a fault, and how long it really took. */
  async function timed(call: () => Promise<unknown>): Promise<{ error: Error & Record<string, unknown>; ms: number }> {
    const start = performance.now()
    const error = await rejection(call())
    return { error, ms: performance.now() - start }
  }
  const call = (driver: ReturnType<typeof openReal>, target: Target) => async () =>
    await driver.send(target, request(1), callOptions({ timeoutMs: 2000 }))

  it('P06 - nothing listens on the port', async () => {
    const { vhost } = await vhostUrl()
    const proxy = await broker.proxy()
    await proxy.refuse()
    const driver = openReal(broker.urlFor({ vhost, via: [proxy] }))
    const { error, ms } = await timed(call(driver, new Target({ topic: 't' })))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'connect', delivery: 'not-sent' })
    expect(Math.abs(ms - 2000)).toBeLessThan(250)
    await driver.close()
  })

  it('P06 - the network swallows everything, before and after the connection is made', async () => {
    const { vhost } = await vhostUrl()
    for (const connected of [false, true]) {
      const proxy = await broker.proxy()
      const driver = openReal(broker.urlFor({ vhost, via: [proxy] }))
      const target = new Target({ topic: unique('t') })
      const listener = connected
        ? await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
        : undefined
      if (connected) await driver.send(target, request(0), callOptions())
      proxy.blackhole()
      const { error, ms } = await timed(call(driver, target))
      expect(error).toMatchObject({
        code: 'OSLO_MESSAGING_TIMEOUT',
        ...(connected ? { phase: 'confirm', delivery: 'unknown' } : { phase: 'connect', delivery: 'not-sent' }),
      })
      expect(Math.abs(ms - 2000)).toBeLessThan(250)
      proxy.pass()
      await listener?.close()
      await driver.close({ signal: AbortSignal.timeout(500) })
      await proxy.close()
    }
  })

  it('P06 - the broker is blocked by an alarm', async () => {
    const { url } = await vhostUrl()
    const driver = openReal(url)
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request(0), callOptions())
    await broker.control.setMemoryAlarm()
    try {
      // The first message is what makes the broker say that it is blocked.
      const first = await timed(call(driver, target))
      expect(first.error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'confirm', delivery: 'unknown' })
      expect(driver.health()).toMatchObject({ status: 'blocked' })
      const second = await timed(call(driver, target))
      expect(second.error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'publish', delivery: 'not-sent' })
      for (const { ms } of [first, second]) expect(Math.abs(ms - 2000)).toBeLessThan(250)
    } finally {
      await broker.control.clearMemoryAlarm()
    }
    await waitFor('the end of the alarm', () => driver.health().status === 'ok', 5000)
    expect(await driver.send(target, request(7), callOptions())).toEqual({ result: 7, failure: null })
    await listener.close()
    await driver.close()
  })

  it('P06 - the server does not answer', async () => {
    const { url } = await vhostUrl()
    const driver = openReal(url)
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => incoming.acknowledge()),
    )
    const { error, ms } = await timed(call(driver, target))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'reply', delivery: 'confirmed' })
    expect(Math.abs(ms - 2000)).toBeLessThan(250)
    await listener.close()
    await driver.close()
  })
})

describe('P07 - nothing is unbounded', () => {
  it('P07 - a memory alarm and 200 000 casts of 1 KiB: memory grows by no more than what may be outstanding and the callers themselves', async () => {
    const { url } = await vhostUrl()
    const maxOutstandingBytes = 4 * 1024 * 1024
    const driver = openReal(url, { settings: { maxOutstandingBytes } })
    const target = new Target({ topic: unique('t') })
    await driver.send(target, request(0), castOptions())
    await broker.control.setMemoryAlarm()
    const payload = 'x'.repeat(1024)
    globalThis.gc?.()
    const before = process.memoryUsage()
    const deadline = Deadline.after(8000)
    let rejected = 0
    const state = { next: 0 }
    // A thousand senders, each with its next cast only when the last one has settled: what an application with bounded
    // concurrency does.
    const senders = Array.from({ length: 1000 }, async () => {
      while (state.next < 200_000 && !deadline.expired) {
        state.next += 1
        const message = { method: 'm', args: { payload } }
        const options = { ...castOptions(), deadline: Deadline.after(1000) }
        await driver.send(target, { context: {}, message }, options).catch((error: unknown) => {
          expect(isMessagingError(error)).toBe(true)
          rejected += 1
        })
      }
    })
    await Promise.all(senders)
    const grown = process.memoryUsage().rss - before.rss
    await broker.control.clearMemoryAlarm()
    expect(rejected).toBeGreaterThan(1000)
    expect(grown).toBeLessThan(maxOutstandingBytes + 64 * 1024 * 1024)
    await waitFor(
      'the broker to take messages again',
      async () => {
        await driver.send(target, request(1), castOptions())
        return true
      },
      10_000,
    )
    await driver.close({ signal: AbortSignal.timeout(2000) })
  }, 60_000)

  it('P07 - a slow consumer with a backlog holds no more than its prefetch', async () => {
    const { vhost, url } = await vhostUrl()
    const driver = openReal(url)
    const topic = unique('t')
    const target = new Target({ topic })
    const listener = await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(() => {}, { prefetch: 10 }),
    )
    await Promise.all(
      Array.from(
        { length: 2000 },
        async (_, n) => await driver.send(target, request(n), castOptions({ timeoutMs: 20_000 })),
      ),
    )
    expect((await broker.control.queue(topic, vhost))?.messages).toBe(1990)
    await listener.close()
    await waitFor(
      'what was held to go back',
      async () => (await broker.control.queue(topic, vhost))?.messages === 2000,
      5000,
    )
    await driver.close()
  })
})
