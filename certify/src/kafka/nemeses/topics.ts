import { setTimeout as sleep } from 'node:timers/promises'
import type { Nemesis } from '../../frame/nemesis.ts'
import { placeOf, planOf, TOPICS } from '../topics.ts'
import type { NemesisParts } from './parts.ts'

/** A topic that is being written and read is deleted, is away for a while, and is made again. */
export function topicDeleted({ cluster: { admin }, recorder }: NemesisParts): Nemesis {
  const doomed = placeOf(TOPICS.doomed)
  return {
    name: 'topic deleted',
    disturbs: ['doomed', 'nodes'],
    strike: async ({ forMs }) => {
      await admin.remove(doomed)
      recorder.record({ kind: 'wiped', place: doomed })
      await sleep(forMs / 3)
      await admin.create([planOf(TOPICS.doomed)])
      return { count: 1, says: `${doomed} was away for ${Math.round(forMs / 3000)} s` }
    },
  }
}

/** A topic that is being written and read is taken away by a rule, and given back. */
export function aclRemoved({ cluster: { admin } }: NemesisParts): Nemesis {
  const denied = placeOf(TOPICS.denied)
  return {
    name: 'ACL removed',
    disturbs: ['denied', 'nodes'],
    strike: async ({ forMs }) => {
      await admin.forbid(denied)
      await sleep(forMs)
      const rules = await admin.allow(denied)
      return { count: rules, says: `${denied} was forbidden for ${Math.round(forMs / 1000)} s` }
    },
  }
}
