import { INVARIANTS, type Invariant } from '@oslo-messaging/conformance/history'
import { escape } from '../text/escape.ts'
import { card, document, table } from '../page/document.ts'
import { plot } from '../page/plot.ts'
import type { SimulationResult } from './run.ts'
import { milliseconds } from './text.ts'

/** The result as one page that asks for nothing from anywhere. */
export function simulationPage(result: SimulationResult, command: string): string {
  const { verdict, totals, seconds, latency, recoveries, curve } = result
  const word = verdict.passed ? 'nothing lost' : 'promises broken'
  const kind = verdict.passed ? 'passed' : 'failed'
  const marks = recoveries.map(({ fault }) => ({ from: fault.fromMs / 1000, to: fault.toMs / 1000, text: fault.kind }))
  const tick = (step: number): string => `${step} s`
  const processes = result.processes === 1 ? '' : ` · ${result.processes} processes`
  return document({
    title: `oslo-msg simulate: ${word}`,
    heading: `Simulation: <span class="${kind}">${word}</span>`,
    sub: `${result.drivers.join(', ')}${processes} · ${result.startedAt.replace('T', ' ').slice(0, 19)} UTC · ${Math.round(result.durationMs / 1000)} s`,
    body: `<div class="cards">
${card(totals.sent, 'sent')}${card(totals.resolved, 'acknowledged')}${card(totals.sent - totals.resolved, 'failed, and said so')}${card(result.lost, 'lost', result.lost > 0)}${card(result.doubled, 'doubled', false)}${card(result.outOfOrder, 'out of order', result.outOfOrder > 0)}${card(result.late, 'late', result.late > 0)}${card(milliseconds(latency.p50), 'median')}${card(milliseconds(latency.p99), '99th percentile')}
</div>
<h2>Over time</h2>
${plot({
  title: 'Messages',
  unit: 'a second',
  marks,
  tick,
  lines: [
    { name: 'sent', colour: '#8795a9', values: seconds.map(({ sent }) => sent) },
    { name: 'acknowledged', colour: '#1a9c62', values: seconds.map(({ resolved }) => resolved) },
    { name: 'handled', colour: '#3568d4', values: seconds.map(({ handled }) => handled) },
    { name: 'failed', colour: '#d2452f', values: seconds.map(({ rejected }) => rejected) },
  ],
})}
${plot({
  title: 'Latency',
  unit: 'ms, by the second it ended in',
  marks,
  tick,
  isLogarithmic: true,
  lines: [
    { name: 'median', colour: '#1a9c62', values: seconds.map(({ p50 }) => p50) },
    { name: '99 %', colour: '#c77d0a', values: seconds.map(({ p99 }) => p99) },
    { name: 'longest', colour: '#d2452f', values: seconds.map(({ max }) => max) },
  ],
})}
<h2>All of them</h2>
${plot({
  title: 'Latency by percentile',
  unit: 'ms',
  marks: [],
  tick: (step) => `${curve[step]?.percentile ?? ''} %`,
  isLogarithmic: true,
  lines: [{ name: 'all', colour: '#3568d4', values: curve.map(({ ms }) => ms) }],
})}
${
  recoveries.length === 0
    ? ''
    : `<h2>Faults</h2>${table(
        ['fault', 'from', 'for', 'recovered after'],
        recoveries.map(({ fault, recoveryMs }) => [
          fault.kind,
          `${fault.fromMs / 1000} s`,
          `${(fault.toMs - fault.fromMs) / 1000} s`,
          recoveryMs === null ? 'not before the end' : milliseconds(recoveryMs),
        ]),
      )}`
}
<h2>Promises</h2>
${table(
  ['broken', 'promise', ''],
  (Object.keys(INVARIANTS) as Invariant[])
    .filter((name) => verdict.counts[name] !== undefined)
    .map((name) => [verdict.counts[name] ?? 0, name, `broken when: ${INVARIANTS[name]}`]),
)}
${
  Object.keys(result.rejections).length === 0
    ? ''
    : `<h2>Failures that were told</h2>${table(
        ['number', 'kind'],
        Object.entries(result.rejections).map(([name, number]) => [number, name]),
      )}`
}
${verdict.violations.length === 0 ? '' : `<h2>The first broken promises</h2><pre>${verdict.violations.map(({ invariant, message, says }) => escape(`${invariant}: message ${message}, ${says}`)).join('\n')}</pre>`}
<h2>Again</h2><pre>${escape(command)}</pre>`,
  })
}
