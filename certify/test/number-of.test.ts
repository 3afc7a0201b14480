import { encodeJson, wrapEnvelope } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { numberOf } from '../src/queues/number-of.ts'

describe('number of', () => {
  it.each([
    ['a notification in an envelope', wrapEnvelope(encodeJson({ event_type: 'x', payload: { n: 42 } }))],
    ['a request in an envelope', wrapEnvelope(encodeJson({ method: 'take', args: { n: 42 } }))],
    ['a bare message', encodeJson({ payload: { n: 42 } })],
    ['bytes', Buffer.from(encodeJson({ args: { n: 42 } }))],
  ])('is read from %s', (_, body) => {
    expect(numberOf(body)).toBe(42)
  })

  it('is missed where there is none', () => {
    expect(() => numberOf('{"nn": 4}')).toThrow(/no number/)
  })
})
