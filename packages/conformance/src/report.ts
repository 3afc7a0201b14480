/** What a run of the suite covered. Filled while the tests run; complete after the last one. */
export interface ConformanceReport {
  /** Names of the cases that ran, passed or not, in order. */
  readonly ran: readonly string[]
  readonly leftOut: readonly LeftOutCase[]
  /** From the first case to the end of the last, milliseconds; null before that, and without the hooks. */
  readonly durationMs: number | null
}

/** A case that did not run, and the undeclared capability or missing knob that says so. */
export interface LeftOutCase {
  readonly name: string
  /** The declared capability or the absent knob that says so: `pools: false`, `no knob vhosts`. */
  readonly because: string
}

/** The report as text, one line for each reason. */
export function formatReport(report: ConformanceReport): string {
  const reasons = new Map<string, string[]>()
  for (const { name, because } of report.leftOut) reasons.set(because, [...(reasons.get(because) ?? []), name])
  const lines = [...reasons].map(([because, names]) => `left out (${because}): ${names.join('; ')}`)
  const duration = report.durationMs === null ? '' : ` in ${(report.durationMs / 1000).toFixed(1)} s`
  const ran = report.ran.length === 1 ? '1 case' : `${report.ran.length} cases`
  return [`${ran} ran${duration}, ${report.leftOut.length} left out`, ...lines].join('\n')
}
