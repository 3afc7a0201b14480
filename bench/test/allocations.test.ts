import { expect, it } from 'vitest'
import { excesses, LINE, measureAllocations, recordedAllocations } from '../src/allocations/baseline.ts'

it('bytes allocated for a message are what is on record (npm run bench -- allocations --record)', async () => {
  const { node, marginPercent } = recordedAllocations()
  // A line of Node that nothing is on record of has other objects: only what grows by half is told then.
  const own = node[LINE]
  const [recorded, margin] = own === undefined ? [node['20'] ?? {}, 50] : [own, marginPercent]
  const measured = await measureAllocations()
  expect(Object.keys(measured).length).toBeGreaterThan(5)
  expect(excesses(measured, recorded, margin)).toEqual([])
  // A second of CPU; a machine with other work takes its time over it.
}, 120_000)

it('excesses - tells what is beyond the margin either way, and what has no record', () => {
  const recorded = { call: 1000, cast: 1000, read: 1000 }
  expect(excesses({ call: 1049, cast: 1051, read: 900, new: 5 }, recorded, 5)).toEqual([
    'cast: 1051 bytes, 5.1 % above 1000',
    'read: 900 bytes, 10.0 % below 1000: put it on record',
    'new: 5 bytes, and nothing on record',
  ])
})
