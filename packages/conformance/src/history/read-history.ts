import type { HistoryEvent } from './event.ts'
import { count, type MessageTable, Outcome } from './message-table.ts'
import { placeOf, type Summary } from './summary.ts'
import type { HistoryTotals } from './verdict.ts'

const OUTCOMES = { 'not-sent': Outcome.notSent, unknown: Outcome.unknown, confirmed: Outcome.confirmed } as const

/** The first pass: everything that can be known of each message, and what is wrong at the moment it happens. */
export function readHistory(events: Iterable<HistoryEvent>, summary: Summary): Omit<HistoryTotals, 'returned'> {
  const { table, places, promises, readers, positions, findings, reported, downs } = summary
  const indexes = new Map(readers.map((reader, index) => [reader, index]))
  const readerPlaces = new Map(readers.map((reader) => [reader, new Set(promises.readers[reader]?.places)]))
  const rejected = { 'not-sent': 0, unknown: 0, confirmed: 0 }
  const totals = { sent: 0, resolved: 0, stored: 0, handled: 0, redelivered: 0, settled: 0, replied: 0, reported: 0 }
  findings.applies('misrouted')
  if (promises.graceMs !== null) findings.applies('overdue')
  if (promises.triesUntilDeadline) findings.applies('given-up-early')
  for (const event of events) {
    const { kind } = event
    if ('message' in event) {
      table.reach(event.message)
      if (kind !== 'sent' && !table.wasSent(event.message)) {
        findings.add('misrouted', event.message, `${kind}, although it was never sent`)
        continue
      }
    }
    switch (kind) {
      case 'sent':
        totals.sent += 1
        table.place[event.message] = places.idOf(event.place) + 1
        table.key[event.message] = event.key ?? -1
        table.dueAt[event.message] = event.dueAt ?? Infinity
        break
      case 'resolved':
      case 'rejected':
        if (kind === 'resolved') totals.resolved += 1
        else rejected[event.delivery] += 1
        table.outcome[event.message] = kind === 'resolved' ? Outcome.resolved : OUTCOMES[event.delivery]
        checkEnd(event, summary)
        break
      case 'stored':
        totals.stored += 1
        if (placeOf(summary, event.message) === event.place) noteStored(event, table)
        else
          findings.add(
            'misrouted',
            event.message,
            `sent to ${placeOf(summary, event.message)}, stored in ${event.place}`,
          )
        break
      case 'handled': {
        totals.handled += 1
        if (event.redelivered) totals.redelivered += 1
        const place = placeOf(summary, event.message)
        if (readerPlaces.get(event.reader)?.has(place) === false)
          findings.add(
            'misrouted',
            event.message,
            `sent to ${place}, handled by ${event.reader}, which does not read it`,
            event.reader,
          )
        const columns = table.readers(indexOf(indexes, event.reader))
        count(columns.handled, event.message)
        if (!event.redelivered) count(columns.unmarked, event.message)
        break
      }
      case 'settled':
        totals.settled += 1
        count(table.readers(indexOf(indexes, event.reader)).settled, event.message)
        break
      case 'replied':
        totals.replied += 1
        findings.applies('replied-to-another')
        if (event.answer !== event.message)
          findings.add('replied-to-another', event.message, `got the reply to ${event.answer}`)
        break
      case 'committed':
        positions.commit(event.reader, event.place, event.partition, event.position)
        break
      case 'reported':
        totals.reported += event.count
        reported.set(event.reader, (reported.get(event.reader) ?? 0) + event.count)
        break
      case 'wiped':
        wipe(summary, event.place)
        break
      case 'down':
        downs.push({ fromMs: event.at, untilMs: event.untilMs })
        break
    }
  }
  const wiped = table.wiped.subarray(0, table.size).reduce((sum, one) => sum + one, 0)
  return { ...totals, rejected, wiped }
}

function checkEnd(event: HistoryEvent & { readonly message: number }, { table, promises, findings }: Summary): void {
  const { message, at } = event
  const dueAt = table.dueAt[message] ?? Infinity
  const { graceMs, triesUntilDeadline } = promises
  if (graceMs !== null && at > dueAt + graceMs)
    findings.add('overdue', message, `${event.kind} ${Math.round(at - dueAt)} ms after its deadline`)
  if (triesUntilDeadline && event.kind === 'rejected' && event.delivery === 'unknown' && at < dueAt - 1)
    findings.add('given-up-early', message, `rejected as unknown ${Math.round(dueAt - at)} ms before its deadline`)
}

function noteStored(
  event: { readonly message: number; readonly partition: number; readonly position: number },
  table: MessageTable,
): void {
  const { message, partition, position } = event
  if (table.stored[message] === 0) {
    table.partition[message] = partition
    table.position[message] = position
  }
  count(table.stored, message)
}

function wipe({ table, places, positions }: Summary, place: string): void {
  const id = places.idOf(place) + 1
  for (let message = 0; message < table.size; message++) if (table.place[message] === id) table.wiped[message] = 1
  positions.wipe(place)
}

function indexOf(indexes: ReadonlyMap<string, number>, reader: string): number {
  const index = indexes.get(reader)
  if (index === undefined) throw new RangeError(`The history has a reader ${reader}, of which nothing was promised`)
  return index
}
