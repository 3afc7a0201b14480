import { INVARIANTS, type Invariant, type Violation } from '@oslo-messaging/conformance/history'
import { formatChart } from './chart.ts'
import { escape } from './escape.ts'
import type { Report } from './report.ts'

const STYLE = `
:root { color-scheme: light dark; --line: #8885; --bad: #c62f2f; --good: #1a7f4b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { margin: 0; } h1 b { font-weight: 700; } .passed { color: var(--good); } .failed { color: var(--bad); }
svg { width: 100%; height: auto; } svg text { fill: currentColor; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .muted { opacity: .65; }
.legend span { margin-right: 1.2rem; white-space: nowrap; } .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; }
.columns { display: flex; flex-wrap: wrap; gap: 0 3rem; } pre { overflow-x: auto; font-size: 12px; } code { font-size: 13px; }`

/** The report as one page that asks for nothing from anywhere. */
export function formatPage(report: Report): string {
  const { title, passed, options, startedAt, durationMs, node, timeline, strikes, problems } = report
  const word = passed ? 'passed' : 'failed'
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(`${title}: ${word}`)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head><body>
<h1>${escape(title)}: <b class="${word}">${word}</b></h1>
<p class="muted">seed ${escape(options.seed)}, ${escape(startedAt)}, ${Math.round(durationMs / 1000)} s, Node ${escape(node)}</p>
${problems.length === 0 ? '' : `<h2>Problems of the run</h2><ul>${problems.map((each) => `<li class="failed">${escape(each)}</li>`).join('')}</ul>`}
<h2>Timeline</h2>
${formatChart(timeline, strikes)}
<div class="columns">
<section><h2>Promises</h2>${formatCounts(report)}</section>
<section><h2>Messages</h2>${formatTotals(report)}</section>
</div>
<h2>Strikes</h2>
${table(
  ['phase', 'nemesis', 'from', 'for', 'hit'],
  strikes.map(({ phase, nemesis, fromMs, toMs, says }) => [
    phase,
    nemesis,
    `${(fromMs / 1000).toFixed(1)} s`,
    `${((toMs - fromMs) / 1000).toFixed(1)} s`,
    says,
  ]),
)}
<h2>Rejections</h2>
${table(
  ['number', 'kind', 'the first said'],
  Object.entries(report.rejections).map(([kind, count]) => [count, kind, report.rejectionExamples[kind] ?? '']),
)}
${formatViolations(report.verdict.violations)}
<h2>Again</h2><p><code>${escape(commandOf(report))}</code></p>
</body></html>
`
}

/** The command that repeats the run. */
function commandOf({ profile, options }: Report): string {
  const { seed, on, version, short, minutes, only } = options
  const words = [
    `--seed ${seed}`,
    ...(on === undefined ? [] : [`--on ${on}`]),
    ...(version === undefined ? [] : [`--version ${version}`]),
    short ? '--short' : `--minutes ${minutes}`,
    ...(only ?? []).map((name) => `--only '${name}'`),
  ]
  return `npm run certify:${profile} -- ${words.join(' ')}`
}

function formatCounts({ verdict }: Report): string {
  const rows = (Object.keys(INVARIANTS) as Invariant[]).map((name) => {
    const count = verdict.counts[name]
    const kind = count === undefined ? 'muted' : count === 0 ? 'passed' : 'failed'
    return `<tr><td class="number ${kind}">${count ?? 'not promised'}</td><td>${escape(name)}</td><td class="muted">${escape(INVARIANTS[name])}</td></tr>`
  })
  return `<table>${rows.join('')}</table>`
}

function formatTotals({ verdict, facts }: Report): string {
  const { rejected: _, ...totals } = verdict.totals
  return table([], [...Object.entries(totals), ...Object.entries(facts)])
}

function formatViolations(violations: readonly Violation[]): string {
  if (violations.length === 0) return ''
  const shown = violations.map(
    ({ invariant, message, reader, says, events }) =>
      `<details><summary><b class="failed">${escape(invariant)}</b> message ${message}${reader === undefined ? '' : `, ${escape(reader)}`}: ${escape(says)}</summary><pre>${events
        .map((event) => escape(JSON.stringify(event)))
        .join('\n')}</pre></details>`,
  )
  return `<h2>Violations, the first of each</h2>${shown.join('\n')}`
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (row: readonly (string | number)[]): string =>
    row.map((cell) => `<td${typeof cell === 'number' ? ' class="number"' : ''}>${escape(cell)}</td>`).join('')
  const first = head.length === 0 ? '' : `<tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr>`
  return `<table>${first}${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</table>`
}
