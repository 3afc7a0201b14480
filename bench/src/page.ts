import { card, document, escape } from '@oslo-messaging/cli/page'
import type { Row, SuiteResult } from './result.ts'

/** Results as one page that asks for nothing from anywhere. */
export function resultsPage(results: readonly SuiteResult[], command: string): string {
  const rows = results.flatMap((result) => result.rows)
  const behind = rows.filter(({ ratio }) => ratio.max < 1).length
  const ahead = rows.filter(({ ratio }) => ratio.min > 1).length
  const environment = Object.entries(results[0]?.environment ?? {})
    .filter(([key]) => key !== 'packages')
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ')
  return document({
    title: 'Bench',
    heading: 'Ours against hand-written clients',
    sub: environment,
    body: `<div class="cards">${card(rows.length, 'rows')}${card(ahead, 'ahead in every pair of turns')}${card(rows.length - ahead - behind, 'alike within their turns')}${card(behind, 'behind in every pair of turns')}</div>
<p class="sub">Throughput, ours over the peer's, of each pair of turns in one run: the median, and from the least to the greatest. Right of the line we are faster.</p>
${results.map(suiteSection).join('\n')}
<h2>Again</h2><pre>${escape(command)}</pre>`,
  })
}

const [WIDTH, BAR, LEFT] = [300, 22, 4]
/** A ratio of a quarter stands at the left end, one of four at the right. */
const SPAN = Math.log(4)

function suiteSection({ suite, rows }: SuiteResult): string {
  const lines = rows.map(
    (row) =>
      `<tr><td>${escape(row.workload.name)}</td><td class="n">${row.workload.concurrency}</td><td class="n">${row.workload.bytes}</td><td>${escape(row.peer.name)}</td><td class="n">${figure(row.ours.perSec)}</td><td class="n">${figure(row.peer.perSec)}</td><td class="n">${figure(row.ours.p99Ms)}</td><td class="n">${figure(row.ours.cpuUsPerOp)}</td><td>${bar(row)}</td></tr>`,
  )
  return `<h2>${escape(suite)}</h2><table><tr><th>workload</th><th>at once</th><th>bytes</th><th>peer</th><th>ours/s</th><th>peer/s</th><th>p99 ms</th><th>CPU µs</th><th>ratio</th></tr>${lines.join('')}</table>`
}

function bar({ ratio }: Row): string {
  const x = (value: number): string =>
    (LEFT + ((Math.min(Math.max(Math.log(value), -SPAN), SPAN) + SPAN) / (2 * SPAN)) * (WIDTH - 2 * LEFT)).toFixed(1)
  const middle = BAR / 2
  const colour = ratio.max < 1 ? '#d2452f' : ratio.min > 1 ? '#1a9c62' : '#8795a9'
  return `<svg viewBox="0 0 ${WIDTH} ${BAR}" class="bar" role="img" aria-label="${ratio.median.toFixed(2)}"><path d="M${x(1)} 0V${BAR}" class="grid"/><path d="M${x(ratio.min)} ${middle}L${x(ratio.max)} ${middle}" stroke="${colour}" class="curve"/><circle cx="${x(ratio.median)}" cy="${middle}" r="4" fill="${colour}"/><text x="${WIDTH - LEFT}" y="${middle + 4}" text-anchor="end">${ratio.median.toFixed(2)}</text></svg>`
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}
