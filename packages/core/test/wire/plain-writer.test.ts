import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONG_TEXT, writePlain } from '../../src/wire/plain-writer.ts'

const LONG = 'x'.repeat(LONG_TEXT)

/** A long text with something in it, at any place. */
const longText = fc
  .tuple(
    fc.constantFrom(
      '',
      '"',
      '\\',
      '\n',
      '\u0000',
      '\u001f',
      ' ',
      '\u007f',
      'é',
      '\u2028',
      '😀',
      '\ud800',
      '"'.repeat(900),
    ),
    fc.nat(3 * LONG_TEXT),
  )
  .map(([inside, at]) => {
    const text = LONG.repeat(3).slice(0, LONG_TEXT + at)
    return text.slice(0, at) + inside + text.slice(at)
  })

describe('writePlain', () => {
  it('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), longText, (value, text) => {
        for (const whole of [text, [text, value], { value, text, none: undefined, list: [{ text }] }])
          expect(writePlain(whole)).toBe(JSON.stringify(whole))
      }),
    )
  })

  it('leaves what has many values to the engine, with the same result', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => ({ index, name: 'n' }))
    for (const whole of [
      { text: LONG, rows },
      { rows, text: LONG },
      { wide: Object.fromEntries(rows.map((row, index) => [`k${index}`, row])), text: LONG },
    ])
      expect(writePlain(whole)).toBe(JSON.stringify(whole))
  })
})
