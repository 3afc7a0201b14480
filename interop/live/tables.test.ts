import { describe, expect, it } from 'vitest'

import { FEATURES } from './features/index.ts'
import { stagesOf } from './matrix/cell.ts'
import { isEveryday } from './matrix/everyday.ts'
import { RELEASES } from './transports/releases.ts'
import { TRANSPORTS } from './transports/index.ts'

const names = FEATURES.map(({ name }) => name)
const cellsOf = (stages: ReturnType<typeof stagesOf>) =>
  stages.flatMap(({ row, cells }) => cells.map((cell) => ({ row, ...cell })))
const cells = cellsOf(stagesOf(TRANSPORTS, FEATURES))
const everyday = cellsOf(stagesOf(TRANSPORTS, FEATURES, isEveryday)).filter(
  ({ notApplicable }) => notApplicable === undefined,
)

describe('the tables of the live matrix', () => {
  it('has names that are used once', () => {
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(TRANSPORTS.map(({ name }) => name)).size).toBe(TRANSPORTS.length)
  })

  it('has a cell for each feature of each row in both directions, or a reason', () => {
    for (const row of TRANSPORTS) {
      const directions = row.releases.length * 2 + (row.reference === true ? 1 : 0)
      expect(cells.filter((cell) => cell.row === row)).toHaveLength(FEATURES.length * directions)
    }
    for (const { notApplicable } of cells) expect(notApplicable ?? 'a reason').toMatch(/\S+ \S+/)
  })

  it('has every row, every feature and every role of ours in the everyday part', () => {
    expect(new Set(everyday.map(({ row }) => row.name))).toEqual(new Set(TRANSPORTS.map(({ name }) => name)))
    expect(new Set(everyday.map(({ feature }) => feature.name))).toEqual(new Set(names))
    expect(new Set(everyday.map(({ role }) => role))).toEqual(
      new Set(['client', 'server', 'notifier', 'listener', 'none']),
    )
  })

  it('names features in the everyday part that there are', () => {
    for (const { everyday: wanted } of TRANSPORTS)
      if (wanted !== 'everything') expect(names).toEqual(expect.arrayContaining([...wanted]))
  })

  it('tries every release on the transports that it has', () => {
    const tried = new Set(TRANSPORTS.flatMap(({ releases }) => releases))
    expect(tried).toEqual(new Set(Object.keys(RELEASES)))
  })
})
