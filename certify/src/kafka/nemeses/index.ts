import type { Nemesis } from '../../frame/nemesis.ts'
import { leaderElection } from './leaders.ts'
import type { NemesisParts } from './parts.ts'

/** Everything that happens to Kafka in these certifications. */
export function kafkaNemeses(parts: NemesisParts): readonly Nemesis[] {
  return [leaderElection(parts)]
}
