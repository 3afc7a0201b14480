import type { Clock, QueueReport } from '@oslo-messaging/core/driver'
import { codeOf, type ConsumerInfo, type JetStream, STREAM_NOT_FOUND } from '../client/jet-stream.ts'
import type { Link } from '../client/link.ts'
import { countReaders } from '../receive/readers.ts'
import type { Names } from '../topology/names.ts'

/** The consumers of a stream; none when there is no such stream. */
export async function consumersOf(link: Link, jetStream: JetStream, stream: string): Promise<readonly ConsumerInfo[]> {
  const { consumers } = await jetStream.manager(link)
  const all: ConsumerInfo[] = []
  try {
    for (const list = consumers.list(stream); ;) {
      const page = await link.orLost(list.next())
      if (page.length === 0) return all
      all.push(...page)
    }
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND) return []
    throw error
  }
}

/** Every consumer of notifications with what it has not settled, and the dead letters by subject. Requests are kept
 *  nowhere. */
export async function listQueues(
  link: Link,
  jetStream: JetStream,
  names: Names,
  clock: Clock,
): Promise<readonly QueueReport[]> {
  const consumers = await consumersOf(link, jetStream, names.stream)
  const readers = await readersOf(link, consumers, names, clock)
  return [
    ...consumers.map((info, index) => reportOf(info, readers[index] ?? 0, names)),
    ...(await deadLetters(link, jetStream, names)),
  ]
}

/** Listeners of each consumer. A program that is no driver of ours shows only by what it asks for. */
export async function readersOf(
  link: Link,
  consumers: readonly ConsumerInfo[],
  names: Names,
  clock: Clock,
): Promise<readonly number[]> {
  const subjects = consumers.map(({ name }) => names.readers(name))
  const answering = await countReaders(link, subjects, clock)
  return consumers.map(({ num_waiting: asking }, index) => Math.max(asking, answering[index] ?? 0))
}

async function deadLetters(link: Link, jetStream: JetStream, names: Names): Promise<readonly QueueReport[]> {
  const { streams } = await jetStream.manager(link)
  try {
    const { state } = await link.orLost(streams.info(names.deadLetters, { subjects_filter: '>' }))
    return Object.entries(state.subjects ?? {}).map(([name, messages]) => ({
      name,
      messages,
      bytes: null,
      consumers: 0,
      orphan: false,
      why: 'dead letters: oslo-msg redrive returns them',
    }))
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND) return []
    throw error
  }
}

function reportOf(info: ConsumerInfo, consumers: number, names: Names): QueueReport {
  const { name, num_pending: waiting, num_ack_pending: unsettled } = info
  const messages = waiting + unsettled
  const facts = { name, messages, bytes: null, consumers }
  if (consumers > 0) return { ...facts, orphan: false, why: null }
  if (names.poolOf(name) !== undefined)
    return {
      ...facts,
      orphan: true,
      why: 'a pool nobody listens to: every notification of its topic is kept for it, for stream_max_age at most',
    }
  if (messages > 0)
    return { ...facts, orphan: true, why: 'notifications nobody listens to are kept here, for stream_max_age at most' }
  return { ...facts, orphan: false, why: 'nobody reads it, and it is empty' }
}
