import { describe, expect, it } from 'vitest'
import { parseIni } from '../../src/config/ini.ts'
import { ConfigurationError } from '../../src/errors.ts'

/** Groups and values as plain objects. */
const read = (text: string): Record<string, Record<string, unknown>> =>
  Object.fromEntries(
    [...parseIni(text, 'service.conf').groups].map(([group, entries]) => [
      group,
      Object.fromEntries([...entries].map(([key, entry]) => [key, entry.values])),
    ]),
  )

// What oslo.config 9.0.0 made of the same lines.
describe('13.0 INI as oslo.config reads it', () => {
  it.each([
    ['repeated key - every value is kept', 'a = 1\na = 2', { a: ['1', '2'] }],
    ['indented lines - go on with the value', 'a = 1\n  2\n\t3 = x', { a: ['1\n2\n3 = x'] }],
    ['indented lines - end at an empty line', 'a = 1\n 2\n\nb = 3', { a: ['1\n2'], b: ['3'] }],
    ['# in a value - is kept', 'a = abc # x', { a: ['abc # x'] }],
    ['; in a value - is kept', 'a = abc; def', { a: ['abc; def'] }],
    ['key: value - is an assignment', 'a: b', { a: ['b'] }],
    [
      'the first sign counts',
      'a = b: c\nd: e = f\nurl = rabbit://u:p@h:1/',
      { a: ['b: c'], d: ['e = f'], url: ['rabbit://u:p@h:1/'] },
    ],
    ['k[] - is the key', 'k[] = v', { 'k[]': ['v'] }],
    ['true - is text', 'x = true', { x: ['true'] }],
    ['comments - begin with # or ;', '# a = 1\n; b = 2\nc = 3', { c: ['3'] }],
    [
      'quotes - one enclosing pair is taken off',
      `a = "x y "\nb = 'z'\nc = "open\nd = ""`,
      { a: ['x y '], b: ['z'], c: ['"open'], d: [''] },
    ],
    ['empty value', 'a =\nb=', { a: [''], b: [''] }],
    ['blanks around key and value', 'a  =  b c  ', { a: ['b c'] }],
    ['indented comment - belongs to the value', 'a = 1\n # 2', { a: ['1\n# 2'] }],
    ['an indented line after a repeated key - goes to the last', 'a = 1\na = 2\n 3', { a: ['1', '2\n3'] }],
    ['carriage returns', 'a = 1\r\nb = 2\r\n', { a: ['1'], b: ['2'] }],
    ['__proto__ - is a key', '__proto__ = 1\nconstructor = 2', JSON.parse('{"__proto__":["1"],"constructor":["2"]}')],
  ])('%s', (_title, text, expected) => {
    expect(read(`[g]\n${text}`)).toEqual({ g: expected })
  })

  it('groups - dots stay, a group may come again, odd names are names', () => {
    expect(read('[a.b]\nx=1\n[__proto__]\ny=2\n[a.b]\nx=3\nz=4\n[[c]]\nw=5')).toEqual(
      JSON.parse('{"a.b":{"x":["1","3"],"z":["4"]},"__proto__":{"y":["2"]},"[c]":{"w":["5"]}}'),
    )
  })

  it('a byte order mark is skipped', () => {
    expect(read('\uFEFF[g]\na=1')).toEqual({ g: { a: ['1'] } })
  })

  it('a key that is repeated a hundred thousand times keeps every value, and is read', () => {
    // The values of each were built from those before it, deeper and deeper: the stack ended, and 70,000 took seconds.
    const values = Array.from({ length: 100_000 }, (_, index) => String(index))
    expect(read(`[g]\n${values.map((value) => `a = ${value}`).join('\n')}`)['g']?.['a']).toEqual(values)
  })

  it('every value knows its line', () => {
    const { groups } = parseIni('# x\n[g]\n\na = 1\nb =\n 2\na = 3', 'x.conf')
    expect(groups.get('g')?.get('a')?.where).toBe('x.conf:7')
    expect(groups.get('g')?.get('b')?.where).toBe('x.conf:5')
  })

  it.each([
    ['no sign', '[g]\nhunter2', 'service.conf:2', 'key = value'],
    ['no key', '[g]\n= hunter2', 'service.conf:2', 'key = value'],
    ['unclosed group', '[g\nhunter2=1', 'service.conf:1', 'must end with ]'],
    ['empty group', '[]', 'service.conf:1', 'brackets'],
    ['option before any group', 'hunter2 = 1', 'service.conf:1', '[DEFAULT]'],
    ['indented line after an empty one', '[g]\na = 1\n\n hunter2', 'service.conf:4', 'remove the indent'],
    ['indented line after a comment', '[g]\na = 1\n# c\n hunter2', 'service.conf:4', 'remove the indent'],
  ])('%s - is an error with file, line and remedy, and without the text', (_title, text, where, remedy) => {
    const parse = () => parseIni(text, 'service.conf')
    expect(parse).toThrow(ConfigurationError)
    expect(parse).toThrow(where)
    expect(parse).toThrow(remedy)
    expect(parse).not.toThrow(/hunter2/)
  })
})
