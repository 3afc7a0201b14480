import type { HistoryEvent } from './event.ts'
import { checkReading } from './check-reading.ts'
import { Returned } from './check-returned.ts'
import { checkSending } from './check-sending.ts'
import { checkStoredOrder, HandlingOrder } from './check-order.ts'
import { Findings } from './findings.ts'
import { Names } from './names.ts'
import { MessageTable } from './message-table.ts'
import { Positions } from './positions.ts'
import type { HistoryPromises } from './promises.ts'
import { readHistory } from './read-history.ts'
import type { Summary } from './summary.ts'
import type { Verdict } from './verdict.ts'

/** How much the checker tells. */
export interface CheckOptions {
  /** Most violations of one invariant that are given with their events; all are counted. Default 20. */
  readonly examples?: number
}

/** Holds a whole history to its promises. Pure: the same events give the same verdict, and nothing is waited for. Goes
 *  through `events` up to four times. Takes about 50 bytes a message, and 3 a message and reader, whatever the number
 *  of events. */
export function checkHistory(
  events: Iterable<HistoryEvent>,
  promises: HistoryPromises,
  { examples = 20 }: CheckOptions = {},
): Verdict {
  const readers = Object.keys(promises.readers)
  const table = new MessageTable(readers.length)
  const findings = new Findings(examples)
  const reported = new Map<string, number>()
  const positions = new Positions()
  const outside = new Set(promises.readOutside)
  const summary: Summary = {
    table,
    places: new Names(),
    promises,
    outside,
    readers,
    positions,
    reported,
    findings,
    downs: [],
  }
  const totals = readHistory(events, summary)
  checkSending(summary)
  checkStoredOrder(summary)
  const order = new HandlingOrder(summary)
  if (order.applies) {
    for (const event of events) if (event.kind === 'handled') order.handled(event)
  }
  const returned = checkReading(summary, new Returned(events, summary))
  return {
    passed: findings.total === 0,
    counts: findings.counts,
    violations: findings.collect(events),
    totals: { ...totals, returned },
  }
}
