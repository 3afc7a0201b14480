/** What a run of the suite covered. Filled while the tests run; complete after the last one. */
export interface ConformanceReport {
  /** Names of the cases that ran, passed or not, in order. */
  readonly ran: readonly string[]
  readonly leftOut: readonly LeftOutCase[]
}

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
  return [`${report.ran.length} cases ran, ${report.leftOut.length} left out`, ...lines].join('\n')
}
