import type { QueueReport } from '@oslo-messaging/core/driver'
import type { Link } from '../client/link.ts'
import type { RedisOptions } from '../config.ts'
import { wordOf } from '../connection/map-error.ts'
import { deadAfterMs } from '../receive/intake.ts'
import { HANDED_BACK, LISTENERS, type Names, SERVERS } from '../topology/names.ts'

const AT_ONCE = 500
/** No such stream, no such group. */
const GONE = new Set<string | undefined>(['ERR', 'NOGROUP'])

/** What is asked. */
type Asked = Pick<Link, 'ask'>

/** A consumer group of a stream. */
export interface Group {
  readonly name: string
  /** Delivered and not settled. */
  readonly pending: number
  /** Not delivered yet; the server does not always know. */
  readonly lag: number
}

/** The streams whose keys match a pattern. */
export async function streamsLike(link: Asked, pattern: string): Promise<readonly string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const words = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', AT_ONCE, 'TYPE', 'stream'] as const
    const [next, found] = (await link.ask(...words)) as readonly [unknown, readonly unknown[]]
    for (const key of found) keys.add(String(key))
    cursor = String(next)
  } while (cursor !== '0')
  return [...keys].toSorted()
}

/** The groups of a stream; none when there is no such stream. */
export async function groupsOf(link: Asked, key: string): Promise<readonly Group[]> {
  return (await factsOf(link, 'GROUPS', key)).map((facts) => ({
    name: String(facts.get('name')),
    pending: Number(facts.get('pending') ?? 0),
    lag: Number(facts.get('lag') ?? 0),
  }))
}

/** Readers of a group that have looked lately; none when there is no such group. */
export async function readersOf(link: Asked, key: string, group: string, options: RedisOptions): Promise<number> {
  const consumers = await factsOf(link, 'CONSUMERS', key, group)
  const isAlive = (facts: ReadonlyMap<string, unknown>): boolean =>
    facts.get('name') !== HANDED_BACK && Number(facts.get('idle')) < deadAfterMs(options)
  return consumers.filter(isAlive).length
}

/** Every group of every stream, and the dead letters. */
export async function listQueues(link: Asked, names: Names, options: RedisOptions): Promise<readonly QueueReport[]> {
  const reports: QueueReport[] = []
  for (const key of await streamsLike(link, names.every)) {
    if (names.isReplies(key)) continue
    if (names.isDeadLetters(key)) {
      reports.push({
        name: key,
        messages: Number(await link.ask('XLEN', key)),
        bytes: null,
        consumers: 0,
        orphan: false,
        why: 'dead letters: oslo-msg redrive returns them',
      })
      continue
    }
    for (const group of await groupsOf(link, key)) {
      const isUsual = group.name === SERVERS || group.name === LISTENERS
      const facts = {
        name: isUsual ? key : `${key} ${group.name}`,
        messages: group.pending + group.lag,
        bytes: null,
        consumers: await readersOf(link, key, group.name, options),
      }
      reports.push({ ...facts, ...judge(facts, group.name) })
    }
  }
  return reports
}

function judge({ consumers, messages }: Pick<QueueReport, 'consumers' | 'messages'>, group: string) {
  if (consumers > 0) return { orphan: false, why: null }
  if (group.startsWith('pool:'))
    return {
      orphan: true,
      why: 'a pool nobody listens to: every notification of its topic is kept for it, for stream_max_age at most',
    }
  if (messages > 0) return { orphan: true, why: 'holds messages and nobody reads them; they go when they are too old' }
  return { orphan: false, why: 'nobody reads it, and it is empty' }
}

/** What the server knows of a stream. One that has gone since it was found, as those of servers do, has nothing. */
async function factsOf(link: Asked, ...words: readonly string[]): Promise<readonly ReadonlyMap<string, unknown>[]> {
  try {
    return listOf(await link.ask('XINFO', ...words))
  } catch (error) {
    if (GONE.has(wordOf(error))) return []
    throw error
  }
}

/** A list of maps, in whichever form the protocol and the library give it. */
function listOf(answer: unknown): readonly ReadonlyMap<string, unknown>[] {
  if (!Array.isArray(answer)) return []
  return answer.map((entry: unknown): ReadonlyMap<string, unknown> => {
    if (entry instanceof Map) return new Map([...entry].map(([name, value]) => [String(name), value as unknown]))
    if (!Array.isArray(entry)) return new Map(Object.entries(entry as object))
    return new Map(
      entry.flatMap((name: unknown, at) => (at % 2 === 0 ? [[String(name), entry[at + 1] as unknown]] : [])),
    )
  })
}
