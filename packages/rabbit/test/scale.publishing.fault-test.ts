import { type IncomingRequest, isMessagingError, Target, TransportURL } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, unique } from './support/broker.ts'
import { countingClient } from './support/counting-client.ts'
import { JobProcess } from './support/job-process.ts'
import { castOptions, listenOptions, openDriver } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()
const MIB = 2 ** 20

describe.skipIf(broker === undefined)('publishing when the broker fails or refuses', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it('P05 - kill -9 during 10,000 publishes to a durable queue: what resolved is stored, every promise settles, nothing stays outstanding', async () => {
    const vhost = unique('killed')
    const url = await broker.vhost(vhost)
    const options = { amqp_durable_queues: true, kombu_reconnect_delay: 0.1, rabbit_interval_max: 2 }
    const topic = unique('t')
    const target = new Target({ topic })
    const first = openReal(url, { options })
    const listener = await first.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(() => {}),
    )
    await listener.close()
    await first.close()
    await broker.control.flush()

    const client = countingClient()
    const settings = { maxWaitingMessages: 10_000 }
    const driver = openDriver(client, { url: TransportURL.parse(url), options, settings })
    const resolved: number[] = []
    const rejected: unknown[] = []
    const startedAt = performance.now()
    const all = Array.from({ length: 10_000 }, async (_, n) => {
      const message = { method: 'count', args: { n } }
      await driver.send(target, { context: {}, message }, castOptions({ timeoutMs: 60_000 })).then(
        () => resolved.push(n),
        (error: unknown) => rejected.push(error),
      )
    })
    await expect.poll(() => resolved.length, { timeout: 30_000, interval: 1 }).toBeGreaterThan(2000)
    await broker.kill()
    const atKill = resolved.length
    expect(atKill).toBeLessThan(10_000)
    await broker.start()
    await Promise.all(all)
    const tookMs = performance.now() - startedAt
    expect(resolved.length + rejected.length).toBe(10_000)
    expect(tookMs).toBeLessThan(60_000)
    for (const error of rejected) {
      expect(isMessagingError(error)).toBe(true)
      expect(error).toMatchObject({ delivery: 'unknown' })
    }
    expect(client.counts.settled).toBe(client.counts.published)

    const stored: number[] = []
    const reader = openReal(url, { options })
    const reading = await reader.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(
        (request) => {
          request.acknowledge()
          stored.push((request.message['args'] as { n: number }).n)
        },
        { prefetch: 500 },
      ),
    )
    await expect.poll(() => notIn(resolved, stored), { timeout: 30_000 }).toEqual([])
    tell(
      `10,000 publishes: ${resolved.length} resolved (${atKill} when it was killed), ${rejected.length} unknown, ${stored.length} stored; all settled after ${Math.round(tookMs)} ms; ${client.counts.published} handed over, ${client.counts.settled} settled`,
    )
    expect(resolved.length).toBeLessThanOrEqual(new Set(stored).size)
    expect(new Set(stored).size).toBe(stored.length)
    await reading.close()
    await reader.close()
    await driver.close()
  })

  it.each([
    { name: 'a memory alarm', alarm: true, expected: 'OSLO_MESSAGING_BACKPRESSURE' },
    { name: 'a broker that is well', alarm: false, expected: 'resolved' },
  ])(
    'P07 - 1,000,000 casts of 1 KiB to $name, sent without waiting, on a heap without a limit: every one settles, and what is held stays below 64 MiB',
    async ({ alarm, expected }) => {
      const url = await broker.vhost(unique('flood'))
      const given = { topic: unique('t'), attempts: 1_000_000, timeoutMs: 500, alarm }
      await using load = new JobProcess('flood', url, given, null)
      await load.fact('ready')
      if (alarm) await broker.control.setMemoryAlarm()
      try {
        load.go()
        const { attempted, before, peak, mostOpen, outcomes, status, states } = await load.fact('attempted')
        const growth = (Number(peak) - Number(before)) / MIB
        tell(
          `${alarm ? 'blocked' : 'taken'}: ${String(attempted)} attempts, ${JSON.stringify(outcomes)}, held ${Math.round(Number(before) / MIB)} MiB + ${Math.round(growth)} MiB; health ${String(status)}: ${String(states)}; at most ${String(mostOpen)} at a time`,
        )
        expect(attempted).toBe(1_000_000)
        expect(Object.keys(outcomes as object)).toContain(expected)
        if (alarm) {
          expect(Object.keys(outcomes as object)).not.toContain('resolved')
          expect(String(states)).toContain('blocked')
        }
        // 9 MiB of it are the messages that may be outstanding and wait.
        expect(growth).toBeLessThanOrEqual(64)
        // What is outstanding, what waits, and a turn of the event loop.
        expect(mostOpen).toBeLessThanOrEqual(4096 + 4096 + 1000)
      } finally {
        if (alarm) await broker.control.clearMemoryAlarm()
      }
    },
    900_000,
  )
})

function notIn(wanted: readonly number[], there: readonly number[]): readonly number[] {
  const set = new Set(there)
  return wanted.filter((n) => !set.has(n))
}
