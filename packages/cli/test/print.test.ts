import { describe, expect, it } from 'vitest'
import { bytesText } from '../src/print.ts'

describe('bytes for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
    [3 * 1024 ** 5, '3072.0 TiB'],
  ])('%i is %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text)
  })
})
