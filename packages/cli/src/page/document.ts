import { escape } from '../text/escape.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5b6677; --paper: #f6f7f9; --card: #fff; --line: #dfe3ea; --good: #14794a; --bad: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa5b5; --paper: #12161c; --card: #1a2028; --line: #2c3542; --good: #4cc38a; --bad: #ff7b6b; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--paper); margin: 0; padding: 2.2rem 1.2rem 4rem; }
main { max-width: 1040px; margin: 0 auto; } main.wide { max-width: 1240px; }
h1 { font-size: 1.55rem; margin: 0; letter-spacing: -.01em; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .7rem; }
.sub { color: var(--soft); margin: .25rem 0 1.4rem; overflow-wrap: anywhere; }
.passed { color: var(--good); } .failed { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: .7rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; } .card span { color: var(--soft); font-size: .82rem; }
figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: .9rem 0; padding: .8rem .9rem .4rem; overflow-x: auto; }
figcaption { display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; } figcaption small { color: var(--soft); }
.legend { margin-left: auto; } .legend span { margin-left: 1rem; font-size: .82rem; color: var(--soft); } .legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .35rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 11px; } svg .grid { stroke: var(--line); } svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .fault { fill: #d98e04; opacity: .16; } svg .mark { fill: #b57503; font-weight: 600; } svg.bar { min-width: 200px; } svg.flame text { fill: #1b2330; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
td, th { text-align: left; padding: .4rem .8rem; border-top: 1px solid var(--line); font-size: .9rem; } th { border-top: 0; color: var(--soft); font-weight: 500; } td.n { width: 6rem; font-variant-numeric: tabular-nums; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem; overflow-x: auto; font-size: 12px; }`

/** The parts of a page; `heading`, `body` and what they hold are HTML, the rest is text. */
export interface DocumentParts {
  readonly title: string
  readonly heading: string
  readonly sub: string
  readonly body: string
  /** For what is drawn in many columns. */
  readonly isWide?: boolean
}

/** One page as HTML that asks for nothing from anywhere. */
export function document({ title, heading, sub, body, isWide = false }: DocumentParts): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${STYLE}</style></head><body><main${isWide ? ' class="wide"' : ''}>
<h1>${heading}</h1>
<p class="sub">${escape(sub)}</p>
${body}
</main></body></html>
`
}

/** A figure with its name below, red when it is a bad one. Numbers get commas; texts are escaped. */
export function card(value: number | string, name: string, isBad = false): string {
  const text = typeof value === 'number' ? value.toLocaleString('en') : value
  return `<div class="card"><b${isBad ? ' class="failed"' : ''}>${escape(text)}</b><span>${escape(name)}</span></div>`
}

/** A table of texts and numbers. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (row: readonly (string | number)[]): string =>
    row.map((cell) => `<td${typeof cell === 'number' ? ' class="n"' : ''}>${escape(cell)}</td>`).join('')
  return `<table><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</table>`
}
