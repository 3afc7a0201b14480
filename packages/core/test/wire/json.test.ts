import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SerializationError } from '../../src/errors.ts'
import { decodeJson, encodeJson } from '../../src/wire/json.ts'

class Plain {
  readonly value = 1
}

class WithToJson {
  toJSON(): unknown {
    return { at: new Date(Date.UTC(2026, 10, 22, 17, 30, 1, 5)) }
  }
}

const cyclic: Record<string, unknown> = { name: 'a' }
cyclic['self'] = cyclic

describe('encodeJson - what Python would write', () => {
  const rows: readonly [name: string, value: unknown, text: string][] = [
    ['simple object', { a: 1, b: [true, null, 'x'] }, '{"a":1,"b":[true,null,"x"]}'],
    ['date', new Date(Date.UTC(2026, 10, 22, 17, 30, 1, 5)), '"2026-11-22T17:30:01.005000"'],
    ['date inside', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000000"}'],
    ['set', new Set([1, 'a']), '[1,"a"]'],
    [
      'map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 'b'],
        [true, null],
        [null, 3],
      ]),
      '{"a":1,"2":"b","true":null,"null":3}',
    ],
    ['bytes', { b: new TextEncoder().encode('h\u00e9') }, '{"b":"h\u00e9"}'],
    ['buffer', Buffer.from('abc'), '"abc"'],
    ['error', { e: new TypeError('no') }, '{"e":"TypeError: no"}'],
    ['bigint', { n: 12345678901234567890n }, '{"n":12345678901234567890}'],
    ['a whole number beyond 2^53', { n: 2 ** 60 }, '{"n":1152921504606846976}'],
    ['a negative one', [-281611353677043470000], '[-281611353677043466240]'],
    ['the largest without an exponent', 1e21 - 131072, '999999999999999868928'],
    ['numbers with an exponent', [1e21, -1.5e300, 5e-324], '[1e+21,-1.5e+300,5e-324]'],
    ['the largest safe integers', [2 ** 53 - 1, 1 - 2 ** 53], '[9007199254740991,-9007199254740991]'],
    ['NaN', { n: NaN }, '{"n":NaN}'],
    ['infinities', [Infinity, -Infinity], '[Infinity,-Infinity]'],
    ['URL', { u: new URL('http://h/p?q') }, '{"u":"http://h/p?q"}'],
    ['URLSearchParams', new URLSearchParams('a=1'), '[["a","1"]]'],
    ['typed array', new Int16Array([1, -2]), '[1,-2]'],
    [
      'generator',
      (function* () {
        yield 1
        yield 2
      })(),
      '[1,2]',
    ],
    ['toJSON, then dates inside', new WithToJson(), '{"at":"2026-11-22T17:30:01.005000"}'],
    ['boxed values', [Object('a'), Object(1), Object(1n)], '["a",1,1]'],
    ['undefined fields are left out', { a: undefined, b: 1 }, '{"b":1}'],
    ['undefined beside what needs care', { a: undefined, b: 1n }, '{"b":1}'],
    ['undefined in a list', [undefined, 1], '[null,1]'],
    ['undefined itself', undefined, 'null'],
    ['a hole in a list', Array(2), '[null,null]'],
    ['no prototype', Object.assign(Object.create(null), { a: 1n }), '{"a":1}'],
    ['lone surrogate', '\ud83d', '"\\ud83d"'],
    ['surrogate pair', '\u{1f600}', '"\u{1f600}"'],
    ['__proto__ key', JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    ['__proto__ key beside what needs care', { ...JSON.parse('{"__proto__":1}'), n: 1n }, '{"__proto__":1,"n":1}'],
    ['the same object twice', ((shared) => [shared, shared, 1n])({ a: 1 }), '[{"a":1},{"a":1},1]'],
  ]
  it.each(rows)('%s', (_name, value, text) => {
    expect(encodeJson(value)).toBe(text)
  })

  const refusals: readonly [name: string, value: unknown, message: string][] = [
    [
      'instance',
      { args: { user: { created: new Plain() } } },
      'Cannot encode args.user.created: an instance of Plain cannot be sent',
    ],
    ['instance in a list', { a: [1, new Plain()] }, 'Cannot encode a[1]: an instance of Plain'],
    ['function', { args: { run: () => 1 } }, 'Cannot encode args.run: a function cannot be sent'],
    ['symbol', [Symbol('s')], 'Cannot encode [0]: a symbol cannot be sent'],
    ['promise', { a: Promise.resolve(1) }, 'Cannot encode a: a Promise cannot be sent; await it first'],
    ['cycle', { a: cyclic }, 'Cannot encode a.self: it contains itself'],
    ['bytes that are no text', { b: new Uint8Array([0xff]) }, 'Cannot encode b: these bytes are not UTF-8 text'],
    ['invalid date', { d: new Date(NaN) }, 'Cannot encode d: an invalid Date'],
    ['date beyond Python', { d: new Date(253402300800000) }, 'Cannot encode d: a Date must lie in the years 1 to 9999'],
    ['map with object keys', new Map([[{}, 1]]), 'Cannot encode the value: a key of this Map is of type object'],
    ['a key that is no name', { 'a b': { c: new Plain() } }, 'Cannot encode ["a b"].c: an instance'],
    [
      'throwing toJSON',
      {
        a: {
          toJSON() {
            throw new Error('boom')
          },
        },
      },
      'Cannot encode a: boom',
    ],
    [
      'throwing getter',
      {
        get a() {
          throw new Error('boom')
        },
      },
      'Cannot encode the value: boom',
    ],
    ['regular expression', { r: /x/ }, 'Cannot encode r: an instance of RegExp'],
  ]
  it.each(refusals)('refuses %s', (_name, value, message) => {
    expect(() => encodeJson(value)).toThrow(SerializationError)
    expect(() => encodeJson(value)).toThrow(message)
  })

  it('refuses nesting that no reader takes, without exhausting the stack', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    expect(() => encodeJson(deep)).toThrow(/nested deeper than 900 levels/)
  })

  it('writes nesting deeper than the fast look goes', () => {
    let deep: unknown = 1
    for (let level = 0; level < 500; level += 1) deep = { a: deep }
    expect(encodeJson(deep)).toBe(JSON.stringify(deep))
  })
})

