import { describe, expect, it } from 'vitest'
import type { IncomingNotification } from '@oslo-messaging/core/driver'
import { sharedKafka, unique, withAdmin } from './support/broker.ts'
import { Child } from './support/child.ts'
import { Load } from './support/load.ts'
import { eventually, listen, openReal } from './support/open-driver.ts'

const broker = await sharedKafka()
/** The default; the shorter ones are in slow-handler.fault-test.ts. */
const SESSION = { kafka_session_timeout: 30 }
const HANDLER_MS = 90_000

describe.skipIf(broker === undefined)('kafka groups, slow handlers', () => {
  if (broker === undefined) return

  /** Changes whenever a member was evicted or left. */
  const membersOf = async (group: string): Promise<readonly string[]> =>
    await withAdmin(broker, async (admin) => {
      const { groups } = await admin.describeGroups([group])
      return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId)).toSorted()
    })

  it.concurrent.each(['before', 'after'])(
    'P10 a 90 s handler with a 30 s session, commit %s - no rebalance, one invocation',
    async (mode) => {
      const topic = unique(`slow-${mode}`)
      const pool = unique('pool')
      await broker.createTopics([`${topic}.info`], { partitions: 2 })
      const driver = await openReal(broker.url, { options: { ...SESSION, kafka_commit_mode: mode } })
      const other = await openReal(broker.url, { options: { ...SESSION, kafka_commit_mode: mode } })
      let begunAt = Number.NaN
      const slow = (message: IncomingNotification): void => {
        if (Number.isNaN(begunAt)) begunAt = performance.now()
        setTimeout(() => message.acknowledge(), HANDLER_MS)
      }
      // A second member would notice an eviction of the first, and would get its partition.
      const quick = await listen(other, topic, { pool })
      const received = await listen(driver, topic, { pool, prefetch: 1, onMessage: slow })
      const before = await membersOf(pool)
      expect(before).toHaveLength(2)
      // Far more than fit, so that the slow one's partition is paused and everything behind it waits.
      const load = new Load(driver, `${topic}.info`, { callers: 200, total: 2000 })
      await load.done
      await received.until(1)
      // Three sessions long, looked at all the time.
      while (performance.now() - begunAt < HANDLER_MS - 1500) {
        expect(received.messages).toHaveLength(1)
        expect(await membersOf(pool)).toEqual(before)
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
      await received.until(2, 20_000)
      expect(await membersOf(pool)).toEqual(before)
      const all = [...received.payloads, ...quick.payloads]
      expect(new Set(all).size).toBe(all.length)
      expect(driver.health().status).toBe('ok')
      await driver.close()
      await other.close()
    },
  )

  it('P10 a revoked partition aborts its handlers by signal, the ones that stay are left alone', async () => {
    const topic = unique('revoke')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`], { partitions: 2 })
    const driver = await openReal(broker.url, { options: { kafka_commit_mode: 'after' } })
    const other = await openReal(broker.url, { options: { kafka_commit_mode: 'after' } })
    const endless = (): void => {}
    const first = await listen(driver, topic, { pool, onMessage: endless })
    // One request goes to one partition; these go to both.
    for (let n = 0; n < 6; n += 1) await new Load(driver, `${topic}.info`, { callers: 1, total: 1 }).done
    await first.until(6)
    expect(new Set(first.messages.map(({ orderingKey }) => orderingKey)).size).toBe(2)
    expect(first.messages.filter(({ signal }) => signal?.aborted === true)).toEqual([])

    const second = await listen(other, topic, { pool })
    const taken = (): readonly IncomingNotification[] => first.messages.filter(({ signal }) => signal?.aborted === true)
    await eventually(() => taken().length > 0, 'an aborted signal')
    const keys = new Set(taken().map(({ orderingKey }) => orderingKey))
    expect(keys.size).toBe(1)
    expect(taken()).toHaveLength(first.messages.filter(({ orderingKey }) => keys.has(orderingKey)).length)
    expect(taken()[0]?.signal?.reason).toMatchObject({ message: expect.stringContaining('another member') as string })
    await second.until(taken().length)
    expect(new Set(second.messages.map(({ orderingKey }) => orderingKey))).toEqual(keys)
    await driver.close()
    await other.close()
  })

  it('pause at the high-water mark - a slow handler before a backlog of 60 MB keeps its memory', async () => {
    const topic = unique('backlog')
    const driver = await openReal(broker.url)
    const text = 'x'.repeat(1024)
    await broker.createTopics([`${topic}.info`], { partitions: 4 })
    const group = await listen(driver, topic, { pool: topic })
    await group.listener.close()
    await new Load(driver, `${topic}.info`, { callers: 1000, total: 60_000, payload: () => text }).done
    const child = new Child('memory-process', ['backlog', broker.url, topic], ['--expose-gc'])
    await child.until(
      (lines) => lines.filter((line) => line.startsWith('heap ')).length >= 12,
      'a dozen samples',
      120_000,
    )
    const handled = child.lines.findLast((line) => line.startsWith('handled '))
    await child.kill()
    const samples = child.lines.filter((line) => line.startsWith('heap ')).map((line) => Number(line.slice(5)))
    console.log(
      `backlog of 60,000 x 1 KiB, prefetch 16, 5 ms a notification: ${handled}; heap and buffers, MB: ${samples.join(' ')}`,
    )
    // Four partitions, 1 MiB fetched of each and as much taken over: far below the backlog.
    expect(Math.max(...samples)).toBeLessThan(40)
    expect(Math.max(...samples.slice(6))).toBeLessThan(Math.max(...samples.slice(0, 6)) + 8)
    await driver.close()
  })
})
