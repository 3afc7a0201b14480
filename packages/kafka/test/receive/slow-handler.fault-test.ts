import { describe, expect, it } from 'vitest'
import { sharedKafka, unique, withAdmin } from '../support/broker.ts'
import { listen, openReal, send } from '../support/open-driver.ts'

const broker = await sharedKafka()
const SESSION_SECONDS = 6
const HANDLER_MS = 18_000

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it.each(['before', 'after'])(
    'P10 a handler that takes three sessions, commit %s - no rebalance, one invocation, the other partition goes on',
    async (kafka_commit_mode) => {
      const topic = unique('slow')
      const pool = unique('pool')
      await broker.createTopics([`${topic}.info`], { partitions: 2 })
      const driver = await openReal(broker.url, {
        options: { kafka_session_timeout: SESSION_SECONDS, max_poll_records: 2, kafka_commit_mode },
      })
      let slow: string | undefined
      const invocations = new Map<unknown, number>()
      const received = await listen(driver, topic, {
        pool,
        prefetch: 4,
        onMessage: (message) => {
          const { payload } = message.message
          invocations.set(payload, (invocations.get(payload) ?? 0) + 1)
          slow ??= message.orderingKey
          if (message.orderingKey === slow) setTimeout(() => message.acknowledge(), HANDLER_MS)
          else message.acknowledge()
        },
      })
      const membersOf = async () =>
        await withAdmin(broker, async (admin) => {
          const { groups } = await admin.describeGroups([pool])
          return groups[0]?.members.map(({ memberId }) => memberId)
        })
      const members = await membersOf()
      for (let n = 0; n < 12; n += 1) await send(driver, `${topic}.info`, n)
      // Six of them are in the slow partition, at most four at once: two rounds of the handler.
      await received.until(12, 3 * HANDLER_MS)
      expect([...invocations.values()]).toEqual(Array.from({ length: 12 }, () => 1))
      expect(await membersOf()).toEqual(members)
      await driver.close()
    },
  )
})
