import { it } from 'vitest'

import { type LiveResult, record } from '../matrix/results.ts'
import { reasonOf, timed } from '../matrix/runner.ts'
import { RELEASES } from '../transports/releases.ts'

/** A test that is a cell of the results: both libraries have every part in it, if `ours` says nothing else. */
export function mixed(
  transport: string,
  feature: string,
  run: () => Promise<void>,
  ours: LiveResult['ours'] = 'mixed',
): void {
  it(`${transport} - ${feature}`, { timeout: 280_000 }, async () => {
    const { outcome, ms, error } = await timed(run())
    const note = reasonOf(error)
    const python = RELEASES[transport.startsWith('amqp') ? 'amqp10' : 'newest'].version
    record({
      ours,
      python,
      transport,
      feature,
      outcome,
      ms: Math.round(ms),
      ...(note === undefined ? {} : { note }),
    })
    if (outcome === 'fail') throw error
  })
}
