import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readUtf8 } from '../../src/wire/utf8.ts'

it('reads what the engine reads, wherever the bytes lie', () => {
  const unit = fc.constantFrom('x', 'word ', 'é', 'ÿ', '\u0080', '\u0100', '漢', '😀', '\ufeff', 'x'.repeat(200))
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), fc.nat(7), (parts, shift) => {
      const text = parts.join('')
      const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).subarray(shift)
      expect(readUtf8(bytes)).toBe(text)
      expect(readUtf8(Uint8Array.from(bytes))).toBe(text)
    }),
  )
})

it.each([
  ['half a character', [0x78, 0xc3]],
  ['a character of too many bytes', [0xc0, 0x80]],
  ['a stray continuation', [0x80]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
])('refuses %s', (_name, bytes) => {
  expect(() => readUtf8(Uint8Array.from(bytes))).toThrow('not UTF-8')
})
