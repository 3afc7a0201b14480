import { afterAll, describe, expect, it } from 'vitest'
import { unique } from './support/broker.ts'
import { JobProcess } from './support/job-process.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()
const MIB = 2 ** 20
/** `MEMORY_SHARE=0.1` runs a tenth of it. */
const SHARE = Number(process.env['MEMORY_SHARE'] ?? '1')

describe.skipIf(broker === undefined)('memory', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it('1,000,000 casts and 100,000 calls in one process: the heap at the end is within 5 % of that after the first fifth', async () => {
    const url = await broker.vhost(unique('memory'))
    await using load = new JobProcess('steady', url, {
      topic: unique('t'),
      casts: 1_000_000 * SHARE,
      calls: 100_000 * SHARE,
      concurrency: 128,
    })
    const { first, last } = await load.fact('done')
    const heaps = load.facts.flatMap(({ share, heap }) =>
      share === undefined ? [] : [`${Number(share) * 100} %: ${(Number(heap) / MIB).toFixed(2)} MiB`],
    )
    tell(`heap after ${heaps.join(', ')}; ratio ${(Number(last) / Number(first)).toFixed(3)}`)
    expect(Number(last) / Number(first)).toBeLessThan(1.05)
    expect(await load.exited).toBe(0)
  }, 1_800_000)
})
