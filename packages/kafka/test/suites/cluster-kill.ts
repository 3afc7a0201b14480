import { afterEach, describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { type Driver, isMessagingError } from '@oslo-messaging/core/driver'
import { unique } from '../support/broker.ts'
import {
  type BrokerId,
  controllerOf,
  coordinatorOf,
  createTopicAt,
  leaderOf,
  nodeOf,
  settled,
} from '../support/cluster.ts'
import { allReceived, duplicates, Load, outcomes, storedIn } from '../support/load.ts'
import { listen, openReal } from '../support/open-driver.ts'
import { OFFSETS, useClusterDriver } from '../support/suite-driver.ts'

const TOTAL = 10_000
export async function describeClusterKill(version: string): Promise<void> {
  const broker = await skipOrFail(startBroker('kafka', { version, nodes: 3 }))
  describe.skipIf(broker === undefined)(`kafka ${version} cluster, kill -9 of one of three brokers`, () => {
    if (broker !== undefined) clusterKillTests(broker)
  })
}

function clusterKillTests(broker: KafkaBroker): void {
  let driver: Driver
  useClusterDriver(broker, (opened) => (driver = opened))

  afterEach(async () => {
    await broker.start()
    await settled(broker, [OFFSETS])
  })

  const other = (than: readonly BrokerId[]): BrokerId => [1, 2, 3].find((id) => !than.includes(id)) ?? 1

  it.each([
    {
      role: 'leader of the topic only',
      choose: async () => other([await coordinatorOf(broker), await controllerOf(broker)]),
    },
    { role: 'coordinator of the group', choose: async () => await coordinatorOf(broker) },
    { role: 'active controller', choose: async () => await controllerOf(broker) },
  ])('P13 $role during 10,000 - resolved is stored, rejected says what is known', async ({ role, choose }) => {
    const victim = await choose()
    const topic = unique('kill')
    // The victim also leads the topic: every notification has to survive it.
    await createTopicAt(broker, `${topic}.info`, victim)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const arrivals: number[] = []
    const watch = setInterval(() => arrivals.push(received.messages.length), 100)
    // Every fourth caller is impatient, so that there is somebody to be told the truth.
    const load = new Load(driver, `${topic}.info`, {
      callers: 64,
      total: TOTAL,
      timeoutMs: (n) => (n % 4 === 0 ? 700 : 60_000),
    })
    await load.until(3000)
    await nodeOf(broker, victim).kill()
    const killedAt = arrivals.length
    await load.done
    await allReceived(load, [received])
    clearInterval(watch)

    const stored = await storedIn(broker, `${topic}.info`)
    const kept = new Set(stored)
    expect([...load.resolved].filter((n) => !kept.has(n))).toEqual([])
    expect(duplicates(stored)).toBe(0)
    for (const [n, error] of load.rejected) {
      expect(isMessagingError(error)).toBe(true)
      expect(error).toMatchObject({
        phase: expect.stringMatching(/^(connect|publish|confirm)$/) as string,
        delivery: expect.stringMatching(/^(not-sent|unknown)$/) as string,
      })
      if ((error as { delivery: string }).delivery === 'not-sent') expect(kept.has(n)).toBe(false)
    }
    expect(load.resolved.size + load.rejected.size).toBe(TOTAL)
    expect(duplicates(received.payloads)).toBe(0)
    expect(await leaderOf(broker, `${topic}.info`)).not.toBe(victim)

    const gapMs = longestStandstill(arrivals.slice(Math.max(0, killedAt - 1))) * 100
    console.log(
      `${role}: ${load.resolved.size} resolved, ${load.rejected.size} rejected ${outcomes(load)}; ` +
        `${stored.length} stored; consumer stood still for ${gapMs} ms`,
    )
    expect(gapMs).toBeLessThanOrEqual(30_000)
    await received.listener.close()
  })

  it('P11 two of three killed for 5 s - sends reject at their deadline, then all goes on', async () => {
    const topic = unique('two')
    const survivor = await coordinatorOf(broker)
    await createTopicAt(broker, `${topic}.info`, survivor)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const load = new Load(driver, `${topic}.info`, {
      callers: 8,
      perSec: 200,
      timeoutMs: (n) => (n % 2 === 0 ? 2000 : 120_000),
    })
    await load.until(100)
    const others = broker.nodes.filter((_, index) => index !== survivor - 1)
    await Promise.all(others.map(async (node) => await node.kill()))
    // Acknowledged by all means at least two here, so nothing can be stored any more, and somebody has to be told.
    const deadline = Date.now() + 20_000
    while (load.rejected.size === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(load.rejected.size).toBeGreaterThan(0)
    await Promise.all(others.map(async (node) => await node.start()))
    const before = load.resolved.size
    const backAt = performance.now()
    await load.until(before + 200)
    const sendsAgainMs = Math.round(performance.now() - backAt)
    const had = received.messages.length
    await received.until(had + 50, 30_000)
    const listensAgainMs = Math.round(performance.now() - backAt)
    await load.stop()
    await allReceived(load, [received])
    expect(listensAgainMs).toBeLessThanOrEqual(30_000)
    expect(duplicates(received.payloads)).toBe(0)
    console.log(
      `two of three: ${load.rejected.size} rejected ${outcomes(load)}; ` +
        `after the return sending ${sendsAgainMs} ms, receiving ${listensAgainMs} ms`,
    )
    await received.listener.close()
  })

  it('one of three down at start, and named first - both sides begin', async () => {
    const topic = unique('start')
    await createTopicAt(broker, `${topic}.info`, 2)
    await nodeOf(broker, 1).kill()
    const own = await openReal(broker.url)
    const received = await listen(own, topic, { pool: unique('pool'), timeoutMs: 30_000 })
    const load = new Load(own, `${topic}.info`, { callers: 8, total: 200 })
    await load.done
    expect(load.rejected.size).toBe(0)
    await allReceived(load, [received])
    // And it finds the one that comes later.
    await nodeOf(broker, 1).start()
    await nodeOf(broker, 2).kill()
    const more = new Load(own, `${topic}.info`, { callers: 8, total: 200 })
    await more.done
    expect(more.rejected.size).toBe(0)
    await received.until(400, 30_000)
    await own.close()
  })
}

/** Longest run of equal neighbours while there was something to wait for. */
function longestStandstill(counts: readonly number[]): number {
  const last = counts.findIndex((value) => value === counts.at(-1))
  let longest = 0
  let run = 0
  for (let at = 1; at <= last; at += 1) {
    run = counts[at] === counts[at - 1] ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}
