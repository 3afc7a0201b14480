import { describe, expect, it } from 'vitest'
import { systemClock } from '@oslo-messaging/core/driver'
import type { Positions } from '../../src/positions/start-positions.ts'
import { findTrouble, Watchdog } from '../../src/positions/watchdog.ts'
import { eventually } from '../support/open-driver.ts'

const positions = (high: number, committed: number | null): Positions => ({
  bounds: new Map([['t/0', { topic: 't', partition: 0, low: 0, high }]]),
  committed: new Map(committed === null ? [] : [['t/0', committed]]),
  notes: new Map(),
  missing: new Set(),
  discarded: new Set(),
})
const at = (next: number | undefined, isBusy = false) => ({ topic: 't', partition: 0, next, isBusy })

describe('watchdog', () => {
  it.each([
    { what: 'all read', partition: at(5), now: positions(5, 5), previous: { next: 5, high: 5 }, trouble: null },
    { what: 'records arrive', partition: at(5), now: positions(9, 5), previous: { next: 3, high: 4 }, trouble: null },
    {
      what: 'the first record for long is stored while the broker is asked',
      partition: at(5),
      now: positions(6, 5),
      previous: { next: 5, high: 5 },
      trouble: null,
    },
    {
      what: 'records wait for handlers',
      partition: at(5, true),
      now: positions(9, 5),
      previous: { next: 5, high: 9 },
      trouble: null,
    },
    { what: 'nothing known yet', partition: at(undefined), now: positions(9, 5), previous: undefined, trouble: null },
    { what: 'the first check', partition: at(5), now: positions(9, 5), previous: undefined, trouble: null },
    {
      what: 'records are stored and none arrives',
      partition: at(5),
      now: positions(9, 5),
      previous: { next: 5, high: 7 },
      trouble: /none arrives/,
    },
    {
      what: 'the topic is shorter than what was read',
      partition: at(5),
      now: positions(3, 5),
      previous: { next: 5, high: 5 },
      trouble: /made again/,
    },
    {
      what: 'the position is forgotten',
      partition: at(5),
      now: positions(5, null),
      previous: { next: 5, high: 5 },
      trouble: /made again/,
    },
  ])('$what', ({ partition, now, previous, trouble }) => {
    const found = findTrouble(partition, now, positions(5, 5), previous)
    if (trouble === null) expect(found).toBeNull()
    else expect(found).toMatch(trouble)
  })

  it('P25 records that are taken over while the broker is asked are no sign of another topic', async () => {
    const troubles: unknown[] = []
    let next = 0
    let asked = 0
    const watchdog = new Watchdog({
      clock: systemClock,
      intervalMs: 5,
      ask: async () => {
        asked += 1
        const answer = positions(next, 0)
        // The answer is on its way, and the listener reads on.
        next += 1000
        return await Promise.resolve(answer)
      },
      partitions: () => [at(next)],
      known: () => positions(5, null),
      onTrouble: (error) => troubles.push(error),
    })
    watchdog.start()
    await eventually(() => asked === 5, 'five checks')
    expect(troubles).toEqual([])
    watchdog.close()
  })

  it('P11 a deaf listener is found', async () => {
    const troubles: unknown[] = []
    let asked = 0
    const watchdog = new Watchdog({
      clock: systemClock,
      intervalMs: 5,
      ask: async () => {
        asked += 1
        return await Promise.resolve(positions(9, 5))
      },
      partitions: () => [at(5)],
      known: () => positions(5, 5),
      onTrouble: (error) => troubles.push(error),
    })
    watchdog.start()
    await eventually(() => troubles.length === 1, 'the trouble')
    expect(asked).toBe(2)
    watchdog.close()
  })

  it('P11 a broker that cannot be asked is trouble - the session may wait for its answers for minutes', async () => {
    const troubles: unknown[] = []
    const watchdog = new Watchdog({
      clock: systemClock,
      intervalMs: 5,
      ask: async () => await Promise.reject(new Error('unreachable')),
      partitions: () => [at(5)],
      known: () => positions(5, 5),
      onTrouble: (error) => troubles.push(error),
    })
    watchdog.start()
    await eventually(() => troubles.length === 1, 'the trouble')
    expect(String(troubles[0])).toContain('unreachable')
    watchdog.close()
  })
})
