import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Driver } from '@oslo-messaging/core/driver'
import { sharedKafka, unique } from './support/broker.ts'
import { Child } from './support/child.ts'
import { Load } from './support/load.ts'
import { listen, openReal, type Options } from './support/open-driver.ts'

const TOTAL = 2000
const HANDLER_MS = 2
/** The shortest that brokers allow: so long the group waits for the one that was killed. */
const SESSION = { kafka_session_timeout: 6 }
const broker = await sharedKafka()

/** What the processes of one test said. */
interface Story {
  readonly begun: readonly number[]
  readonly ended: readonly number[]
}

describe.skipIf(broker === undefined)('kafka durability, kill -9 of the process that listens', () => {
  if (broker === undefined) return
  let driver: Driver
  const children: Child[] = []

  beforeAll(async () => {
    driver = await openReal(broker.url)
  })

  afterEach(async () => {
    await Promise.all(children.splice(0).map(async (child) => await child.kill()))
  })

  afterAll(async () => {
    await driver.close()
  })

  async function startListener(topic: string, options: Options): Promise<Child> {
    const child = new Child('listener-process', [
      broker?.url ?? '',
      topic,
      topic,
      JSON.stringify({ ...SESSION, ...options }),
      String(HANDLER_MS),
    ])
    children.push(child)
    await child.until((lines) => lines.includes('ready'), 'ready')
    return child
  }

  /** Two lives of one listener: the first is killed amid its work, the second reads what is left. */
  async function twoLives(options: Options): Promise<{ first: Story; second: Story }> {
    const topic = unique('life')
    const first = await startListener(topic, options)
    await new Load(driver, `${topic}.info`, { callers: 64, total: TOTAL }).done
    await first.until((lines) => lines.length >= 401, 'two hundred handled')
    await first.kill()
    const second = await startListener(topic, options)
    // A last one, behind everything, so that its arrival proves that nothing else will come.
    await new Load(driver, `${topic}.info`, { callers: 1, total: 1 }).done
    await second.until(
      (lines) => lines.filter((line) => line === '- 0').length === (first.lines.includes('- 0') ? 1 : 2),
      'the last one',
    )
    await second.kill()
    return { first: storyOf(first), second: storyOf(second) }
  }

  it.each([1, 50, 500])(
    'P13 commit before dispatch, max_poll_records %i - nothing comes twice, and no more is lost than was taken over',
    async (maxPollRecords) => {
      const { first, second } = await twoLives({ kafka_commit_mode: 'before', max_poll_records: maxPollRecords })
      const again = second.begun.slice(0, -1)
      const both = new Set(first.begun)
      expect(again.filter((n) => both.has(n))).toEqual([])
      expect(again).toEqual(again.toSorted((a, b) => a - b))
      const lost = TOTAL - first.ended.length - again.length
      console.log(
        `before, max_poll_records ${maxPollRecords}: ${first.ended.length} + ${again.length} handled, ${lost} lost, 0 doubled`,
      )
      // Those handed to core's workers, and what docs/kafka-deployment-guide.md says of a process that is killed.
      expect(lost).toBeLessThanOrEqual(8 + 2 * maxPollRecords)
      expect(lost).toBeGreaterThanOrEqual(0)
    },
  )

  it('P13 commit after dispatch - nothing is lost, and what comes twice was under way', async () => {
    const { first, second } = await twoLives({ kafka_commit_mode: 'after' })
    const again = second.begun.slice(0, -1)
    const handled = new Set([...first.ended, ...second.ended])
    expect(handled.size).toBe(TOTAL)
    const before = new Set(first.begun)
    const doubled = again.filter((n) => before.has(n))
    console.log(`after: ${first.ended.length} + ${again.length} handled, 0 lost, ${doubled.length} doubled`)
    // The one that was under way comes again in any case: it had not ended.
    for (const n of first.begun) if (!first.ended.includes(n)) expect(again).toContain(n)
    // Commits follow each other without a pause, so that few are handled and not yet committed.
    expect(doubled.length).toBeLessThanOrEqual(200)
    expect(again).toEqual(again.toSorted((a, b) => a - b))
  })

  it('commit after dispatch - the one that was under way when its process died comes again', async () => {
    const topic = unique('mid')
    const child = new Child('listener-process', [
      broker.url,
      topic,
      topic,
      JSON.stringify({ ...SESSION, kafka_commit_mode: 'after' }),
      '60000',
    ])
    children.push(child)
    await child.until((lines) => lines.includes('ready'), 'ready')
    await new Load(driver, `${topic}.info`, { callers: 1, total: 3 }).done
    await child.until((lines) => lines.includes('+ 0'), 'the handler has begun')
    await child.kill()
    const own = await openReal(broker.url, { options: { kafka_commit_mode: 'after' } })
    const received = await listen(own, topic, { pool: topic, timeoutMs: 60_000 })
    await received.until(3, 60_000)
    expect(received.payloads).toEqual([0, 1, 2])
    await own.close()
  })
})

function storyOf({ lines }: Child): Story {
  const numbers = (sign: string): number[] =>
    lines.filter((line) => line.startsWith(sign)).map((line) => Number(line.split(' ')[1]))
  return { begun: numbers('+'), ended: numbers('-') }
}
