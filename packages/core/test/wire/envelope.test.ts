import { describe, expect, it } from 'vitest'
import { SerializationError } from '../../src/errors.ts'
import { unwrapEnvelope, wrapEnvelope } from '../../src/wire/envelope.ts'
import { decodeJson, encodeJson } from '../../src/wire/json.ts'
import { loadVector } from '../vectors.ts'

const inner = { method: 'm', args: {} }
const enveloped = (version: unknown, message: unknown = JSON.stringify(inner), more = {}) => ({
  'oslo.version': version,
  'oslo.message': message,
  ...more,
})

describe('envelope', () => {
  it('has exactly two keys, the message as text', () => {
    expect(JSON.parse(wrapEnvelope(encodeJson(inner)))).toEqual(enveloped('2.0'))
  })

  it('carries what strict JSON cannot', () => {
    const message = { id: 12345678901234567890n, n: NaN, s: '\ud83d"\\' }
    expect(unwrapEnvelope(decodeJson(wrapEnvelope(encodeJson(message))))).toEqual(message)
  })

  const rows: readonly [name: string, body: unknown, message: unknown][] = [
    ['2.0', enveloped('2.0'), inner],
    ['2.0.0', enveloped('2.0.0'), inner],
    ['further keys', enveloped('2.0', JSON.stringify(inner), { x: 1 }), inner],
    ['no envelope', inner, inner],
    ['only the version key', { 'oslo.version': '9.9' }, { 'oslo.version': '9.9' }],
    ['only the message key', { 'oslo.message': '{}' }, { 'oslo.message': '{}' }],
    ['an envelope in an envelope is the message', enveloped('2.0', JSON.stringify(enveloped('9.9'))), enveloped('9.9')],
  ]
  it.each(rows)('reads %s', (_name, body, message) => {
    expect(unwrapEnvelope(body)).toEqual(message)
  })

  it.each(['2.1', '3.0', '1.0', '2.0.1', '2', 'x', '', 2, null, ['2.0']])('refuses version %j', (version) => {
    expect(() => unwrapEnvelope(enveloped(version))).toThrow(SerializationError)
  })

  it.each([[[]], ['text'], [1], [null], [undefined]])('refuses the body %j', (body) => {
    expect(() => unwrapEnvelope(body)).toThrow('The body is not a JSON object')
  })

  it.each([{ a: 1 }, 5, null])('refuses a message that is no text: %j', (message) => {
    expect(() => unwrapEnvelope(enveloped('2.0', message))).toThrow(/is not a JSON text/)
  })

  it.each(['[]', '"x"', '1', '{'])('refuses the message text %s', (text) => {
    expect(() => unwrapEnvelope(enveloped('2.0', text))).toThrow(SerializationError)
  })

  it.each([
    ['rabbit-edge-envelope-older-minor', true],
    ['rabbit-edge-envelope-minor-too-new', false],
    ['rabbit-edge-envelope-major-other', false],
    ['rabbit-edge-no-envelope', true],
    ['rabbit-edge-extra-keys', true],
    ['rabbit-edge-json-list', false],
    ['rabbit-edge-not-json', false],
  ])('reads %s as Python does: %s', (name, readable) => {
    const vector = loadVector(name) as { wire: readonly { body?: string }[] }
    const body = vector.wire.find((step) => step.body !== undefined)?.body
    expect(body).toBeTypeOf('string')
    const read = () => unwrapEnvelope(decodeJson(String(body)))
    if (readable) expect(read()).toHaveProperty('method')
    else expect(read).toThrow(SerializationError)
  })
})
