import { describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique } from '../support/broker.ts'
import { createTopicOnAll, electOthers, settled } from '../support/cluster.ts'
import { duplicates, Load, outcomes, storedIn } from '../support/load.ts'
import { useClusterDriver } from '../support/suite-driver.ts'

const PARTITIONS = 6
const ROUNDS = 30
const EVERY_MS = 800

/** What a topic of several partitions means while its leaders change. */
export async function describeClusterElections(version: string): Promise<void> {
  const broker = await skipOrFail(
    startBroker('kafka', { version, nodes: 3, config: { 'auto.leader.rebalance.enable': 'false' } }),
  )
  describe.skipIf(broker === undefined)(`kafka ${version} cluster, elections`, () => {
    if (broker !== undefined) clusterElectionTests(broker)
  })
}

function clusterElectionTests(broker: KafkaBroker): void {
  let driver: Driver
  useClusterDriver(broker, (opened) => (driver = opened))

  it(`leaders of ${PARTITIONS} partitions elected ${ROUNDS} times under load - what is resolved is stored, and stored once`, async () => {
    const topic = unique('elections')
    await createTopicOnAll(broker, `${topic}.info`, PARTITIONS)
    const load = new Load(driver, `${topic}.info`, { callers: 16 })
    await load.until(200)
    for (let round = 1; round <= ROUNDS; round += 1) {
      await electOthers(broker, `${topic}.info`, PARTITIONS, round)
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
    await load.stop()
    await settled(broker, [`${topic}.info`])
    const stored = await storedIn(broker, `${topic}.info`)
    const held = new Set(stored)
    const missing = [...load.resolved].filter((n) => !held.has(n))
    console.log(
      `${ROUNDS} elections: ${load.resolved.size} resolved, ${missing.length} of them not stored, ${duplicates(stored)} stored twice, rejected ${outcomes(load)}`,
    )
    expect({ missing: missing.length, twice: duplicates(stored) }).toEqual({ missing: 0, twice: 0 })
    expect(outcomes(load)).toBe('{}')
  })
}
