import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { INVARIANTS, type Invariant, type Verdict } from '@oslo-messaging/conformance/history'
import type { Strike } from '../frame/nemesis.ts'
import type { Phase } from '../frame/plan.ts'
import type { RunOptions } from '../frame/profile.ts'
import { formatPage } from './page.ts'
import type { Timeline } from './timeline.ts'

/** Everything that is kept of a run; `report.json` is this. */
export interface Report {
  readonly profile: string
  readonly title: string
  /** Nothing was violated, every nemesis struck, and everything was whole again after each. */
  readonly passed: boolean
  /** What repeats the run. */
  readonly options: RunOptions
  readonly startedAt: string
  readonly durationMs: number
  readonly node: string
  readonly verdict: Verdict
  /** What is wrong with the run beside violations. */
  readonly problems: readonly string[]
  /** Rejected sends by code, phase, delivery and the broker's code. */
  readonly rejections: Readonly<Record<string, number>>
  /** What the first error of each said. */
  readonly rejectionExamples: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string | number>>
  readonly phases: readonly Phase[]
  readonly strikes: readonly Strike[]
  readonly timeline: Timeline
}

/** Writes `report.json` and `report.html` into the folder. */
export function writeReport(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(folder, 'report.html'), formatPage(report))
}

/** The counters, as a terminal shows them. */
export function formatCounters({ verdict, problems, rejections }: Report): string {
  const { totals, counts } = verdict
  const lines = (Object.keys(INVARIANTS) as Invariant[]).map(
    (name) => `  ${name.padEnd(24)} ${counts[name] ?? 'not promised'}`,
  )
  return [
    `sent ${totals.sent}, resolved ${totals.resolved}, rejected ${JSON.stringify(rejections)}`,
    `stored ${totals.stored}, handled ${totals.handled} (${totals.redelivered} redelivered), wiped ${totals.wiped}, reported ${totals.reported}`,
    ...lines,
    ...problems.map((problem) => `  problem: ${problem}`),
  ].join('\n')
}
