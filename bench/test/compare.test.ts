import { expect, it } from 'vitest'
import { compareResults, formatComparison } from '../src/compare.ts'
import type { Row, SuiteResult } from '../src/result.ts'

const figures = { perSec: 100, p50Ms: 1, p99Ms: 2, cpuUsPerOp: 3 }
const row = (name: string, [min, median, max]: readonly [number, number, number]): Row => ({
  workload: { name, concurrency: 1, bytes: 100 },
  ours: figures,
  peer: { name: 'hand-written', ...figures },
  ratio: { median, min, max },
  pairs: 3,
})
const result = (...rows: readonly Row[]): readonly SuiteResult[] => [{ suite: 'core', environment: {}, rows }]

it('compare - says slower or faster only where all turns of one run lie beyond the other', () => {
  const before = result(
    row('a', [0.9, 1, 1.1]),
    row('b', [0.9, 1, 1.1]),
    row('c', [0.9, 1, 1.1]),
    row('gone', [1, 1, 1]),
  )
  const after = result(
    row('a', [0.7, 0.8, 0.89]),
    row('b', [1.2, 1.3, 1.4]),
    row('c', [0.8, 0.95, 1.2]),
    row('new', [1, 1, 1]),
  )
  const compared = compareResults(before, after)
  expect(compared.map(({ workload, verdict }) => [workload.name, verdict])).toEqual([
    ['a', 'slower'],
    ['b', 'faster'],
    ['c', 'alike'],
  ])
  const text = formatComparison(compared)
  expect(text).toMatch(/^core +a +1 +100 +hand-written +1\.00 \(0\.90 to 1\.10\) +0\.80 \(0\.70 to 0\.89\) +slower$/m)
  expect(text).toMatch(/3 rows: 1 slower, 1 faster, 1 alike/)
})
