import { placeOf, type Summary } from './summary.ts'
import { Outcome } from './message-table.ts'
import type { ReaderPromises } from './promises.ts'
import type { Returned } from './check-returned.ts'

/** What each reader did against what it was owed. Gives how many repetitions are among what was `returned`. */
export function checkReading(summary: Summary, returned: Returned): number {
  let excused = 0
  for (const [index, reader] of summary.readers.entries()) {
    const promises = summary.promises.readers[reader]
    if (promises !== undefined) excused += checkReader(summary, reader, index, promises, returned)
  }
  return excused
}

function checkReader(
  summary: Summary,
  reader: string,
  index: number,
  promises: ReaderPromises,
  returned: Returned,
): number {
  const { table, findings, positions } = summary
  const { delivery, repeats, settles } = promises
  const columns = table.readers(index)
  findings.applies('not-sent-but-stored')
  let excused = 0
  if (delivery !== 'best-effort') findings.applies('lost')
  if (delivery === 'at-most-once') findings.applies('committed-and-dropped')
  if (repeats !== 'allowed') findings.applies('handled-twice')
  if (settles) findings.applies('handled-and-not-settled')
  const places = new Set(promises.places)
  let told = delivery === 'at-most-once' ? (summary.reported.get(reader) ?? 0) : 0
  for (let message = 0; message < table.size; message++) {
    if (!table.wasSent(message)) continue
    const place = placeOf(summary, message)
    if (!places.has(place)) continue
    const stored = table.stored[message] ?? 0
    const handled = columns.handled[message] ?? 0
    const counted = repeats === 'never' ? handled : (columns.unmarked[message] ?? 0)
    const surplus = repeats === 'allowed' ? 0 : Math.max(0, counted - Math.max(1, stored))
    const known = Math.min(surplus, returned.of(reader, message))
    excused += known
    if (surplus > known)
      findings.add('handled-twice', message, `handled ${counted} times, stored ${Math.max(1, stored)} times`, reader)
    if (handled > 0 && table.outcome[message] === Outcome.notSent)
      findings.add('not-sent-but-stored', message, 'rejected as not sent, and handled', reader)
    if (table.wiped[message] !== 0) continue
    const isCommitted =
      stored > 0 && positions.covers(reader, place, table.partition[message] ?? 0, table.position[message] ?? 0)
    if (handled > 0) {
      if (settles && columns.settled[message] === 0 && !isCommitted)
        findings.add('handled-and-not-settled', message, 'handled, and neither settled nor committed', reader)
    } else if (delivery !== 'best-effort' && isOwed(summary, message)) {
      // Reports say how many, not which: they answer for as many of the committed ones as they name.
      if (told > 0 && (isCommitted || !positions.knows(reader))) told -= 1
      else if (isCommitted && delivery === 'at-most-once')
        findings.add('committed-and-dropped', message, 'committed, and neither handled nor reported', reader)
      else findings.add('lost', message, `${stored > 0 ? 'stored' : 'resolved'}, and never handled`, reader)
    }
  }
  return excused
}

/** Whether the broker is known to have had a message for its readers. */
function isOwed({ table, promises }: Summary, message: number): boolean {
  if (table.outcome[message] === Outcome.resolved) return true
  return promises.storedForReaders && (table.stored[message] ?? 0) > 0
}
