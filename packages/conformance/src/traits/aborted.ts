import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { operations } from './operations.ts'

/** Every operation whose signal is aborted rejects with the signal's reason. */
export const abortedCases: readonly ConformanceCase[] = operations.map(({ name, needs, run }) => ({
  name: `aborted - ${name} rejects with the reason of its signal`,
  needs,
  async run(harness) {
    const driver = await harness.open()
    const reason = new Error('aborted by the suite')
    const deadline = harness.deadline(undefined, AbortSignal.abort(reason))
    assert.equal(await harness.rejection(run(harness, driver, deadline), name), reason)
  },
}))
