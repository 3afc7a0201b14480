import { expect, it } from 'vitest'
import { runOddPeer } from './support/odd-run.ts'

it('a peer and a network that misbehave at random for some seconds: every operation ends in time, and then all is right', async () => {
  const report = await runOddPeer({ seed: Number(process.env['ODD_SEED'] ?? 1), ms: 8000 })
  expect(report.operations).toBeGreaterThan(50)
  expect(report.mischief).toBeGreaterThan(20)
  expect(report.latestMs).toBeLessThan(2000)
}, 60_000)
