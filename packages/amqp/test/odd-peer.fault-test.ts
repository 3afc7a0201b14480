import { expect, it } from 'vitest'
import { oddScene } from './support/scene.ts'
import { runOddPeer } from './support/odd-peer/run.ts'

/** Minutes of each seed, and the seeds; a run is repeated by naming its seed, and narrowed by the names of what the
 *  peer shall do. */
const MINUTES = Number(process.env['AMQP_ODD_MINUTES'] ?? 1)
const SEEDS = (process.env['AMQP_ODD_SEEDS'] ?? '1,2,3').split(',').map(Number)
/** Says each round as it begins. */
const IS_LOUD = process.env['AMQP_ODD_LOUD'] !== undefined
const ONLY = process.env['AMQP_ODD_ONLY']?.split(',')

oddScene()

it.each(SEEDS)(
  'D19 a peer that misbehaves at random for minutes breaks no promise (seed %i)',
  { timeout: MINUTES * 60_000 + 240_000 },
  async (seed) => {
    const report = await runOddPeer({
      seed,
      forMs: MINUTES * 60_000,
      longestMs: 11_000,
      ...(ONLY === undefined ? {} : { only: ONLY }),
      ...(IS_LOUD ? { tell: (line: string) => void process.stdout.write(`${line}\n`) } : {}),
    })
    const { rounds, operations, endings } = report
    process.stdout.write(`${JSON.stringify({ seed, rounds, operations, endings })}\n`)
    expect(report.violations).toEqual([])
  },
)
