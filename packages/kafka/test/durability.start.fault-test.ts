import { describe, expect, it } from 'vitest'
import { sharedKafka, unique, withAdmin } from './support/broker.ts'
import { allReceived, Load } from './support/load.ts'
import { listen, type LogLine, openReal, recordingLogger, send } from './support/open-driver.ts'

const broker = await sharedKafka()
const ROUNDS = 5

describe.skipIf(broker === undefined)('kafka durability, where reading begins', () => {
  if (broker === undefined) return

  it.each([
    { name: 'a topic that does not exist yet', exists: false },
    { name: 'a topic that exists', exists: true },
  ])('no record lost at start - $name, while others send', async ({ exists }) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const driver = await openReal(broker.url)
      const topic = unique('begin')
      if (exists) await broker.createTopics([`${topic}.info`], { partitions: 3 })
      const load = exists ? new Load(driver, `${topic}.info`, { callers: 4, perSec: 500 }) : undefined
      await load?.until(20)
      const received = await listen(driver, topic, { pool: unique('pool') })
      // Everything sent from now on has to come; of what was sent before, latest promises nothing.
      const from = load?.sent ?? 0
      const own = load ?? new Load(driver, `${topic}.info`, { callers: 4, total: 100 })
      if (load !== undefined) {
        await load.until(from + 100)
        await load.stop()
      }
      await own.done
      for (const n of own.resolved) if (n < from) own.resolved.delete(n)
      expect(own.resolved.size).toBeGreaterThanOrEqual(90)
      await allReceived(own, [received], 20_000)
      await driver.close()
    }
  })

  it('no record lost at start - what was stored while the listener was away, first and last included', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('away')
    const pool = unique('pool')
    const first = await listen(driver, topic, { pool })
    await send(driver, `${topic}.info`, 'before')
    await first.until(1)
    for (let round = 0; round < ROUNDS; round += 1) {
      const listening = round === 0 ? first : await listen(driver, topic, { pool })
      if (round > 0) {
        await listening.until(4)
        expect(listening.payloads).toEqual([0, 1, 2, 3])
      }
      await listening.listener.close()
      for (let n = 0; n < 4; n += 1) await send(driver, `${topic}.info`, n)
    }
    await driver.close()
  })

  const skippedIn = (lines: readonly LogLine[]): unknown =>
    lines.find(({ message }) => message.includes('auto_offset_reset'))?.fields?.['skipped']

  it('auto_offset_reset = latest - a new group begins at the end, and the warning says how much it skips', async () => {
    const logger = recordingLogger()
    const driver = await openReal(broker.url, { logger })
    const topic = unique('reset')
    for (let n = 0; n < 7; n += 1) await send(driver, `${topic}.info`, n)
    const received = await listen(driver, topic, { pool: unique('pool') })
    expect(skippedIn(logger.lines)).toBe(7)
    await send(driver, `${topic}.info`, 'new')
    await received.until(1)
    expect(received.payloads).toEqual(['new'])
    await driver.close()
  })

  it('auto_offset_reset = earliest - a new group reads everything, without a warning', async () => {
    const logger = recordingLogger()
    const driver = await openReal(broker.url, { logger, options: { auto_offset_reset: 'earliest' } })
    const topic = unique('reset')
    for (let n = 0; n < 7; n += 1) await send(driver, `${topic}.info`, n)
    const received = await listen(driver, topic, { pool: unique('pool') })
    await received.until(7)
    expect(received.payloads).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(skippedIn(logger.lines)).toBeUndefined()
    await driver.close()
  })

  // Kafka forgets the positions of a deleted topic, so to the group the new one is a topic it has never read.
  it.each([
    { reset: 'earliest', skipped: undefined, expected: ['new 0', 'new 1', 'new 2', 'last'] },
    { reset: 'latest', skipped: 3, expected: ['last'] },
  ])(
    'topic deleted and made again while the listener is away, $reset - begins as a new group does, and says what it skips',
    async ({ reset, skipped, expected }) => {
      const logger = recordingLogger()
      const driver = await openReal(broker.url, { logger, options: { auto_offset_reset: reset } })
      const topic = unique('anew')
      const pool = unique('pool')
      const first = await listen(driver, topic, { pool })
      for (let n = 0; n < 20; n += 1) await send(driver, `${topic}.info`, n)
      await first.until(20)
      await first.listener.close()
      await withAdmin(broker, async (admin) => await admin.deleteTopics({ topics: [`${topic}.info`] }))
      for (let n = 0; n < 3; n += 1) await send(driver, `${topic}.info`, `new ${n}`, { timeoutMs: 30_000 })
      const again = await listen(driver, topic, { pool })
      await send(driver, `${topic}.info`, 'last')
      await again.until(expected.length)
      expect(again.payloads).toEqual(expected)
      expect(skippedIn(logger.lines)).toBe(skipped)
      await driver.close()
    },
  )

  it('topic deleted and made again under load - the listener goes on with the new one', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('anew-load')
    const received = await listen(driver, topic, { pool: unique('pool') })
    const load = new Load(driver, `${topic}.info`, { callers: 4, perSec: 200 })
    await load.until(100)
    await received.until(100)
    await withAdmin(broker, async (admin) => await admin.deleteTopics({ topics: [`${topic}.info`] }))
    const had = load.resolved.size
    await load.until(had + 400)
    await load.stop()
    const last = Math.max(...load.resolved)
    const deadline = Date.now() + 40_000
    while (!received.payloads.includes(last) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(received.payloads).toContain(last)
    // What was sent to the new topic came whole, from wherever the deletion cut.
    const tail = received.payloads.filter((n) => Number(n) > last - 200).toSorted((a, b) => Number(a) - Number(b))
    expect(tail).toEqual([...load.resolved].filter((n) => n > last - 200).toSorted((a, b) => a - b))
    expect(load.rejected.size).toBe(0)
    await driver.close()
  })

  it('group deleted while its listener is away - latest again, with the warning', async () => {
    const logger = recordingLogger()
    const driver = await openReal(broker.url, { logger })
    const topic = unique('forgotten')
    const pool = unique('pool')
    const first = await listen(driver, topic, { pool })
    await send(driver, `${topic}.info`, 1)
    await first.until(1)
    await first.listener.close()
    await withAdmin(broker, async (admin) => await admin.deleteGroups([pool]))
    await send(driver, `${topic}.info`, 2)
    const again = await listen(driver, topic, { pool })
    await send(driver, `${topic}.info`, 3)
    await again.until(1)
    expect(again.payloads).toEqual([3])
    expect(skippedIn(logger.lines)).toBe(2)
    await driver.close()
  })
})
