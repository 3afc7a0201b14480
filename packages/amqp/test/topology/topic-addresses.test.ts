import { describe, expect, it } from 'vitest'
import { addressRows } from '../support/address-table.ts'

describe('addresses', () => {
  it.each(addressRows)('$title', ({ compute, python }) => {
    expect(compute()).toBe(python)
  })
})
