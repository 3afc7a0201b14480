import { escape } from '../text/escape.ts'
import { count, printable } from '../text/printable.ts'
import { fold } from '../text/table.ts'
import type { Io } from '../io.ts'
import { type Finding, type Findings, SEVERITIES, type Severity } from './finding.ts'

const COLOURS: Readonly<Record<Severity, number>> = { error: 31, warning: 33, note: 36, ok: 32 }

/** What was found, the worst first, with what to do about it. */
export function reportText(findings: Findings, io: Io): string {
  const columns = Math.min(io.columns, 100)
  const shown = sorted(findings.all).map(({ severity, check, host, what, why, fix }) => {
    const word = io.colour ? `\u001b[${COLOURS[severity]}m${severity}\u001b[0m` : severity
    const head = `${word}  ${check}${host === null ? '' : `  ${printable(host)}`}`
    const lines = [
      what,
      ...(why === '' ? [] : [`Why it matters: ${why}`]),
      ...(fix === '' ? [] : [`What to do: ${fix}`]),
    ]
    return [head, ...lines.map((line) => fold(printable(line), columns, '    '))].join('\n')
  })
  return `${shown.join('\n')}\n${summary(findings)}\n`
}

export function summary(findings: Findings): string {
  return `${count(findings.count('error'), 'error')}, ${count(findings.count('warning'), 'warning')}, ${count(findings.count('note'), 'note')}, ${findings.count('ok')} in order`
}

/** The findings, the worst first, each check in the order it was made. */
export function sorted(findings: readonly Finding[]): readonly Finding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((each) => each.severity === severity))
}

/** One page that asks for nothing from anywhere. */
export function reportPage(findings: Findings, title: string): string {
  const cards = sorted(findings.all).map(
    ({ severity, check, host, what, why, fix }) =>
      `<section class="${severity}"><h2><b>${severity}</b> ${escape(check)}${host === null ? '' : ` <span>${escape(host)}</span>`}</h2><p>${escape(what)}</p>${why === '' ? '' : `<p><i>Why it matters</i> ${escape(why)}</p>`}${fix === '' ? '' : `<p><i>What to do</i> ${escape(fix)}</p>`}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 820px; margin: 2rem auto; padding: 0 1rem; }
section { border-left: 4px solid #888; padding: .1rem 1rem; margin: 1rem 0; background: #8881; border-radius: 0 6px 6px 0; }
h2 { font-size: 1rem; margin: .4rem 0; } h2 span { font-weight: 400; opacity: .7; } p { margin: .3rem 0; } i { opacity: .7; font-style: normal; margin-right: .4rem; }
.error { border-color: #c62f2f; } .warning { border-color: #d98e04; } .note { border-color: #2457b3; } .ok { border-color: #1a7f4b; }
</style></head><body><h1>${escape(title)}</h1><p>${escape(summary(findings))}</p>
${cards.join('\n')}
</body></html>
`
}
