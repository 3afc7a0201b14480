import { ConfigResourceTypes } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { plainClient, unique, withAdmin } from '../support/broker.ts'
import { createTopicAt, nodeOf, settled } from '../support/cluster.ts'
import { allReceived, duplicates, Load, storedIn } from '../support/load.ts'
import { listen, openReal, send } from '../support/open-driver.ts'

const ROUNDS = 5

/** What three brokers that learn of topics one after the other, and fall out of sync, mean for our user. */
export async function describeClusterTopics(version: string): Promise<void> {
  const broker = await skipOrFail(startBroker('kafka', { version, nodes: 3 }))
  describe.skipIf(broker === undefined)(`kafka ${version} cluster, topics and replicas`, () => {
    if (broker !== undefined) clusterTopicsTests(broker)
  })
}

function clusterTopicsTests(broker: KafkaBroker): void {
  let driver: Driver

  beforeAll(async () => {
    driver = await openReal(broker.url)
    const first = await listen(driver, unique('first'))
    await first.listener.close()
    await settled(broker, ['__consumer_offsets'])
  })

  afterAll(async () => {
    await driver.close()
    await broker.close()
  })

  it('trap 3, trap 4, topics that some brokers do not know yet - made by whoever comes first, and nothing is lost', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const sentFirst = unique('sent-first')
      await send(driver, `${sentFirst}.info`, round)
      expect(await storedIn(broker, `${sentFirst}.info`)).toEqual([round])
      const readFirst = unique('read-first')
      // Another connection each time, so that it may begin with any of the three.
      const own = await openReal(broker.urlFor({ via: rotated(broker.hosts, round) }))
      const received = await listen(own, readFirst, { pool: unique('pool') })
      await send(driver, `${readFirst}.info`, round)
      await received.until(1)
      expect(received.payloads).toEqual([round])
      await own.close()
    }
  })

  it('error row: ISR below min.insync.replicas - sends reject at the deadline with the reason, and go through once the replica is back', async () => {
    const topic = unique('isr')
    const probe = unique('isr-probe')
    const names = [`${topic}.info`, probe]
    for (const name of names) await createTopicAt(broker, name, 1)
    await withAdmin(broker, async (admin) => {
      await admin.alterConfigs({
        validateOnly: false,
        resources: names.map((name) => ({
          type: ConfigResourceTypes.TOPIC,
          name,
          configEntries: [{ name: 'min.insync.replicas', value: '3' }],
        })),
      })
    })
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 'three')
    await nodeOf(broker, 3).kill()
    await eventuallyRefused(broker, probe)
    const beside = unique('beside')
    const outcomes = await Promise.allSettled([
      send(driver, `${topic}.info`, 'two', { timeoutMs: 3000 }),
      send(driver, `${topic}.info`, 'none', { timeoutMs: 5000, retries: 1 }),
      send(driver, `${beside}.info`, 1, { timeoutMs: 20_000 }),
    ])
    const [timedOut, gaveUp, other] = outcomes
    expect(other).toEqual({ status: 'fulfilled', value: undefined })
    expect((gaveUp as PromiseRejectedResult).reason).toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      delivery: 'not-sent',
      cause: { brokerCode: 'NOT_ENOUGH_REPLICAS' },
    })
    expect((timedOut as PromiseRejectedResult).reason).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      cause: { brokerCode: 'NOT_ENOUGH_REPLICAS', message: expect.stringContaining('min.insync.replicas') as string },
    })
    const waiting = new Load(driver, `${topic}.info`, { callers: 4, total: 4 })
    await nodeOf(broker, 3).start()
    await waiting.done
    expect(waiting.rejected.size).toBe(0)
    await allReceived(waiting, [received])
    expect(duplicates(received.payloads)).toBe(0)
    expect(received.payloads).not.toContain('none')
    await received.listener.close()
  })
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

/** Until a replica that is gone is noticed, its leader waits for it; and it tells that it has noticed some milliseconds
 *  before it acts upon it. So a topic that lies on the same brokers is sent to, until that is refused. */
async function eventuallyRefused(broker: KafkaBroker, topic: string): Promise<void> {
  const producer = plainClient({ hosts: broker.hosts.slice(0, 2) }).producer({ retry: { retries: 0 } })
  await producer.connect()
  let last: unknown
  const refused = async (): Promise<boolean> => {
    last = await producer
      .send({ topic, acks: -1, timeout: 100, messages: [{ value: 'probe' }] })
      .catch((error: unknown) => error)
    return last instanceof Error && [last, last.cause].some((each) => typeOf(each) === 'NOT_ENOUGH_REPLICAS')
  }
  const until = performance.now() + 60_000
  while (!(await refused()))
    if (performance.now() > until) throw new Error('The topic still takes records', { cause: last })
  await producer.disconnect()
}

function typeOf(error: unknown): unknown {
  return error instanceof Error ? (error as { readonly type?: unknown }).type : undefined
}
