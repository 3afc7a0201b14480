/** One thing that was looked at. */
export interface Finding {
  readonly severity: Severity
  /** What was looked at: `tls`. */
  readonly check: string
  /** The broker or host it concerns; null: this machine or the configuration. */
  readonly host: string | null
  readonly what: string
  /** Why it matters; empty where there is nothing to mend. */
  readonly why: string
  /** What to do about it. */
  readonly fix: string
}

/** Worst first. */
export const SEVERITIES = ['error', 'warning', 'note', 'ok'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Makes findings of one check. */
export class Findings {
  readonly all: Finding[] = []

  add(severity: Severity, check: string, host: string | null, what: string, why = '', fix = ''): void {
    this.all.push({ severity, check, host, what, why, fix })
  }

  /** Whether a check has found that nothing behind it can work. */
  isBroken(host: string): boolean {
    return this.all.some((each) => each.host === host && each.severity === 'error')
  }

  count(severity: Severity): number {
    return this.all.filter((each) => each.severity === severity).length
  }
}
