import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, unique } from './support/broker.ts'
import { heapCollector } from './support/heap.ts'
import { idleNat } from './support/idle-nat.ts'
import { waitFor } from './support/load.ts'
import { callOptions, castOptions, echo, listenOptions } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

// What other tests show with shortened times, with the times operators really have: forty minutes in all, most of them
// spent waiting, side by side.

const MINUTE_MS = 60_000
const MIB = 2 ** 20
const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })
const after = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

const broker = await ownRabbit()

describe.skipIf(broker === undefined).concurrent('the real times', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it.each(['before', 'after'] as const)(
    'P20 - a handler of 40 minutes and a consumer timeout of 30, acknowledged %s it runs: it runs once and its reply arrives',
    async (ack) => {
      const driver = openReal(await broker.vhost(unique('long')), { settings: { ack } })
      const target = new Target({ topic: unique('t') })
      let runs = 0
      const listener = await driver.listen(
        target.with({ server: 'a' }),
        listenOptions<IncomingRequest>((incoming) => {
          runs += 1
          incoming.acknowledge()
          void after(40 * MINUTE_MS)
            .then(async () => await incoming.reply({ result: 'long', failure: null }))
            .then(() => incoming.finished?.())
        }),
      )
      const reasons = new Set<string>()
      const look = setInterval(() => {
        for (const { kind, reason } of driver.health().components)
          if (kind === 'listener' && reason !== undefined) reasons.add(reason)
      }, 1)
      const answer = await driver.send(target, request(1), callOptions({ timeoutMs: 45 * MINUTE_MS }))
      clearInterval(look)
      expect(answer).toEqual({ result: 'long', failure: null })
      expect(runs).toBe(1)
      tell(`acknowledged ${ack}: ${runs} run; the listener said: ${[...reasons].join('; ') || 'nothing'}`)
      // Before: no channel was closed. After: the broker closes it, the documented price of that mode.
      if (ack === 'before') expect([...reasons]).toEqual([])
      else expect([...reasons].join('\n')).toMatch(/acknowledgement.*timed out/)
      await waitFor('the listener', () => driver.health().status === 'ok', 10_000)
      await listener.close()
      await driver.close()
    },
  )

  it('P17 - an idle connection behind a router that forgets after 60 s stays alive for ten minutes', async () => {
    const vhost = unique('idle')
    await broker.vhost(vhost)
    const [host] = broker.hosts
    if (host === undefined) throw new Error('The broker has no address')
    const nat = await idleNat(host, MINUTE_MS)
    const driver = openReal(broker.urlFor({ vhost, via: [nat] }))
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request(1), callOptions())
    const since = driver.health().components.map(({ sinceMs }) => sinceMs)
    await after(10 * MINUTE_MS)
    expect(await driver.send(target, request(2), callOptions())).toEqual({ result: 2, failure: null })
    expect(driver.health().components.map(({ sinceMs }) => sinceMs)).toEqual(since)
    expect(nat.forgotten).toBe(0)
    tell('idle for ten minutes behind a router that forgets after 60 s: the same connections, none forgotten')
    await listener.close()
    await driver.close()
    await nat.close()
  })

  it('P07 - a slow consumer with a backlog of a million: for ten minutes never more than the prefetch is unacknowledged, and the heap stays flat', async () => {
    const vhost = unique('slow')
    const driver = openReal(await broker.vhost(vhost), { options: { amqp_durable_queues: true } })
    const topic = unique('t')
    const target = new Target({ topic })
    const prefetch = 32
    let handled = 0
    const listener = await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(
        (incoming) => {
          void after(100).then(() => {
            incoming.acknowledge()
            handled += 1
          })
        },
        { prefetch },
      ),
    )
    const text = 'x'.repeat(1024)
    const total = 1_000_000
    let sent = 0
    const work = async (): Promise<void> => {
      while (sent < total) {
        sent += 1
        const message = { method: 'm', args: { text } }
        await driver.send(target, { context: {}, message }, castOptions({ timeoutMs: MINUTE_MS }))
      }
    }
    await Promise.all(Array.from({ length: 256 }, work))
    const collect = heapCollector()
    const unacknowledged =
      `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${topic}">>)),` +
      'proplists:get_value(messages_unacknowledged,rabbit_amqqueue:info(Q,[messages_unacknowledged]))'
    const heaps: number[] = []
    let most = 0
    for (const until = performance.now() + 10 * MINUTE_MS; performance.now() < until; await after(5000)) {
      most = Math.max(most, Number(await broker.control.eval(unacknowledged)))
      heaps.push(collect() / MIB)
    }
    const [first = 0] = heaps
    const last = heaps.at(-1) ?? 0
    tell(
      `backlog of ${total.toLocaleString('en')}: ${handled.toLocaleString('en')} handled, most unacknowledged ${most} (prefetch ${prefetch}), heap ${first.toFixed(1)} to ${last.toFixed(1)} MiB, highest ${Math.max(...heaps).toFixed(1)}`,
    )
    expect(handled).toBeGreaterThan(0)
    expect(handled).toBeLessThan(total / 2)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(prefetch)
    expect(Math.max(...heaps)).toBeLessThan(first * 1.1 + 2)
    await listener.close()
    await driver.close()
  })
})
