import { describe, expect, it } from 'vitest'
import { plainClient, sharedKafka, unique, withAdmin } from './support/broker.ts'
import { eventually, listen, openReal, send } from './support/open-driver.ts'

const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka_group_instance_id', () => {
  if (broker === undefined) return

  it('a listener that ends and comes back within the session timeout has its partitions again, and the other keeps its own undisturbed', async () => {
    const topic = unique('static')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`], { partitions: 2 })
    const member = async (name: string) => {
      const driver = await openReal(broker.url, { options: { kafka_group_instance_id: name } })
      return { driver, received: await listen(driver, topic, { pool }) }
    }
    const partitionsOf = ({ received }: Awaited<ReturnType<typeof member>>): string[] =>
      (received.listener.backlog?.() ?? []).map(({ source }) => source)
    const [first, second] = [await member('first'), await member('second')]
    await eventually(() => partitionsOf(first).length === 1 && partitionsOf(second).length === 1, 'both have one')
    const before = partitionsOf(first)
    await first.driver.close()
    const [described] = await withAdmin(broker, async (admin) => (await admin.describeGroups([pool])).groups)
    expect([described?.state, described?.members.length]).toEqual(['Stable', 2])
    const back = await member('first')
    expect(partitionsOf(back)).toEqual(before)
    expect(partitionsOf(second)).toHaveLength(1)
    for (let n = 0; n < 10; n += 1) await send(back.driver, `${topic}.info`, n)
    await eventually(() => back.received.payloads.length + second.received.payloads.length === 10, 'all ten came')
    const came = [...back.received.payloads, ...second.received.payloads]
    expect(came.map(Number).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await Promise.all([back.driver.close(), second.driver.close()])
  })

  it('two listeners of a group in one process get names of their own', async () => {
    const topic = unique('static-two')
    const pool = unique('pool')
    const driver = await openReal(broker.url, { options: { kafka_group_instance_id: 'one' } })
    await listen(driver, topic, { pool })
    await listen(driver, topic, { pool })
    const admin = plainClient(broker).admin()
    await admin.connect()
    const { groups } = await admin.describeGroups([pool])
    await admin.disconnect()
    expect(groups[0]?.members.length).toBe(2)
    await driver.close()
  })

  it('another process comes by the same name - the older listener ends, and says what to do', async () => {
    const topic = unique('static-same')
    const pool = unique('pool')
    const options = { kafka_group_instance_id: 'same' }
    const older = await openReal(broker.url, { options })
    const { listener } = await listen(older, topic, { pool })
    const younger = await openReal(broker.url, { options })
    await listen(younger, topic, { pool })
    await expect(listener.closed).rejects.toThrow(/FENCED_INSTANCE_ID.*give each process a name of its own/)
    await Promise.all([older.close(), younger.close()])
  })
})
