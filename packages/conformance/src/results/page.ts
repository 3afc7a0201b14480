import type { CaseResult, ConformanceResults, Versioned } from './results.ts'

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2f7d32; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 3rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.9rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.5rem 0; }
.facts div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; }
.facts b { display: block; font-size: 1.15rem; } .facts span { opacity: .7; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line); padding: .25rem .5rem; vertical-align: top; }
td:first-child { width: 1.5rem; } td:last-child { text-align: right; white-space: nowrap; opacity: .7; }
.passed { color: var(--good); } .failed { color: var(--bad); } .out { opacity: .55; }
pre { white-space: pre-wrap; background: var(--soft); padding: .6rem; border-radius: .4rem; font-size: .85rem; }
`
const MARKS = {
  passed: '<span class="passed">✓</span>',
  failed: '<span class="failed">✗</span>',
  'left out': '–',
} as const

/** The results as one HTML page without anything from elsewhere. */
export function formatPage(results: ConformanceResults): string {
  const { title, level, cases, capabilities, tookMs, date } = results
  const count = (outcome: CaseResult['outcome']): number => cases.filter((each) => each.outcome === outcome).length
  const facts: readonly (readonly [string, string])[] = [
    ['level', level === null ? 'none' : String(level)],
    ['passed', `${count('passed')}`],
    ['failed', `${count('failed')}`],
    ['left out', `${count('left out')}`],
    ['took', `${(tookMs / 1000).toFixed(1)} s`],
    ['driver', shown(results.driver)],
    ['client library', results.library === null ? 'none' : shown(results.library)],
    ['broker', results.broker === null ? 'none' : shown(results.broker)],
    ['contract', String(results.contract)],
    ['suite', results.kit],
    ['Node.js', results.node],
    ['date', date.slice(0, 10)],
  ]
  const chapters = [...new Set(cases.map(({ chapter }) => chapter))]
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escape(title)}: conformance</title><style>${STYLE}</style>`,
    `<h1>${escape(title)}</h1>`,
    `<div class="facts">${facts.map(([name, value]) => `<div><span>${name}</span><b>${escape(value)}</b></div>`).join('')}</div>`,
    '<h2>Capabilities</h2><table>',
    ...Object.entries(capabilities).map(
      ([name, value]) => `<tr><td></td><td>${name}</td><td>${escape(String(value))}</td></tr>`,
    ),
    '</table>',
    ...chapters.flatMap((chapter) => [
      `<h2>${escape(chapter)}</h2><table>`,
      ...cases.filter((each) => each.chapter === chapter).map(row),
      '</table>',
    ]),
    '</html>',
    '',
  ].join('\n')
}

function row({ name, outcome, tookMs, says, level }: CaseResult): string {
  const why = says === undefined ? '' : outcome === 'failed' ? `<pre>${escape(says)}</pre>` : ` (${escape(says)})`
  const time = tookMs === undefined ? '' : `${tookMs} ms`
  const kind = outcome === 'left out' ? ' class="out"' : ''
  return `<tr${kind}><td>${MARKS[outcome]}</td><td>${escape(name)}${why}</td><td>L${level} ${time}</td></tr>`
}

function shown({ name, version }: Versioned): string {
  return `${name} ${version}`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