describe('decodeJson - what Python writes', () => {
  const rows: readonly [text: string, value: unknown][] = [
    ['{"a": NaN, "b": [Infinity, -Infinity]}', { a: NaN, b: [Infinity, -Infinity] }],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740993', -9007199254740993n],
    [
      '{"id": 12345678901234567890, "f": 0.12345678901234567}',
      { id: 12345678901234567890n, f: Number('0.12345678901234567') },
    ],
    [
      '[1234567890123456789.5, 1e400, 12345678901234567890e1]',
      [Number('1234567890123456789.5'), Infinity, Number('12345678901234567890e1')],
    ],
    ['[ 1 , NaN ]', [1, NaN]],
    ['{"s": "12345678901234567890 \\"x\\\\", "n": NaN}', { s: '12345678901234567890 "x\\', n: NaN }],
    [' {"a" : { } , "b" : [ ], "c": NaN }\n', { a: {}, b: [], c: NaN }],
    ['{"a": 1, "a": 12345678901234567890}', { a: 12345678901234567890n }],
    ['"\\ud83d"', '\ud83d'],
  ]
  it.each(rows)('%s', (text, value) => {
    expect(decodeJson(text)).toStrictEqual(value)
  })

  it.each(['{"__proto__": {"polluted": 1}}', '{"__proto__": {"polluted": 1}, "n": NaN}'])(
    'keeps __proto__ as a key: %s',
    (text) => {
      const value = decodeJson(text) as object
      expect(Object.hasOwn(value, '__proto__')).toBe(true)
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect((value as { polluted?: number }).polluted).toBeUndefined()
    },
  )

  const refusals: readonly [text: string, position: number][] = [
    ['', 0],
    ['{"a": secret}', 6],
    ['{"a": 1', 7],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1, ]', 4],
    ['[1] 2', 4],
    ['"abc', 0],
    ['"a\nb"', 0],
    ['"\\x"', 0],
    ['01', 1],
    ['nan', 0],
    ['+Infinity', 0],
    ['[12345678901234567890', 21],
  ]
  it.each(refusals)('refuses %j at position %i without quoting it', (text, position) => {
    const error = captured(() => decodeJson(text))
    expect(error).toBeInstanceOf(SerializationError)
    expect((error as Error).message).toMatch(new RegExp(`^Not JSON at position ${position}: `))
    expect((error as Error).message).not.toContain('secret')
    expect((error as Error).cause).toBeUndefined()
  })

  it('refuses integers that take quadratic time', () => {
    expect(() => decodeJson('9'.repeat(5000))).toThrow(/more than 4300 digits/)
  })

  it('reads a text with sixteen digits in it as quickly as any other, and a number of sixteen digits beside it exactly', () => {
    const texts = ['1234567890123456', 'id: 1234567890123456, "\\', '\\\\": 1234567890123456', 'é 😀 [1234567890123456']
    const digits = fc.constantFrom(...texts, 'x', '"')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(digits, fc.oneof(fc.string(), fc.integer(), fc.constant(null)))),
        fc.boolean(),
        (parts, withNumber) => {
          const value = Object.fromEntries(parts.map(([text, inner], index) => [`${text}${index}`, [text, inner]]))
          const json = JSON.stringify(value)
          const text = withNumber ? `{"big": 1234567890123456789,"rest":${json}}` : json
          // The engine alone reads what holds no such number.
          if (withNumber) expect(decodeJson(text)).toMatchObject({ big: 1234567890123456789n })
          else expect(decodeJson(text)).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  it('reads what is nested deeply as well beside a long integer as without', () => {
    const nested = `${'['.repeat(1500)}${']'.repeat(1500)}`
    expect(decodeJson(`{"a":${nested}}`)).toHaveProperty('a')
    expect(decodeJson(`{"n":12345678901234567890,"a":${nested}}`)).toHaveProperty('a')
  })

  it('refuses endless nesting where it reads by itself', () => {
    expect(() => decodeJson(`${'['.repeat(100_000)}NaN`)).toThrow(/nested deeper/)
  })

  it('reads long strings in time that grows with their length', () => {
    const text = 'x"\\'.repeat(500_000)
    expect(decodeJson(encodeJson([text, NaN]))).toEqual([text, NaN])
  })
})

const jsonPlus = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt().filter((big) => !Number.isSafeInteger(Number(big))),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value')),
  ),
})).value

