import { describe, expect, it } from 'vitest'
import type { Driver, IncomingNotification } from '@oslo-messaging/core/driver'
import { sharedKafka, unique } from './support/broker.ts'
import { allReceived, duplicates, Load } from './support/load.ts'
import { eventually, listen, openReal, type Received } from './support/open-driver.ts'

const broker = await sharedKafka()
const PREFETCH = 32
const HANDLER_MS = 5
const MOST = 5

describe.skipIf(broker === undefined)('kafka groups, scaling under load', () => {
  if (broker === undefined) return

  it.each(['before', 'after'])(
    'P10 one, five, one consumers at 2,000 a second, commit %s - nothing lost, no more twice than were in flight',
    async (mode) => {
      const topic = unique(`scale-${mode}`)
      const pool = unique('pool')
      await broker.createTopics([`${topic}.info`], { partitions: 10 })
      const sender = await openReal(broker.url)
      const members: { readonly driver: Driver; readonly received: Received; readonly idle: () => boolean }[] = []
      const join = async (first = false): Promise<number> => {
        const since = performance.now()
        const driver = await openReal(broker.url, { options: { kafka_commit_mode: mode } })
        let open = 0
        const onMessage = (message: IncomingNotification): void => {
          open += 1
          setTimeout(() => {
            open -= 1
            message.acknowledge()
          }, HANDLER_MS)
        }
        const received = await listen(driver, topic, { pool, prefetch: PREFETCH, onMessage, timeoutMs: 60_000 })
        members.push({ driver, received, idle: () => open === 0 })
        if (!first) await received.until(10, 30_000)
        return performance.now() - since
      }
      /** A change of the group may find every member with as many under way as it may have at most. */
      let inFlight = 0
      let longestMs = await join(true)
      const load = new Load(sender, `${topic}.info`, { callers: 50, perSec: 2000 })
      await load.until(500)
      for (let count = 2; count <= MOST; count += 1) {
        inFlight += members.length * PREFETCH
        longestMs = Math.max(longestMs, await join())
      }
      await load.until(load.resolved.size + 2000)
      for (const [index, { driver, received, idle }] of members.slice(1).toReversed().entries()) {
        inFlight += (members.length - index) * PREFETCH
        // In the order of a server that stops: no new ones, the handlers end, then it leaves.
        await received.listener.stop()
        await eventually(idle, 'the end of its handlers')
        await driver.close()
      }
      const [last] = members
      const had = last?.received.messages.length ?? 0
      await last?.received.until(had + 1000, 30_000)
      await load.stop()
      const all = members.map(({ received }) => received)
      await allReceived(load, all, 30_000)
      const doubled = duplicates(all.flatMap(({ payloads }) => payloads))
      console.log(
        `scaling, commit ${mode}: ${load.resolved.size} stored, 0 lost, ${doubled} doubled (in flight at the changes: ${inFlight}); ` +
          `slowest join until its tenth notification ${Math.round(longestMs)} ms`,
      )
      expect(load.rejected.size).toBe(0)
      // These handlers end within the grace that a rebalance gives them, so far fewer come twice than the promise
      // allows.
      expect(doubled).toBeLessThanOrEqual(mode === 'before' ? 0 : PREFETCH)
      expect(doubled).toBeLessThanOrEqual(inFlight)
      expect(longestMs).toBeLessThanOrEqual(15_000)
      await last?.driver.close()
      await sender.close()
    },
  )
})
