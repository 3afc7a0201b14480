import { INVARIANTS, type Invariant } from '@oslo-messaging/conformance/history'
import { escape } from '../text/escape.ts'
import { plot } from './plot.ts'
import type { SimulationResult } from './run.ts'
import { milliseconds } from './text.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5b6677; --paper: #f6f7f9; --card: #fff; --line: #dfe3ea; --good: #14794a; --bad: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa5b5; --paper: #12161c; --card: #1a2028; --line: #2c3542; --good: #4cc38a; --bad: #ff7b6b; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--paper); margin: 0; padding: 2.2rem 1.2rem 4rem; }
main { max-width: 1040px; margin: 0 auto; }
h1 { font-size: 1.55rem; margin: 0; letter-spacing: -.01em; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .7rem; }
.sub { color: var(--soft); margin: .25rem 0 1.4rem; }
.passed { color: var(--good); } .failed { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: .7rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; } .card span { color: var(--soft); font-size: .82rem; }
figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: .9rem 0; padding: .8rem .9rem .4rem; }
figcaption { display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; } figcaption small { color: var(--soft); }
.legend { margin-left: auto; } .legend span { margin-left: 1rem; font-size: .82rem; color: var(--soft); } .legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .35rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 11px; } svg .grid { stroke: var(--line); } svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .fault { fill: #d98e04; opacity: .16; } svg .mark { fill: #b57503; font-weight: 600; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
td, th { text-align: left; padding: .4rem .8rem; border-top: 1px solid var(--line); font-size: .9rem; } th { border-top: 0; color: var(--soft); font-weight: 500; } td.n { width: 6rem; font-variant-numeric: tabular-nums; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem; overflow-x: auto; font-size: 12px; }`

/** The result as one page that asks for nothing from anywhere. */
export function simulationPage(result: SimulationResult, command: string): string {
  const { verdict, totals, seconds, latency, recoveries, curve } = result
  const word = verdict.passed ? 'nothing lost' : 'promises broken'
  const kind = verdict.passed ? 'passed' : 'failed'
  const marks = recoveries.map(({ fault }) => ({ from: fault.fromMs / 1000, to: fault.toMs / 1000, text: fault.kind }))
  const tick = (step: number): string => `${step} s`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>oslo-msg simulate: ${word}</title><style>${STYLE}</style></head><body><main>
<h1>Simulation: <span class="${kind}">${word}</span></h1>
<p class="sub">${escape(result.drivers.join(', '))} · ${escape(result.startedAt.replace('T', ' ').slice(0, 19))} UTC · ${Math.round(result.durationMs / 1000)} s</p>
<div class="cards">
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
<h2>Again</h2><pre>${escape(command)}</pre>
</main></body></html>
`
}

function card(value: number | string, name: string, isBad = false): string {
  const text = typeof value === 'number' ? value.toLocaleString('en') : value
  return `<div class="card"><b${isBad ? ' class="failed"' : ''}>${escape(text)}</b><span>${escape(name)}</span></div>`
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (row: readonly (string | number)[]): string =>
    row.map((cell) => `<td${typeof cell === 'number' ? ' class="n"' : ''}>${escape(cell)}</td>`).join('')
  return `<table><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</table>`
}
