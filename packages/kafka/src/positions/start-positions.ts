import type { AdminPort, PartitionBounds, PartitionOffset, TopicPartition } from '../port/client-port.ts'
import { toFault } from '../port/map-error.ts'
import { keyOf } from './partition-flow.ts'

/** What the broker knows about the topics of a group. */
export interface Positions {
  /** Stored position of the group, by `<topic>/<partition>`. */
  readonly committed: ReadonlyMap<string, number>
  /** What was written beside it. */
  readonly notes: ReadonlyMap<string, string>
  /** Partitions whose position a client has thrown away as out of range. */
  readonly discarded: ReadonlySet<string>
  readonly bounds: ReadonlyMap<string, PartitionBounds>
  /** Topics that do not exist, as far as the broker that was asked knows. */
  readonly missing: ReadonlySet<string>
}

/** Asks for the positions of a group. Topics that do not exist have none. Rejects with ClientFault. */
export async function askPositions(admin: AdminPort, group: string, topics: readonly string[]): Promise<Positions> {
  const missing = new Set<string>()
  const answers = await Promise.all(
    topics.map(async (topic) => {
      try {
        return await admin.bounds(topic)
      } catch (error) {
        if (toFault(error).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
        missing.add(topic)
        return []
      }
    }),
  )
  const existing = topics.filter((_, index) => (answers[index] ?? []).length > 0)
  const stored = existing.length === 0 ? [] : await admin.committed(group, existing)
  const kept = stored.filter(({ offset }) => offset >= 0)
  return {
    missing,
    bounds: new Map(answers.flat().map((part) => [keyOf(part), part])),
    committed: new Map(kept.map((position) => [keyOf(position), position.offset])),
    notes: new Map(kept.flatMap(({ note, ...position }) => (note === undefined ? [] : [[keyOf(position), note]]))),
    discarded: new Set(stored.filter(({ offset }) => offset < 0).map(keyOf)),
  }
}

/** `now`, with what was known before about positions that a client has thrown away since: they are still the truth
 *  about what was read. */
export function rememberDiscarded(now: Positions, before: Positions): Positions {
  const remembered = [...now.discarded].flatMap((key) => {
    const offset = before.committed.get(key)
    return offset === undefined ? [] : [[key, offset] as const]
  })
  return { ...now, committed: new Map([...now.committed, ...remembered]) }
}

/** The broker forgets the positions of a topic that is deleted: what goes by its name now is another one. */
export function isRecreated(partition: TopicPartition, now: Positions, before: Positions): boolean {
  const key = keyOf(partition)
  return before.committed.has(key) && !now.committed.has(key) && now.bounds.has(key)
}

/** Where a listener begins in a partition it has not read in this process. */
export interface StartPosition extends PartitionOffset {
  /** The client would begin elsewhere by itself, or has to be told before the group has a position. */
  readonly why: 'stored' | 'first-time' | 'expired' | 'recreated'
  /** Records that exist, or existed, before the start and will not be read. */
  readonly skipped: number
}

/** Decides where to begin.
 *  `baseline` is where the group begins in partitions it has never read, unless `fromOldest`: as a rule where each
 *  ended before this listener joined, so that what is stored after that point is never skipped. A partition that did
 *  not exist then is read from its beginning. */
export function startPosition(
  partition: TopicPartition,
  now: Positions,
  baseline: ReadonlyMap<string, number>,
  fromOldest: boolean,
): StartPosition {
  const key = keyOf(partition)
  const committed = now.committed.get(key)
  const bounds = now.bounds.get(key)
  const low = bounds?.low ?? 0
  const { topic, partition: number } = partition
  const at = (offset: number, why: StartPosition['why'], skipped: number): StartPosition => ({
    topic,
    partition: number,
    offset,
    why,
    skipped,
  })
  if (committed === undefined) {
    const start = fromOldest ? low : Math.max(low, Math.min(baseline.get(key) ?? low, bounds?.high ?? low))
    return at(start, 'first-time', start - low)
  }
  if (bounds !== undefined && committed < bounds.low) return at(bounds.low, 'expired', bounds.low - committed)
  if (bounds !== undefined && committed > bounds.high) return at(bounds.low, 'recreated', 0)
  return at(committed, 'stored', 0)
}
