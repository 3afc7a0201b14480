import { type ConformanceCase, unmet } from './case.ts'
import { ConformanceFailure } from './happenings.ts'
import { Harness } from './harness.ts'
import type { ConformanceOptions } from './options.ts'
import type { ConformanceReport, LeftOutCase } from './report.ts'

/** Runs one case against one driver and closes what it opened. Rejects with ConformanceFailure when the driver fails
 *  it. */
export async function runCase(testCase: ConformanceCase, options: ConformanceOptions): Promise<void> {
  const harness = new Harness(options)
  const failed = (error: unknown): never => {
    throw new ConformanceFailure(testCase.name, error, harness.happenings)
  }
  try {
    await testCase.run(harness)
  } catch (error) {
    // The failure of the case is the one worth telling; cleaning up after it may well fail too.
    await harness.cleanUp().catch(() => undefined)
    return failed(error)
  }
  await harness.cleanUp().catch(failed)
}

const DEFAULT_LEVEL = 1

/** Registers cases with the injected runner and keeps the report. */
export class Suite {
  readonly #options: ConformanceOptions
  readonly #ran: string[] = []
  readonly #leftOut: LeftOutCase[] = []

  readonly report: ConformanceReport
  #durationMs: number | null = null

  constructor(options: ConformanceOptions) {
    this.#options = options
    const durationMs = (): number | null => this.#durationMs
    this.report = {
      ran: this.#ran,
      leftOut: this.#leftOut,
      get durationMs() {
        return durationMs()
      },
    }
    let startedAt = 0
    options.beforeAll?.(async () => {
      startedAt = performance.now()
    })
    options.afterAll?.(async () => {
      if (startedAt > 0) this.#durationMs = performance.now() - startedAt
      options.onReport?.(this.report)
    })
  }

  group(name: string, cases: readonly ConformanceCase[]): void {
    const options = this.#options
    const highest = options.level ?? DEFAULT_LEVEL
    const wanted = cases.filter((testCase) => {
      const { level = 0 } = testCase
      const because =
        level > highest
          ? `level ${level}`
          : testCase.needs.map((need) => unmet(need, options)).find((reason) => reason !== undefined)
      if (because !== undefined) this.#leftOut.push({ name: testCase.name, because })
      return because === undefined
    })
    if (wanted.length === 0) return
    // Each wait inside has a deadline of its own with a better message; this one is for a driver that never comes back.
    const limitMs = new Harness(options).patienceMs * 6
    options.describe(name, () => {
      for (const testCase of wanted) {
        const run = async (): Promise<void> => {
          this.#ran.push(testCase.name)
          await runCase(testCase, options)
        }
        options.it(testCase.name, run, limitMs)
      }
    })
  }
}
