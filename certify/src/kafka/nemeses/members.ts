import { setTimeout as sleep } from 'node:timers/promises'
import type { Nemesis } from '../../frame/nemesis.ts'
import type { NemesisParts } from './parts.ts'

/** Longer than the second that a driver waits for handlers when partitions move. */
const SLOW_MS = 1_800
const MOST_MEMBERS = 4

/** Members of both groups come and go while some of their handlers are slow. */
export function memberChurn({ readers }: NemesisParts): Nemesis {
  const churned = readers.filter(({ plan }) => plan.members > 1)
  return {
    name: 'member churn',
    disturbs: ['members'],
    strike: async ({ random, forMs }) => {
      const end = performance.now() + forMs
      let joined = 0
      let left = 0
      for (const reader of churned) reader.slowMs = SLOW_MS
      try {
        while (performance.now() < end) {
          const reader = random.pick(churned)
          const full = reader.members.length >= MOST_MEMBERS
          if (!full && (reader.members.length === 1 || random.next() < 0.5)) {
            await reader.join()
            joined += 1
          } else {
            await reader.leave(random.pick(reader.members))
            left += 1
          }
          await sleep(random.between(300, 1_500))
        }
      } finally {
        for (const reader of churned) reader.slowMs = 0
      }
      return { count: joined + left, says: `${joined} members joined, ${left} left` }
    },
  }
}
