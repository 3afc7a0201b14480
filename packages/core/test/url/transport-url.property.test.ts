import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TransportURL } from '../../src/url/transport-url.ts'

// Well-formed Unicode: a lone surrogate has no UTF-8 form and cannot be in a URL.
const text = fc.string({ unit: 'binary', maxLength: 12 })
const visible = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const hostname = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/),
  fc.constantFrom('::1', 'fe80::1%25eth0', 'ffff::2'),
)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const host = fc
  .record({ hostname, port: maybe(fc.nat(99_999)), username: maybe(text), password: maybe(text) })
  // A password needs a user name, at least an empty one, to be written.
  .map((fields) => ({ ...fields, username: fields.password === null ? fields.username : (fields.username ?? '') }))

const url = fc
  .record({
    transport: fc.stringMatching(/^[a-z][a-z0-9]{0,8}(\+[a-z]{1,5})?$/),
    virtualHost: text,
    hosts: fc.array(host, { maxLength: 4 }),
    query: fc.dictionary(visible, visible, { maxKeys: 4 }),
  })
  .map((fields) => new TransportURL(fields))

/** Everything that prints a value, or the error that came instead of one. */
function printouts(make: () => TransportURL, withHosts = true): string[] {
  try {
    const made = make()
    return [
      inspect(made),
      JSON.stringify(made),
      made.redacted,
      String(made),
      ...(withHosts ? [inspect(made.hosts)] : []),
    ]
  } catch (error) {
    return [String(error), inspect(error), JSON.stringify(error), error instanceof Error ? (error.stack ?? '') : '']
  }
}

describe('transport URL properties', () => {
  it('T14 round trip - parse(toSecretString(url)) equals url', () => {
    fc.assert(
      fc.property(url, (made) => {
        const again = TransportURL.parse(made.toSecretString())
        expect(again.equals(made)).toBe(true)
        expect(again.query).toEqual(made.query)
        expect(again.toSecretString()).toBe(made.toSecretString())
      }),
      { numRuns: 500 },
    )
  })

  it('D15 well-formed URLs - no printing shows any password', () => {
    const secret = text.map((middle) => `Zq9x${middle}Xw7z`)
    fc.assert(
      fc.property(url, secret, fc.array(secret, { minLength: 1, maxLength: 3 }), (base, first, others) => {
        const hosts = [first, ...others].map((password, index) => ({ hostname: `h${index}`, username: 'u', password }))
        const made = new TransportURL({ transport: base.transport, virtualHost: 'v', hosts })
        for (const shown of printouts(() => TransportURL.parse(made.toSecretString()))) {
          expect(shown).not.toMatch(/Zq9x|Xw7z/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('D15 malformed URLs - no error and no printing shows any part of an unescaped password', () => {
    const reserved = fc.string({
      unit: fc.constantFrom(...Array.from('@:/?#,[]%&=+ \t\n\\$;!*é')),
      minLength: 1,
      maxLength: 4,
    })
    const marked = fc.tuple(fc.constantFrom('', '12', '1'), reserved, fc.constantFrom('', 'm'), reserved)
    const template = fc.constantFrom(
      'rabbit://u:PW@h:5672/v',
      'rabbit://u:ok@h1,u:PW@h2:1/v?ssl=1',
      'rabbit://u:PW@[::1:1/v',
      'rabbit://u:PW@h:port/v',
      'rabbit://u:PW@h:/v',
      '//u:PW@h/v',
      'u:PW@h/v',
      'rabbit:u:PW@h/v',
      'rabbit:/u:PW@h/v',
      '://u:PW@h/v',
    )
    fc.assert(
      fc.property(template, marked, (form, [digits, before, middle, after]) => {
        const password = `${digits}${before}Zq9x${middle}${after}Xw7z`
        // With both it can be a perfectly good list of two other hosts.
        fc.pre(!(password.includes('@') && password.includes(',')))
        // And this is a good URL with another scheme and user: as in Python, tabs and ends of lines are no part of a URL.
        fc.pre(!(form === 'u:PW@h/v' && password.replaceAll(/[\t\r\n]/g, '').startsWith('//')))
        for (const shown of printouts(
          () => TransportURL.parse(form.replace('PW', () => password)),
          !password.includes(','),
        )) {
          expect(shown).not.toMatch(/Zq9x|Xw7z/)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
