import { setTimeout as sleep } from 'node:timers/promises'
import type { Nemesis } from '../../frame/nemesis.ts'
import { until } from '../../load/until.ts'
import { placeOf, TOPICS } from '../topics.ts'
import type { NemesisParts } from './parts.ts'

const EVERY_MS = 800
const PATIENCE_MS = 30_000
const MOVED = [TOPICS.one, TOPICS.six, TOPICS.thirty].map(placeOf)
const RUSHED = placeOf(TOPICS.six)

/** Every partition gets another leader, again and again, while callers send as fast as they are answered: a leader that
 *  is demoted with requests waiting for its followers answers them with an error after it has stored them. */
export function leaderElection({ cluster, senders }: NemesisParts): Nemesis {
  return {
    name: 'leader election',
    disturbs: ['leaders', 'nodes'],
    strike: async ({ forMs }) => {
      const end = performance.now() + forMs
      let moved = 0
      let rounds = 0
      senders.rush(RUSHED, true)
      try {
        while (performance.now() < end) {
          moved += await until(() => cluster.admin.rotateLeaders(MOVED), 'leaders moved', PATIENCE_MS)
          rounds += 1
          await sleep(EVERY_MS)
        }
      } finally {
        senders.rush(RUSHED, false)
      }
      return { count: moved, says: `${moved} leaders moved in ${rounds} rounds` }
    },
  }
}
