import { describe, expect, it } from 'vitest'
import { checkCount, checkFunction } from '../../src/util/check.ts'

describe('checks of settings', () => {
  it.each([
    { value: undefined, least: 1 },
    { value: 0, least: 0 },
    { value: 7, least: 7 },
  ])('checkCount - takes $value from $least on', ({ value, least }) => {
    expect(() => checkCount('n', value, least)).not.toThrow()
  })

  it.each([
    { value: 0, least: 1, message: 'n must be a whole number, 1 or more, not 0' },
    { value: 1.5, least: 0, message: 'n must be a whole number, 0 or more, not 1.5' },
    { value: NaN, least: 0, message: 'n must be a whole number, 0 or more, not NaN' },
    { value: Infinity, least: 0, message: 'n must be a whole number, 0 or more, not Infinity' },
    { value: '5', least: 0, message: 'n must be a whole number, 0 or more, not text' },
    { value: null, least: 0, message: 'n must be a whole number, 0 or more, not null' },
  ])('checkCount - refuses $value from $least on', ({ value, least, message }) => {
    expect(() => checkCount('n', value, least)).toThrow(new TypeError(message))
  })

  it('checkFunction - takes functions and nothing else', () => {
    expect(() => checkFunction('f', () => {})).not.toThrow()
    expect(() => checkFunction('f', undefined)).not.toThrow()
    expect(() => checkFunction('f', 'text')).toThrow(new TypeError('f must be a function, not text'))
  })
})
