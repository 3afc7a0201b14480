import { count, printable } from '../text/printable.ts'
import { tableText } from '../text/table.ts'
import type { SimulationResult } from './run.ts'

/** `0.4 ms`, `230 ms`, `1.8 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

/** What came of a run, for people. */
export function resultText(result: SimulationResult): string {
  const { totals, latency, recoveries, verdict, rejections } = result
  const failed = totals.sent - totals.resolved
  const rows = [
    [
      'sent',
      String(totals.sent),
      `${result.drivers.join(', ')}${result.processes === 1 ? '' : `, ${result.processes} processes`}, ${Math.round(result.durationMs / 1000)} s`,
    ],
    ['acknowledged', String(totals.resolved), ''],
    ['failed', String(failed), failed === 0 ? '' : 'and said so'],
    ['lost', String(result.lost), result.lost === 0 ? '' : 'acknowledged, and nobody ever got it'],
    ['doubled', String(result.doubled), result.doubled === 0 ? '' : 'handled again'],
    ['out of order', String(result.outOfOrder), ''],
    ['late', String(result.late), result.late === 0 ? '' : 'ended long after its time was over'],
  ]
  const { p50, p90, p99, p999, max } = latency
  const times =
    latency.count === 0
      ? 'nothing came through'
      : `median ${milliseconds(p50)}, 90 % ${milliseconds(p90)}, 99 % ${milliseconds(p99)}, 99.9 % ${milliseconds(p999)}, longest ${milliseconds(max)}`
  return [
    tableText(rows, { right: [1] }).trimEnd(),
    `latency: ${times}`,
    ...recoveries.map(
      ({ fault, recoveryMs }) =>
        `${fault.kind} at ${fault.fromMs / 1000} s: ${recoveryMs === null ? 'not recovered before the end' : `recovered ${milliseconds(recoveryMs)} after it ended`}`,
    ),
    ...Object.entries(rejections).map(([name, number]) => `${count(number, 'failure')}: ${printable(name)}`),
    ...verdict.violations
      .slice(0, 5)
      .map(({ invariant, message, says }) => `broken promise: ${invariant}, message ${message}: ${printable(says)}`),
    verdict.passed ? 'Every promise was kept' : 'Promises were broken',
    '',
  ].join('\n')
}
