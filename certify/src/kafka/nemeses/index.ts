import type { Nemesis } from '../../frame/nemesis.ts'
import { leaderElection } from './leaders.ts'
import { memberChurn } from './members.ts'
import { asymmetricDelay, reset, saslCut, stall } from './network.ts'
import { freeze, kill, leaderlessNeighbour, rollingRestart } from './nodes.ts'
import type { NemesisParts } from './parts.ts'
import { aclRemoved, topicDeleted } from './topics.ts'
import { clockAhead, largeRecords, transactionalWriter } from './writers.ts'

const ALL = [
  leaderElection,
  rollingRestart,
  kill,
  freeze,
  leaderlessNeighbour,
  stall,
  reset,
  asymmetricDelay,
  saslCut,
  topicDeleted,
  aclRemoved,
  memberChurn,
  transactionalWriter,
  largeRecords,
  clockAhead,
]

/** Everything that happens to Kafka in these certifications. */
export function kafkaNemeses(parts: NemesisParts): readonly Nemesis[] {
  return ALL.map((make) => make(parts))
}
