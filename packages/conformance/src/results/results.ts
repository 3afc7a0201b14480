import { createRequire } from 'node:module'
import { DRIVER_API, type DriverCapabilities } from '@oslo-messaging/core/driver'
import { type ConformanceCase, unmet } from '../case.ts'
import { ConformanceFailure } from '../happenings.ts'
import { Harness } from '../harness.ts'
import type { ConformanceOptions, Level } from '../options.ts'
import { runCase } from '../suite.ts'

/** What became of one case. */
export interface CaseResult {
  readonly chapter: string
  readonly name: string
  readonly level: Level
  readonly outcome: 'passed' | 'failed' | 'left out'
  /** Milliseconds; absent for one that was left out. */
  readonly tookMs?: number
  /** Why it was left out, or what it found. */
  readonly says?: string
}

/** A package or a program, and which one. */
export interface Versioned {
  readonly name: string
  readonly version: string
}

/** What was tested, which the suite cannot know. */
export interface Subject {
  /** For people, and for file names: `rabbit-3.10`. */
  readonly title: string
  readonly driver: Versioned
  /** The client library; null for a driver that has none. */
  readonly library: Versioned | null
  /** null for a driver that is its own broker. */
  readonly broker: Versioned | null
}

/** A whole run, as `conformance.json` keeps it. */
export interface ConformanceResults extends Subject {
  /** Version of this package. */
  readonly kit: string
  /** Version of the driver contract. */
  readonly contract: number
  /** Version of Node.js. */
  readonly node: string
  /** When it began, ISO 8601 in UTC. */
  readonly date: string
  readonly capabilities: DriverCapabilities
  /** The highest level of which every case that applies passed, as those of the levels below did; null: not even 0. */
  readonly level: Level | null
  readonly tookMs: number
  readonly cases: readonly CaseResult[]
}

/** Runs the suite without a test runner, one case after the other, and keeps what became of each. Never rejects because
 *  of a driver. `onCase` is told of each when it is over. */
export async function runConformance(
  chapters: Readonly<Record<string, readonly ConformanceCase[]>>,
  subject: Subject,
  options: Omit<ConformanceOptions, 'describe' | 'it' | 'beforeAll' | 'afterAll' | 'onReport'>,
  onCase: (result: CaseResult) => void = () => {},
): Promise<ConformanceResults> {
  const all: ConformanceOptions = { ...options, describe: () => {}, it: () => {} }
  const highest = options.level ?? 1
  const date = new Date().toISOString()
  const startedAt = performance.now()
  const cases: CaseResult[] = []
  for (const [chapter, testCases] of Object.entries(chapters)) {
    for (const testCase of testCases) {
      const result = await resultOf(chapter, testCase, all, highest)
      cases.push(result)
      onCase(result)
    }
  }
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }
  return {
    ...subject,
    kit: version,
    contract: DRIVER_API,
    node: process.versions.node,
    date,
    capabilities: options.capabilities,
    level: levelReached(cases, highest),
    tookMs: Math.round(performance.now() - startedAt),
    cases,
  }
}

async function resultOf(
  chapter: string,
  testCase: ConformanceCase,
  options: ConformanceOptions,
  highest: Level,
): Promise<CaseResult> {
  const { name, level = 0, needs } = testCase
  const because =
    level > highest
      ? `level ${level}`
      : needs.map((need) => unmet(need, options)).find((reason) => reason !== undefined)
  if (because !== undefined) return { chapter, name, level, outcome: 'left out', says: because }
  const startedAt = performance.now()
  const took = (): number => Math.round(performance.now() - startedAt)
  try {
    await withinLimit(runCase(testCase, options), new Harness(options).patienceMs * 12)
    return { chapter, name, level, outcome: 'passed', tookMs: took() }
  } catch (error) {
    const says = error instanceof ConformanceFailure ? error.message : String(error)
    return { chapter, name, level, outcome: 'failed', tookMs: took(), says }
  }
}

/** A driver that never comes back must not keep the results of the others. */
async function withinLimit(run: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`The case was not over after ${limitMs} ms`)), limitMs)
  })
  try {
    await Promise.race([run, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A level counts when something of it ran and nothing of it, or below it, failed. One of which nothing ran for want of
 *  levers holds up those above it; one of which nothing applies to what the driver declares does not. */
function levelReached(cases: readonly CaseResult[], highest: Level): Level | null {
  let reached: Level | null = null
  for (const level of [0, 1, 2, 3, 4] as const) {
    const own = cases.filter((each) => each.level === level)
    if (level > highest || own.some(({ outcome }) => outcome === 'failed')) break
    if (own.some(({ outcome }) => outcome === 'passed')) reached = level
    else if (own.some(({ says = '' }) => /^no (?:lever|knob) /.test(says))) break
  }
  return reached
}
