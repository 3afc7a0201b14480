import { describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique, withAdmin } from '../support/broker.ts'
import { createTopicOnAll, nodeOf, settled, until } from '../support/cluster.ts'
import { duplicates, Load, outcomes, storedIn } from '../support/load.ts'
import { eventually, listen, openReal, send } from '../support/open-driver.ts'
import { useClusterDriver } from '../support/suite-driver.ts'

/** What topics of one program mean for each other: one without a leader, and one whose callers give up early. */
export async function describeClusterNeighbours(version: string): Promise<void> {
  const broker = await skipOrFail(startBroker('kafka', { version, nodes: 3 }))
  describe.skipIf(broker === undefined)(`kafka ${version} cluster, neighbours`, () => {
    if (broker !== undefined) clusterNeighbourTests(broker)
  })
}

function clusterNeighbourTests(broker: KafkaBroker): void {
  let driver: Driver
  useClusterDriver(broker, (opened) => (driver = opened))

  it('a topic whose only replica is away - its neighbours are sent to and received, by old and by new programs, and it goes on when it is back', async () => {
    const [sick, well] = [unique('sick'), unique('well')]
    await withAdmin(broker, async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic: `${sick}.info`,
            replicaAssignment: [
              { partition: 0, replicas: [1] },
              { partition: 1, replicas: [3] },
            ],
          },
        ],
      })
    })
    await createTopicOnAll(broker, `${well}.info`, 3)
    await settled(broker, [`${sick}.info`, '__consumer_offsets'])
    const running = await listen(driver, sick, { topics: [sick, well], pool: unique('pool') })
    await send(driver, `${sick}.info`, 'before')
    await send(driver, `${well}.info`, 'before')
    await running.until(2)
    await nodeOf(broker, 3).kill()
    await until(async () => {
      const { topics } = await withAdmin({ hosts: broker.hosts.slice(0, 2) }, async (admin) => {
        return await admin.fetchTopicMetadata({ topics: [`${well}.info`] })
      })
      return topics[0]?.partitions.every(({ leader }) => leader === 1 || leader === 2) || undefined
    }, 'other leaders')

    // Programs that begin now meet the sick topic in their first answer about the cluster.
    const via = broker.hosts.slice(0, 2)
    const late = await openReal(broker.urlFor({ via }))
    await send(late, `${well}.info`, 'from a new publisher', { timeoutMs: 20_000 })
    const beginning = await listen(late, sick, { topics: [sick, well], pool: unique('pool'), timeoutMs: 30_000 })
    await send(driver, `${well}.info`, 'from a running publisher', { timeoutMs: 20_000 })
    await Promise.all([running.until(4, 40_000), beginning.until(1, 40_000)])
    expect(new Set(running.payloads.slice(2))).toEqual(new Set(['from a new publisher', 'from a running publisher']))
    expect(beginning.payloads).toEqual(['from a running publisher'])

    await nodeOf(broker, 3).start()
    await settled(broker, [`${sick}.info`, '__consumer_offsets'])
    const [hadRunning, hadBeginning] = [running.messages.length, beginning.messages.length]
    for (let n = 0; n < 6; n += 1) await send(driver, `${sick}.info`, n)
    await Promise.all([running.until(hadRunning + 6, 40_000), beginning.until(hadBeginning + 6, 40_000)])
    expect(duplicates(running.payloads.slice(hadRunning))).toBe(0)
    expect(
      beginning.payloads
        .slice(hadBeginning)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5])
    await Promise.all([running.listener.close(), late.close()])
  })

  it('three topics, two with short deadlines, while connections break - the third rejects nothing, and what is resolved is stored once', async () => {
    const topics = [unique('patient'), unique('hasty'), unique('hasty')].map((name) => `${name}.info`)
    for (const topic of topics) await createTopicOnAll(broker, topic, 3)
    await using proxies = await openProxies(broker)
    const own = await openReal(proxies.url)
    const loads = topics.map(
      (topic, index) => new Load(own, topic, { callers: 8, timeoutMs: () => (index === 0 ? 60_000 : 300) }),
    )
    for (let round = 0; round < 12; round += 1) {
      await loads[0]?.until(20 * (round + 1))
      for (const proxy of proxies.list) proxy.blackhole()
      await new Promise((resolve) => setTimeout(resolve, 700))
      for (const proxy of proxies.list) proxy.pass()
    }
    await Promise.all(loads.map(async (load) => await load.stop()))
    await own.close()
    const [patient] = loads
    console.log(
      `cuts: ${loads.map((load) => `${load.resolved.size} resolved, rejected ${outcomes(load)}`).join(' | ')}`,
    )
    expect(patient === undefined ? '' : outcomes(patient)).toBe('{}')
    for (const [index, topic] of topics.entries()) {
      const stored = await storedIn(broker, topic)
      const held = new Set(stored)
      expect([...(loads[index]?.resolved ?? [])].filter((n) => !held.has(n))).toEqual([])
      expect(duplicates(stored)).toBe(0)
      const notSent = [...(loads[index]?.rejected ?? [])].filter(
        ([, error]) => (error as { readonly delivery?: string }).delivery === 'not-sent',
      )
      expect(notSent.filter(([n]) => held.has(n))).toEqual([])
    }
    await eventually(() => driver.health().status === 'ok', 'health ok', 20_000)
  })
}

/** A proxy before each broker, all of which tell their clients to come that way. */
async function openProxies(broker: KafkaBroker) {
  const list = await Promise.all(broker.nodes.map(async (_, index) => await broker.proxy(index)))
  const url = broker.urlFor({ via: list.map(({ host, port }) => ({ host, port })) })
  return {
    list,
    url,
    [Symbol.asyncDispose]: async () => void (await Promise.all(list.map(async (proxy) => await proxy.close()))),
  }
}
