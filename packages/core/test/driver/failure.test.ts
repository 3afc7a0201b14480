import { describe, expect, it } from 'vitest'
import { FAILURE_HEADERS, failedAttemptsOf, failureFacts } from '../../src/driver/failure.ts'

describe('failureFacts', () => {
  it('says how often and why, in headers of the same names at every broker', () => {
    const error = new RangeError('cannot digest')
    const { headers, ...facts } = failureFacts(3, error)
    expect(facts).toEqual({ attempts: 3, error })
    expect(headers).toEqual({
      'x-oslo-attempts': '3',
      'x-oslo-reason': 'RangeError: cannot digest',
      'x-oslo-stack': error.stack,
    })
  })

  it('takes whatever was thrown', () => {
    for (const thrown of ['gone', undefined, null, 5, { code: 5 }])
      expect(Object.values(failureFacts(1, thrown).headers).every((text) => typeof text === 'string')).toBe(true)
    expect(failureFacts(1, 'gone').headers[FAILURE_HEADERS.reason]).toBe('gone')
  })

  it('cuts texts of any length to what a header can carry, and no character in two', () => {
    for (const character of ['a', 'é', '€', '😀'])
      for (const length of [1000, 4080, 4081, 4082, 4083, 100_000]) {
        const { headers } = failureFacts(1, new Error(character.repeat(length)))
        const reason = headers[FAILURE_HEADERS.reason] ?? ''
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(4096)
        expect(reason).not.toContain('\uFFFD')
      }
  })
})

describe('failedAttemptsOf', () => {
  it('reads what failureFacts wrote, and nothing into anything else', () => {
    expect(failedAttemptsOf(failureFacts(7, new Error('x')).headers)).toBe(7)
    for (const text of [undefined, '', '0', '-1', '1.5', 'many', '1e400', '99999999999999999999'])
      expect(failedAttemptsOf({ [FAILURE_HEADERS.attempts]: text })).toBe(0)
    expect(failedAttemptsOf(undefined)).toBe(0)
  })
})
