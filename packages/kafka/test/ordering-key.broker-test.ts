import { describe, expect, it, onTestFinished } from 'vitest'
import { getDriverRegistry, getNotificationListener, getNotificationTransport, Notifier } from '@oslo-messaging/core'
import { createDeferred } from '@oslo-messaging/core/driver'
import { createKafkaDriver } from '../src/index.ts'
import { partitionOfKey } from '../src/send/partition-of-key.ts'
import { plainClient, sharedKafka, unique } from './support/broker.ts'

const PARTITIONS = 4
const EVENTS = 40
const broker = await sharedKafka()
const partitionOf = (key: string): number => partitionOfKey(Buffer.from(key), PARTITIONS)
/** A key of each partition. */
const keys = Array.from({ length: PARTITIONS }, (_, partition) =>
  String(Array.from({ length: 100 }, (_all, n) => `instance-${n}`).find((key) => partitionOf(key) === partition)),
)

describe.skipIf(broker === undefined)('kafka - ordering key', () => {
  if (broker === undefined) return

  it('one key - one partition, handled in order by several workers, while other keys go on', async () => {
    const topic = unique('keyed')
    await broker.createTopics([`${topic}.info`], { partitions: PARTITIONS })
    const registry = getDriverRegistry({ drivers: [createKafkaDriver()], discover: false })
    const transport = await getNotificationTransport({ url: broker.url, registry })
    onTestFinished(async () => {
      await transport.close()
    })
    const [slow = '', ...others] = keys
    const gate = createDeferred<void>()
    const othersDone = createDeferred<void>()
    const allDone = createDeferred<void>()
    const handled = new Map<string, number[]>(keys.map((key) => [key, []]))
    let atOnce = 0
    let mostAtOnce = 0
    const info = async (_ctxt: object, _publisher: string | null, key: string | null, n: unknown): Promise<void> => {
      atOnce += 1
      mostAtOnce = Math.max(mostAtOnce, atOnce)
      if (key === slow && n === 0) await gate.promise
      // A worker that is free at once would hide what runs out of turn.
      await new Promise((resolve) => setImmediate(resolve))
      handled.get(String(key))?.push(Number(n))
      atOnce -= 1
      if (others.every((each) => handled.get(each)?.length === EVENTS)) othersDone.resolve()
      if (keys.every((each) => handled.get(each)?.length === EVENTS)) allDone.resolve()
    }
    const options = { workers: 8, pool: unique('pool') }
    await getNotificationListener(transport, [{ topic }], [{ info }], options).start()
    const notifier = new Notifier(transport, { driver: 'messagingv2', topics: [topic] })
    const sent = Array.from({ length: EVENTS }, (_, n) =>
      keys.map((key) => notifier.info({}, key, n, { orderingKey: key })),
    )
    await Promise.all(sent.flat())

    await othersDone.promise
    expect(handled.get(slow)).toEqual([])
    gate.resolve()
    await allDone.promise
    const inOrder = Array.from({ length: EVENTS }, (_, n) => n)
    expect([...handled]).toEqual(keys.map((key) => [key, inOrder]))
    expect(mostAtOnce).toBeGreaterThan(1)
    expect(await partitionsByKey(`${topic}.info`)).toEqual(new Map(keys.map((key) => [key, [partitionOf(key)]])))
  })

  /** In which partitions another program finds the records of each key. */
  async function partitionsByKey(topic: string): Promise<Map<string, number[]>> {
    const consumer = plainClient(broker ?? { hosts: [] }).consumer({ groupId: unique('reader'), maxWaitTimeInMs: 100 })
    const found = new Map<string, Set<number>>(keys.map((key) => [key, new Set()]))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    let count = 0
    const done = createDeferred<void>()
    await consumer.run({
      eachMessage: async ({ partition, message: { key } }) => {
        found.get(String(key))?.add(partition)
        count += 1
        if (count === keys.length * EVENTS) done.resolve()
        await Promise.resolve()
      },
    })
    await done.promise
    await consumer.disconnect()
    return new Map([...found].map(([key, partitions]) => [key, [...partitions]]))
  }
})
