import type { ConformanceCase } from '../case.ts'
import { assertCode } from '../messages.ts'
import { operations } from './operations.ts'

/** Every operation whose time is up rejects with TIMEOUT, whatever it waits for. */
export const timedOutCases: readonly ConformanceCase[] = operations.map(({ name, needs, run }) => ({
  name: `timed out - ${name} rejects with TIMEOUT`,
  needs,
  async run(harness) {
    const driver = await harness.open()
    const error = await harness.rejection(run(harness, driver, harness.deadline(0)), name)
    assertCode(error, 'TIMEOUT', name)
  },
}))
