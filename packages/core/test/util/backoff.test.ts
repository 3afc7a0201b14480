import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BackoffOptions, createBackoff } from '../../src/util/backoff.ts'

function waits(options: BackoffOptions, count: number): number[] {
  const backoff = createBackoff(options)
  return Array.from({ length: count }, () => backoff.next())
}

describe('backoff', () => {
  const rows: readonly [name: string, options: BackoffOptions, expected: readonly number[]][] = [
    ['constant', { initialMs: 5, maxMs: 100, jitter: 'none' }, [5, 5, 5]],
    [
      'step, as oslo counts',
      { initialMs: 1000, stepMs: 2000, maxMs: 6000, jitter: 'none' },
      [1000, 3000, 5000, 6000, 6000],
    ],
    ['factor', { initialMs: 10, factor: 2, maxMs: 50, jitter: 'none' }, [10, 20, 40, 50]],
    ['factor, then step', { initialMs: 10, factor: 2, stepMs: 1, maxMs: 1000, jitter: 'none' }, [10, 21, 43]],
    ['starts above its limit', { initialMs: 100, maxMs: 30, jitter: 'none' }, [30, 30]],
    ['full jitter', { initialMs: 10, factor: 2, maxMs: 40, random: () => 0.5 }, [5, 10, 20, 20]],
  ]
  it.each(rows)('%s', (_name, options, expected) => {
    expect(waits(options, expected.length)).toEqual(expected)
  })

  it('reset - starts again', () => {
    const backoff = createBackoff({ initialMs: 10, factor: 2, maxMs: 100, jitter: 'none' })
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(10)
  })

  it('full jitter - never waits longer than its bound, nor less than nothing', () => {
    const natural = fc.nat({ max: 100_000 })
    fc.assert(
      fc.property(
        natural,
        natural,
        fc.double({ min: 1, max: 4, noNaN: true }),
        natural,
        (initialMs, stepMs, factor, maxMs) => {
          const options = { initialMs, stepMs, factor, maxMs }
          const bounds = waits({ ...options, jitter: 'none' }, 20)
          for (const [index, wait] of waits(options, 20).entries()) {
            expect(wait).toBeGreaterThanOrEqual(0)
            expect(wait).toBeLessThanOrEqual(bounds[index] ?? -1)
          }
          expect(Math.max(...bounds)).toBeLessThanOrEqual(maxMs)
        },
      ),
    )
  })
})
