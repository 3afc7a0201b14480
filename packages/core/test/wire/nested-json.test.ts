import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeJson, encodeJson } from '../../src/wire/json.ts'
import { readEnvelope, unwrapEnvelope, wrapEnvelope } from '../../src/wire/envelope.ts'
import { quoteJson } from '../../src/wire/nested-json.ts'
import { readNested } from '../../src/wire/nested-reader.ts'

const LONG = 'x'.repeat(6000)

describe('quoteJson', () => {
  it('writes what JSON.stringify writes, whatever is inside and however long', () => {
    const padding = fc.constantFrom('', LONG, `${LONG}"\\\u2028é😀\ud800`)
    fc.assert(
      fc.property(fc.jsonValue(), padding, (value, text) => {
        const json = encodeJson({ value, text, list: [text, text] })
        expect(quoteJson(json)).toBe(JSON.stringify(json))
      }),
    )
  })

  it('leaves a text full of quotes to the engine, with the same result', () => {
    const json = encodeJson(Array.from({ length: 500 }, (_, index) => ({ [`k${index}`]: '"\\' })))
    expect(quoteJson(json)).toBe(JSON.stringify(json))
  })
})

describe('readEnvelope', () => {
  const read = (text: string): unknown => unwrapEnvelope(decodeJson(text))

  it('reads what unwrapEnvelope reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', LONG, `${LONG}\n`, `"${LONG}"`), (value, text) => {
        const body = wrapEnvelope(encodeJson({ value, text }))
        expect(readEnvelope(body)).toEqual(read(body))
        expect(readEnvelope(Buffer.from(body))).toEqual(read(body))
      }),
    )
  })

  it.each([
    ['further keys', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\": \\"${LONG}\\"}", "more": "x"}`],
    ['an older version', `{"oslo.version": "1.0", "oslo.message": "{\\"a\\": \\"${LONG}\\"}"}`],
    ['a bare message', `{"a": "${LONG}"}`],
    ['a bare message of a few bytes', '{"a": 1}'],
    ['the beginning of an envelope', '{"oslo.version": "2.0"}'],
    ['nothing', ''],
    ['a message that is no text', `{"oslo.version": "2.0", "oslo.message": {"a": "${LONG}"}}`],
    ['a message that is no object', `{"oslo.version": "2.0", "oslo.message": "\\"${LONG}\\""}`],
    ['an open string', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\": \\"${LONG}\\"}\\"}`],
    ['a line break in the string', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\":\n \\"${LONG}\\"}"}`],
    ['a control character in the string', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\": \\"\u0001${LONG}\\"}"}`],
    ['a form feed between the parts', `{"oslo.version": "2.0", "oslo.message": "{\f\\"a\\": \\"${LONG}\\"}"}`],
    ['escapes of the inner text', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\": \\"\\\\n\\u00e9${LONG}\\"}"}`],
    ['an escape at the end', `{"oslo.version": "2.0", "oslo.message": "{\\"a\\": \\"${LONG}\\"}\\\\"}`],
  ])('takes %s as unwrapEnvelope does', (_name, text) => {
    const outcome = (run: (text: string) => unknown): unknown => {
      try {
        return run(text)
      } catch (error) {
        return (error as Error).name
      }
    }
    expect(outcome(readEnvelope)).toEqual(outcome(read))
    expect(outcome((given) => readEnvelope(Buffer.from(given)))).toEqual(outcome(read))
  })
})

describe('readNested', () => {
  it('reads a long string in which only quotes are escaped, and no other', () => {
    const read = (text: string): string | undefined => readNested(Buffer.from(text))
    const json = JSON.stringify({ a: LONG, b: 'é' })
    expect(read(JSON.stringify(json))).toBe(json)
    expect(read(JSON.stringify(json).slice(0, -1))).toBeUndefined()
    expect(read(JSON.stringify(`${json}\\`))).toBeUndefined()
    expect(read(`"${LONG}\t"`)).toBeUndefined()
    expect(read(`"${LONG}"${LONG}"`)).toBeUndefined()
  })

  it('refuses bytes that are not UTF-8', () => {
    const body = Buffer.from(wrapEnvelope(JSON.stringify({ a: LONG })))
    body[body.length - 10] = 0xff
    expect(() => readEnvelope(body)).toThrow('not UTF-8')
  })
})
