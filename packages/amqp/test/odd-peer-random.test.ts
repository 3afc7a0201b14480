import { expect, it } from 'vitest'
import { oddScene } from './support/scene.ts'
import { runOddPeer } from './support/odd-peer/run.ts'

// For unhandled errors and for what is printed.
oddScene()

it('D19 a peer that misbehaves at random for a few seconds breaks no promise', { timeout: 120_000 }, async () => {
  const report = await runOddPeer({ seed: 1, forMs: 6_000, longestMs: 1_000 })
  expect(report.violations).toEqual([])
  expect(report.rounds).toBeGreaterThan(1)
})