describe('json - properties', () => {
  it('what is written is read back, digit for digit', () => {
    fc.assert(
      fc.property(jsonPlus, (value) => {
        expect(sameZero(decodeJson(encodeJson(value)))).toEqual(sameZero(value))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with the engine on everything the engine can write', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        if (!holdsRounded(value)) {
          expect(encodeJson(value)).toBe(JSON.stringify(value))
          // A value that forces the careful writer and parser gives the same text and value.
          expect(encodeJson([value, 1n])).toBe(JSON.stringify([value, 1]))
        }
        expect(decodeJson(`[${JSON.stringify(value)}, NaN]`)).toEqual([bigger(JSON.parse(JSON.stringify(value))), NaN])
      }),
      { numRuns: 500 },
    )
  })

  it('reads or refuses any text, and refuses only with SerializationError', () => {
    const alphabet = fc.constantFrom(...'{}[]:,"\\ \n0123456789.eE+-'.split(''), 'NaN', 'Infinity', 'true', 'null', 'x')
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('')
        const engine = captured(() => JSON.parse(text) as unknown)
        const error = captured(() => decodeJson(text))
        if (error !== undefined) {
          expect(error).toBeInstanceOf(SerializationError)
          expect(engine).toBeDefined()
        }
      }),
      { numRuns: 2000 },
    )
  })
})

/** What a run throws, undefined when it does not. */
function captured(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}

/** A whole number beyond 2^53 that is written without an exponent. */
const isLong = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && !/e/.test(String(value)) && !Number.isSafeInteger(value)

/** True when the engine would write a number here whose digits are not those of its value. */
function holdsRounded(value: unknown): boolean {
  if (isLong(value)) return BigInt(String(value)) !== BigInt(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRounded)
}

/** JSON has no negative zero that JavaScript would write. */
function sameZero(value: unknown): unknown {
  if (value === 0) return 0
  // Whole doubles beyond 2^53 are written with all their digits and so come back as exact integers.
  if (isLong(value)) return BigInt(value)
  if (Array.isArray(value)) return value.map(sameZero)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).map(([key, field]) => [key, sameZero(field)])
}

/** The engine's reading with its rounded integers made exact, as ours are. */
function bigger(value: unknown): unknown {
  if (value === 0) return 0
  if (isLong(value)) return BigInt(String(value))
  if (Array.isArray(value)) return value.map(bigger)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value))
    Object.defineProperty(copy, key, { value: bigger(field), enumerable: true, writable: true, configurable: true })
  return copy
}
