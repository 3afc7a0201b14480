import { placeOf, type Summary } from './summary.ts'
import { Outcome } from './message-table.ts'
import type { ReaderPromises } from './promises.ts'

/** What each reader did against what it was owed. */
export function checkReading(summary: Summary): void {
  for (const [index, reader] of summary.readers.entries()) {
    const promises = summary.promises.readers[reader]
    if (promises !== undefined) checkReader(summary, reader, index, promises)
  }
}

function checkReader(summary: Summary, reader: string, index: number, promises: ReaderPromises): void {
  const { table, findings, positions } = summary
  const { delivery, repeats, settles } = promises
  const columns = table.readers(index)
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
    if (repeats !== 'allowed' && counted > Math.max(1, stored))
      findings.add('handled-twice', message, `handled ${counted} times, stored ${Math.max(1, stored)} times`, reader)
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
}

/** Whether the broker is known to have had a message for its readers. */
function isOwed({ table, promises }: Summary, message: number): boolean {
  if (table.outcome[message] === Outcome.resolved) return true
  return promises.storedForReaders && (table.stored[message] ?? 0) > 0
}
