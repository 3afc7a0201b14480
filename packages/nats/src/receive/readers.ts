import { randomUUID } from 'node:crypto'
import type { Clock } from '@oslo-messaging/core/driver'
import { isRefusal, type Link, type LinkSubscription } from '../client/link.ts'

/** A listener that lives answers sooner; one that does not still counts, because its connection is up. */
const ANSWER_MS = 250

/** Answers those who ask who reads a consumer, until the link or the subscription ends: a sign of life that does not
 *  depend on what the listener has room for. */
export function answerReaders(link: Link, subject: string): LinkSubscription {
  return link.subscribe(subject, ({ replyTo }) => {
    if (replyTo !== undefined && link.isOpen) link.publish(replyTo, '', {})
  })
}

/** How many listeners answer at each subject, in their order; 0 only where the server knows of none. Rejects with
 *  LinkLost. */
export async function countReaders(link: Link, subjects: readonly string[], clock: Clock): Promise<readonly number[]> {
  if (subjects.length === 0) return []
  const inbox = `_INBOX.${randomUUID()}`
  const answers = new Map<string, number>()
  const absent = new Set<string>()
  const subscription = link.subscribe(`${inbox}.*`, (arrival) => {
    const { subject } = arrival
    if (isRefusal(arrival)) absent.add(subject)
    else answers.set(subject, (answers.get(subject) ?? 0) + 1)
  })
  const asked = subjects.map((subject, index) => ({ subject, replyTo: `${inbox}.${index}` }))
  for (const { subject, replyTo } of asked) link.publish(subject, '', {}, replyTo)
  // The server answers in order: it has said by then where nobody is.
  await link.flush()
  if (absent.size < subjects.length)
    await link.orLost(new Promise<void>((resolve) => void clock.setTimeout(resolve, ANSWER_MS)))
  await subscription.drain()
  return asked.map(({ replyTo }) => (absent.has(replyTo) ? 0 : Math.max(1, answers.get(replyTo) ?? 0)))
}
