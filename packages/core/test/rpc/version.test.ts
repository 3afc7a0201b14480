import { describe, expect, it } from 'vitest'
import { isVersion } from '../../src/rpc/version.ts'
import { unitTables } from '../unit-tables.ts'

describe('D4 version - compatibility as the library computes it', () => {
  const rows = unitTables['unit-version-compat'] ?? []

  it('has the whole table', () => {
    expect(rows.length).toBeGreaterThan(150)
  })

  it.each(rows)('$title', ({ compute, python, here = python }) => {
    expect(compute()).toEqual(here)
  })
})

describe('isVersion', () => {
  it.each(['1.0', '0.1', '10.20', '1.5.1'])('takes %s', (text) => expect(isVersion(text)).toBe(true))
  it.each(['1', 'a.b', '', '1.', '.1', '1.0.x', '-1.0', '1.0.0.0', ' 1.0'])('refuses %j', (text) =>
    expect(isVersion(text)).toBe(false),
  )
})
