import { expect, it } from 'vitest'
import { createTopics } from '../../src/kafka/protocol.ts'
import { SHARED_KAFKA } from '../../src/shared.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const ROUNDS = 12
/** Longer than a session of a broker that tests may kill. */
const HELD_UP_MS = 3000

/** A machine that has no time for Kafka; what it is asked right afterwards finds it as it was left. */
async function afterEachHoldUp(
  kafka: { freeze(): Promise<void>; thaw(): Promise<void> },
  ask: (round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await kafka.freeze()
    await new Promise((resolve) => setTimeout(resolve, HELD_UP_MS))
    await kafka.thaw()
    await ask(round)
  }
}

const shared = await skipOrFail(startBroker('kafka', SHARED_KAFKA))
const own = await skipOrFail(startBroker('kafka'))

it.runIf(shared)('the Kafka that tests share is never locked out by a machine that is busy for seconds', async () => {
  await using kafka = shared as NonNullable<typeof shared>
  const [host = { host: '', port: 0 }] = kafka.hosts
  await afterEachHoldUp(kafka, async (round) => {
    const codes = await createTopics(host, [`t-${round}`], { partitions: 1, replicas: 1 })
    expect([...codes]).toEqual([[`t-${round}`, 0]])
  })
})

it.runIf(own)('topics are made on a Kafka that was locked out a moment before', async () => {
  await using kafka = own as NonNullable<typeof own>
  await afterEachHoldUp(kafka, async (round) => await kafka.createTopics([`t-${round}`]))
})
