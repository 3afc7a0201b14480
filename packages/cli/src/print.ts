import type { QueueReport, RedriveReport } from '@oslo-messaging/core'
import { count, printable } from './text/printable.ts'
import { tableText } from './text/table.ts'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1536` as `1.5 KiB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < UNITS.length - 1; unit += 1) value /= 1024
  // What would be rounded up to 1024 is one of the next unit.
  if (unit > 0 && unit < UNITS.length - 1 && value >= 1023.95) {
    value = 1
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`
}

/** A table for people: one line for each queue, and a sum. */
export function queuesText(queues: readonly QueueReport[], orphansOnly: boolean): string {
  const shown = orphansOnly ? queues.filter(({ orphan }) => orphan) : queues
  const rows = shown.map(({ name, messages, bytes, consumers, orphan, why }) => [
    printable(name),
    String(messages),
    bytes === null ? '?' : bytesText(bytes),
    String(consumers),
    orphan ? `orphan: ${printable(why ?? '')}` : printable(why ?? ''),
  ])
  const table =
    rows.length === 0 ? '' : tableText([['QUEUE', 'MESSAGES', 'BYTES', 'CONSUMERS', ''], ...rows], { right: [1, 2, 3] })
  const orphans = queues.filter(({ orphan }) => orphan)
  const bytes = orphans.reduce((sum, queue) => sum + (queue.bytes ?? 0), 0)
  const found = orphans.length === 0 ? 'no orphan' : `${count(orphans.length, 'orphan')} with ${bytesText(bytes)}`
  return `${table}${count(queues.length, 'queue')}, ${found}\n`
}

/** What became of the dead letters, in words. */
export function redriveText({ moved, left, skipped }: RedriveReport, dryRun: boolean): string {
  const rest = left === null ? '' : dryRun ? ` of ${left}` : `; ${left} left`
  const lines = [
    dryRun ? `Would move ${count(moved, 'dead letter')}${rest}` : `Moved ${count(moved, 'dead letter')}${rest}`,
    ...skipped.map((each) => `Skipped ${each.count}: ${printable(each.reason)}`),
  ]
  return `${lines.join('\n')}\n`
}
