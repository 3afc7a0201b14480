import { describe, expect, it } from 'vitest'
import { DRIVER_HEADERS, numberOf, readHeaders, writeHeaders } from '../../src/wire/headers.ts'

describe('headers', () => {
  it('those that NATS carries stay as they are, for tools that read them', () => {
    expect(writeHeaders({ traceparent: '00-aa-bb-01' })).toEqual({ traceparent: '00-aa-bb-01' })
  })

  it.each([
    ['line breaks', { 'x-oslo-stack': 'Error\r\n    at main' }],
    ['blanks at the ends', { a: ' b ' }],
    ['no ASCII', { tracestate: 'vendor=żółw' }],
    ['empty text', { a: '' }],
    ['a name that is none', { 'a: b': 'c' }],
    ['a name of the driver', { 'Oslo-Expires': '1', 'nats-msg-id': '2' }],
  ])('with %s they come back as they were', (_, headers) => {
    const written = writeHeaders(headers, { [DRIVER_HEADERS.monitor]: '3' })
    expect(Object.keys(written).toSorted()).toEqual([DRIVER_HEADERS.others, DRIVER_HEADERS.monitor])
    for (const value of Object.values(written)) expect(value).toMatch(/^[\x20-\x7E]+$/)
    expect(readHeaders(written)).toEqual(headers)
  })

  it('a stranger`s headers that cannot be read are passed over', () => {
    for (const others of ['{', '[]', 'null', '{"a": 1}'])
      expect(readHeaders({ [DRIVER_HEADERS.others]: others, b: 'c' })).toEqual({ b: 'c' })
    expect(numberOf({ a: 'soon' }, 'a')).toBeUndefined()
    expect(numberOf({ a: '-1' }, 'a')).toBeUndefined()
    expect(numberOf({ a: '' }, 'a')).toBeUndefined()
  })
})
