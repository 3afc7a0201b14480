import { placeOf, type Summary } from './summary.ts'
import { Outcome } from './message-table.ts'

/** What a send said against what the broker has. */
export function checkSending(summary: Summary): void {
  const { table, promises, outside, findings } = summary
  findings.applies('unfinished')
  if (outside.size > 0) {
    findings.applies('resolved-and-not-stored')
    findings.applies('not-sent-but-stored')
    if (promises.storedOnce) findings.applies('stored-twice')
  }
  for (let message = 0; message < table.size; message++) {
    if (!table.wasSent(message)) continue
    const outcome = table.outcome[message]
    const stored = table.stored[message] ?? 0
    if (outcome === Outcome.open) findings.add('unfinished', message, 'neither resolved nor rejected')
    if (!outside.has(placeOf(summary, message))) continue
    if (outcome === Outcome.resolved && stored === 0 && table.wiped[message] === 0)
      findings.add('resolved-and-not-stored', message, `resolved, and ${placeOf(summary, message)} does not have it`)
    if (outcome === Outcome.notSent && stored > 0)
      findings.add('not-sent-but-stored', message, `rejected as not sent, and stored ${stored} times`)
    if (promises.storedOnce && stored > 1) findings.add('stored-twice', message, `stored ${stored} times`)
  }
}
