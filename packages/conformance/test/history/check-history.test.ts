import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkHistory,
  type HistoryEvent,
  type HistoryPromises,
  type Invariant,
  INVARIANTS,
  type ReaderPromises,
  readerPromises,
} from '../../src/history/index.ts'
import { mutants } from './mutants.ts'
import { PROMISES, validHistory } from './valid-history.ts'

const invariants = Object.keys(INVARIANTS) as Invariant[]

/** Of which nothing is promised but what each test adds. */
const NOTHING: HistoryPromises = {
  readOutside: [],
  storedForReaders: true,
  storedOnce: false,
  storedInOrder: false,
  triesUntilDeadline: false,
  graceMs: null,
  readers: {},
}

const MARKED: ReaderPromises = {
  places: ['a'],
  delivery: 'best-effort',
  repeats: 'marked',
  ordered: false,
  settles: false,
}

describe('check history', () => {
  it('a history that keeps every promise has no violation, whatever it is', () => {
    fc.assert(
      fc.property(validHistory, (events) => {
        const { passed, counts, violations } = checkHistory(events, PROMISES)
        expect(violations).toEqual([])
        expect(passed).toBe(true)
        expect(Object.keys(counts).toSorted()).toEqual(invariants.toSorted())
      }),
    )
  })

  it.each(invariants)('%s is found in any history that is spoiled so', (invariant) => {
    fc.assert(
      fc.property(validHistory, fc.nat(), (events, pick) => {
        const { passed, counts, violations } = checkHistory(mutants[invariant](events, pick), PROMISES)
        expect(passed).toBe(false)
        expect(counts[invariant]).toBeGreaterThan(0)
        const found = violations.find((violation) => violation.invariant === invariant)
        expect(found?.events.length).toBeGreaterThan(0)
        expect(found?.events.every((event) => 'message' in event || event.kind === 'committed')).toBe(true)
      }),
    )
  })

  it('what was not promised is not checked, and not counted as 0', () => {
    const events: HistoryEvent[] = [
      { kind: 'sent', at: 0, message: 0, place: 'a' },
      { kind: 'resolved', at: 1, message: 0 },
    ]
    expect(checkHistory(events, NOTHING).counts).toEqual({ misrouted: 0, unfinished: 0 })
  })

  it('violations are all counted, and the first of each are shown with their events', () => {
    const events = Array.from({ length: 50 }, (_, message): HistoryEvent => ({
      kind: 'sent',
      at: 0,
      message,
      place: 'a',
    }))
    const { counts, violations } = checkHistory(events, NOTHING, { examples: 3 })
    expect(counts.unfinished).toBe(50)
    expect(violations.map(({ message }) => message)).toEqual([0, 1, 2])
    expect(violations[0]?.events).toEqual([events[0]])
  })

  it('a message that nobody sent is misrouted', () => {
    const stored: HistoryEvent = { kind: 'stored', at: 0, message: 7, place: 'a', partition: 0, position: 0 }
    expect(checkHistory([stored], NOTHING).counts.misrouted).toBe(1)
  })

  it('what an operator deleted is owed to nobody, what was sent after is', () => {
    const sent = (message: number): HistoryEvent[] => [
      { kind: 'sent', at: 0, message, place: 'a' },
      { kind: 'resolved', at: 1, message },
    ]
    const events: HistoryEvent[] = [...sent(0), { kind: 'wiped', at: 2, place: 'a' }, ...sent(1)]
    const verdict = checkHistory(events, { ...NOTHING, readOutside: ['a'] })
    expect(verdict.violations.map(({ invariant, message }) => [invariant, message])).toEqual([
      ['resolved-and-not-stored', 1],
    ])
    expect(verdict.totals).toMatchObject({ sent: 2, resolved: 2, wiped: 1 })
  })

  it('reports answer for as many dropped messages as they name', () => {
    const events: HistoryEvent[] = [0, 1, 2].flatMap((message) => [
      { kind: 'sent', at: 0, message, place: 'a' },
      { kind: 'resolved', at: 1, message },
      { kind: 'stored', at: 1, message, place: 'a', partition: 0, position: message },
    ])
    events.push({ kind: 'committed', at: 2, reader: 'r', place: 'a', partition: 0, position: 3 })
    events.push({ kind: 'reported', at: 2, reader: 'r', count: 2 })
    const reader = readerPromises({ notificationAcknowledgement: 'before-handler', ordering: 'partition' }, ['a'])
    const promises = { ...NOTHING, readOutside: ['a'], readers: { r: reader } }
    const { counts, totals, violations } = checkHistory(events, promises)
    expect(counts).toMatchObject({ 'committed-and-dropped': 1, lost: 0 })
    expect(violations[0]?.events.map(({ kind }) => kind)).toEqual(['sent', 'resolved', 'stored', 'committed'])
    expect(totals.reported).toBe(2)
  })

  it('what was stored without being resolved is owed where readers read the same store, not where copies were read', () => {
    const events: HistoryEvent[] = [
      { kind: 'sent', at: 0, message: 0, place: 'a' },
      { kind: 'rejected', at: 1, message: 0, delivery: 'unknown' },
      { kind: 'stored', at: 1, message: 0, place: 'a', partition: 0, position: 0 },
    ]
    const reader = readerPromises({ notificationAcknowledgement: 'after-handler', ordering: 'queue' }, ['a'])
    const promises = { ...NOTHING, readOutside: ['a'], readers: { r: reader } }
    expect(checkHistory(events, promises).counts.lost).toBe(1)
    expect(checkHistory(events, { ...promises, storedForReaders: false }).counts.lost).toBe(0)
  })

  it('what was rejected as not sent and handled nevertheless is found, even where nobody reads outside', () => {
    const events: HistoryEvent[] = [
      { kind: 'sent', at: 0, message: 0, place: 'a' },
      { kind: 'rejected', at: 1, message: 0, delivery: 'not-sent' },
      { kind: 'handled', at: 1, message: 0, reader: 'r', member: 'm', redelivered: false },
    ]
    const promises = { ...NOTHING, readers: { r: MARKED } }
    expect(checkHistory(events, promises).counts['not-sent-but-stored']).toBe(1)
  })

  describe('what was handled again without a mark', () => {
    const down: HistoryEvent = { kind: 'down', at: 10_000, untilMs: 14_000 }
    /** One message that a reader handled at these times; numbers below zero are marked. */
    const handledAt = (...times: readonly number[]): HistoryEvent[] => [
      { kind: 'sent', at: 0, message: 0, place: 'a' },
      { kind: 'resolved', at: 1, message: 0 },
      { kind: 'stored', at: 1, message: 0, place: 'a', partition: 0, position: 0 },
      ...times.map((at): HistoryEvent => ({
        kind: 'handled',
        at: Math.abs(at),
        message: 0,
        reader: 'r',
        member: 'm',
        redelivered: at < 0,
      })),
    ]
    const check = (events: readonly HistoryEvent[], repeats: ReaderPromises['repeats'] = 'marked-while-up') => {
      const { counts, totals } = checkHistory(events, { ...NOTHING, readers: { r: { ...MARKED, repeats } } })
      return { twice: counts['handled-twice'], returned: totals.returned }
    }

    it.each([
      ['just before the node went down', 9_500],
      ['while it was away', 12_000],
    ])('is no violation when it was handled %s, and is counted apart', (_, first) => {
      expect(check([...handledAt(first, 20_000), down])).toEqual({ twice: 0, returned: 1 })
    })

    it.each([
      ['nothing went down', handledAt(9_500, 20_000)],
      ['it was handled long before the node went down', [...handledAt(8_000, 20_000), down]],
      ['it was handled when the node was back', [...handledAt(14_500, 20_000), down]],
      ['it came again before the node went down', [...handledAt(9_500, 9_800), down]],
      ['one node that went down returned it twice', [...handledAt(9_500, 15_000, 20_000), down]],
      ['it comes once more after a marked return', [...handledAt(9_500, -15_000, 20_000), down]],
    ])('is a violation when %s', (_, events) => {
      expect(check(events).twice).toBe(1)
    })

    it('is a violation for a reader that was promised marks in any case', () => {
      expect(check([...handledAt(9_500, 20_000), down], 'marked')).toEqual({ twice: 1, returned: 0 })
    })

    it('is no violation where the mark is there', () => {
      expect(check([...handledAt(9_500, -20_000), down])).toEqual({ twice: 0, returned: 0 })
    })
  })

  it('capabilities and settings decide what a reader is promised', () => {
    const queue = { notificationAcknowledgement: 'after-handler', ordering: 'queue' } as const
    expect(readerPromises(queue, ['a'])).toEqual({
      places: ['a'],
      delivery: 'at-least-once',
      repeats: 'allowed',
      ordered: true,
      settles: true,
    })
    expect(readerPromises(queue, ['a'], { members: 2 }).ordered).toBe(false)
    expect(readerPromises(queue, ['a'], { settledBefore: true })).toMatchObject({
      delivery: 'at-most-once',
      repeats: 'never',
      settles: false,
    })
  })

  it('a reader of which nothing was promised is refused', () => {
    const events: HistoryEvent[] = [
      { kind: 'sent', at: 0, message: 0, place: 'a' },
      { kind: 'settled', at: 0, message: 0, reader: 'ghost' },
    ]
    expect(() => checkHistory(events, NOTHING)).toThrow(/ghost/)
  })
})
