import { expect, it } from 'vitest'
import { runOddPeer } from './support/odd-run.ts'

/** Minutes of each seed; thirty by `ODD_MINUTES=30`. */
const MINUTES = Number(process.env['ODD_MINUTES'] ?? 1)
/** Milliseconds of mischief in a round: short ones begin and end more often. */
const ROUND_MS = Number(process.env['ODD_ROUND_MS'] ?? 20_000)
/** The first round: one that failed is repeated by its seed and number. */
const FROM = Number(process.env['ODD_FROM'] ?? 0)
const SEEDS = (process.env['ODD_SEEDS'] ?? '1,2,3').split(',').map(Number)

it.each(SEEDS)(
  'seed %i: a peer and a network that misbehave at random for minutes, again and again',
  async (seed) => {
    // Every round opens and closes a driver, so that what is left behind shows.
    const until = performance.now() + MINUTES * 60_000
    const failures: string[] = []
    let [rounds, operations, mischief, succeeded, latestMs, rightAfterMs] = [0, 0, 0, 0, 0, 0]
    for (let round = FROM; performance.now() < until; round += 1) {
      const report = await runOddPeer({ seed: seed * 1000 + round, ms: ROUND_MS }).catch((error: unknown) => {
        const text = `seed ${seed}, round ${round}: ${error instanceof Error ? error.message : String(error)}`
        process.stdout.write(`${text}\n`)
        failures.push(text)
      })
      rounds += 1
      if (report === undefined) continue
      operations += report.operations
      mischief += report.mischief
      succeeded += report.succeeded
      latestMs = Math.max(latestMs, report.latestMs)
      rightAfterMs = Math.max(rightAfterMs, report.rightAfterMs)
    }
    process.stdout.write(
      `odd peer, seed ${seed}: ${rounds} rounds, ${mischief} odd things, ${operations} operations, ${succeeded} succeeded, the latest ${Math.round(latestMs)} ms after its deadline, right again after ${Math.round(rightAfterMs)} ms at most\n`,
    )
    expect(failures).toEqual([])
    expect(latestMs).toBeLessThan(2000)
  },
  MINUTES * 60_000 + 120_000,
)
