import { describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique } from '../support/broker.ts'
import {
  coordinatorOf,
  createTopicAt,
  leaderOf,
  moveCoordinator,
  moveLeader,
  nodeOf,
  settled,
} from '../support/cluster.ts'
import { allReceived, duplicates, Load, outcomes } from '../support/load.ts'
import { eventually, listen, openReal, type Received } from '../support/open-driver.ts'
import { OFFSETS, useClusterDriver } from '../support/suite-driver.ts'

export async function describeClusterRoll(version: string): Promise<void> {
  const broker = await skipOrFail(startBroker('kafka', { version, nodes: 3 }))
  describe.skipIf(broker === undefined)(`kafka ${version} cluster, moves and rolls`, () => {
    if (broker !== undefined) clusterRollTests(broker)
  })
}

function clusterRollTests(broker: KafkaBroker): void {
  let driver: Driver
  useClusterDriver(broker, (opened) => (driver = opened))

  it('P11 rolling restart under load - nothing rejected, nothing lost, nothing doubled', async () => {
    const topic = unique('roll')
    await createTopicAt(broker, `${topic}.info`, 1)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const load = new Load(driver, `${topic}.info`, { callers: 16, perSec: 500 })
    const standstill = watch(received)
    await load.until(200)
    for (const id of [1, 2, 3]) {
      await nodeOf(broker, id).stop()
      await nodeOf(broker, id).start()
      await settled(broker, [OFFSETS, `${topic}.info`])
    }
    const had = received.messages.length
    await received.until(had + 200, 30_000)
    await load.stop()
    await allReceived(load, [received])
    const gapMs = standstill()
    console.log(
      `rolling restart: ${load.resolved.size} stored, rejected ${outcomes(load)}, consumer stood still for ${gapMs} ms`,
    )
    expect(outcomes(load)).toBe('{}')
    expect(duplicates(received.payloads)).toBe(0)
    expect(gapMs).toBeLessThanOrEqual(30_000)
    await eventually(() => driver.health().status === 'ok', 'health ok', 10_000)
    await received.listener.close()
  })

  it('leader moved to another broker - nothing rejected, nothing lost', async () => {
    const topic = unique('leader')
    await createTopicAt(broker, `${topic}.info`, 1)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const load = new Load(driver, `${topic}.info`, { callers: 16, perSec: 500 })
    const standstill = watch(received)
    await load.until(200)
    await moveLeader(broker, `${topic}.info`)
    expect(await leaderOf(broker, `${topic}.info`)).not.toBe(1)
    const had = received.messages.length
    await received.until(had + 500, 30_000)
    await load.stop()
    await allReceived(load, [received])
    console.log(`leader moved: consumer stood still for ${standstill()} ms`)
    expect(outcomes(load)).toBe('{}')
    expect(duplicates(received.payloads)).toBe(0)
    await received.listener.close()
  })

  it.each(['before', 'after'])(
    'trap 5, coordinator moved, commit %s - consumption resumes within 30 s',
    async (mode) => {
      const topic = unique('coordinator')
      const own = await openReal(broker.url, { options: { kafka_commit_mode: mode } })
      const moveFrom = await coordinatorOf(broker)
      await createTopicAt(broker, `${topic}.info`, (moveFrom % 3) + 1)
      const received = await listen(own, topic, { pool: unique('pool') })
      const load = new Load(own, `${topic}.info`, { callers: 8, perSec: 200 })
      const standstill = watch(received)
      await load.until(100)
      // Moved away from a broker that lives on: nobody's connection breaks, only the answers change.
      await moveCoordinator(broker)
      await load.until(load.resolved.size + 600)
      await load.stop()
      await allReceived(load, [received])
      const moveMs = standstill()
      const doubled = duplicates(received.payloads)
      console.log(`coordinator moved, commit ${mode}: consumer stood still for ${moveMs} ms, ${doubled} doubled`)
      expect(moveMs).toBeLessThanOrEqual(30_000)
      expect(outcomes(load)).toBe('{}')
      if (mode === 'before') expect(doubled).toBe(0)
      // And the group's position is where the listener is: another member goes on behind it.
      await received.listener.close()
      await own.close()
    },
  )

  it('trap 5, coordinator killed and back - consumption resumes within 30 s, both times', async () => {
    const topic = unique('dead-coordinator')
    await settled(broker, [OFFSETS])
    const victim = await coordinatorOf(broker)
    await createTopicAt(broker, `${topic}.info`, (victim % 3) + 1)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const load = new Load(driver, `${topic}.info`, { callers: 8, perSec: 200 })
    await load.until(100)
    let standstill = watch(received)
    await nodeOf(broker, victim).kill()
    let had = received.messages.length
    await received.until(had + 400, 40_000)
    const killedMs = standstill()
    standstill = watch(received)
    await nodeOf(broker, victim).start()
    had = received.messages.length
    await received.until(had + 1000, 40_000)
    const backMs = standstill()
    await load.stop()
    await allReceived(load, [received])
    console.log(`coordinator killed: stood still for ${killedMs} ms; back: ${backMs} ms; rejected ${outcomes(load)}`)
    expect(Math.max(killedMs, backMs)).toBeLessThanOrEqual(30_000)
    expect(outcomes(load)).toBe('{}')
    expect(duplicates(received.payloads)).toBe(0)
    await received.listener.close()
  })
}

/** Watches how long nothing arrives at a listener that has something to receive all the time; the returned function
 *  ends that and says the longest, milliseconds. */
function watch(received: Received): () => number {
  let count = received.messages.length
  let since = performance.now()
  let longest = 0
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - since)
    if (received.messages.length === count) return
    count = received.messages.length
    since = now
  }
  const timer = setInterval(look, 20)
  return () => {
    clearInterval(timer)
    return Math.round(longest)
  }
}
