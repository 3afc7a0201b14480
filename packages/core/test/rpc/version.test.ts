import { describe, expect, it } from 'vitest'
import { isVersion, isVersionCompatible } from '../../src/rpc/version.ts'
import { ValueError } from '../../src/wire/python-errors.ts'
import { loadVector } from '../vectors.ts'

interface Table {
  readonly cases: readonly {
    readonly implemented: string | null
    readonly requested: string | null
    readonly compatible: boolean | { readonly error: string }
  }[]
}

describe('D4 version - compatibility as the library computes it', () => {
  const { cases } = loadVector('unit-version-compat') as Table

  it('has the whole table', () => {
    expect(cases.length).toBeGreaterThan(150)
  })

  it.each(cases)('$implemented serves $requested: $compatible', ({ implemented, requested, compatible }) => {
    const compute = (): boolean => isVersionCompatible(implemented, requested)
    if (typeof compatible === 'boolean') expect(compute()).toBe(compatible)
    else expect(compute).toThrow(ValueError)
  })
})

describe('isVersion', () => {
  it.each(['1.0', '0.1', '10.20', '1.5.1'])('takes %s', (text) => expect(isVersion(text)).toBe(true))
  it.each(['1', 'a.b', '', '1.', '.1', '1.0.x', '-1.0', '1.0.0.0', ' 1.0'])('refuses %j', (text) =>
    expect(isVersion(text)).toBe(false),
  )
})
