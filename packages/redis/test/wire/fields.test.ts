import { expect, it } from 'vitest'
import { FIELDS, numberOf, readHeaders, writeHeaders, writtenAt } from '../../src/wire/fields.ts'

it('headers come back as they were, whatever is in them', () => {
  const headers = { traceparent: '00-aa', tracestate: 'vendor=żółw', 'x-oslo-stack': 'Error\r\n  at main', empty: '' }
  expect(readHeaders(writeHeaders(headers))).toEqual(headers)
  expect(writeHeaders(undefined)).toEqual({})
  expect(readHeaders({})).toBeUndefined()
})

it.each(['{', '[]', 'null', '1', '{"a": 1}'])('headers of a stranger that are %s are passed over', (text) => {
  expect(readHeaders({ [FIELDS.headers]: text })).toBeUndefined()
})

it('numbers are those from 0 on, and the time is in the id', () => {
  expect(numberOf({ a: '1.5' }, 'a')).toBe(1.5)
  for (const text of ['', '-1', 'soon', 'NaN']) expect(numberOf({ a: text }, 'a')).toBeUndefined()
  expect(writtenAt('1700000000000-3')).toBe(1_700_000_000_000)
})
