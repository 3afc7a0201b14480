import fc from 'fast-check'
import type { HistoryEvent, HistoryPromises } from '../../src/history/index.ts'

const PLACES = ['alpha', 'beta', 'gamma'] as const
const PARTITIONS = 3
const TIMEOUT_MS = 1000

/** How one message fares in a history that keeps every promise. */
export interface Fate {
  readonly place: number
  readonly partition: number
  readonly key: number
  readonly end: 'resolved' | 'not-sent' | 'unknown, stored' | 'unknown, not stored'
  /** Marked repetitions to the reader that allows them. */
  readonly repeats: number
}

export const PROMISES: HistoryPromises = {
  readOutside: PLACES,
  storedForReaders: true,
  storedOnce: true,
  storedInOrder: true,
  triesUntilDeadline: true,
  graceMs: 100,
  readers: {
    once: { places: ['alpha', 'beta'], delivery: 'at-most-once', repeats: 'never', ordered: true, settles: false },
    least: { places: ['alpha', 'gamma'], delivery: 'at-least-once', repeats: 'marked', ordered: true, settles: true },
    fanout: { places: ['beta'], delivery: 'best-effort', repeats: 'allowed', ordered: false, settles: false },
  },
}

const fate: fc.Arbitrary<Fate> = fc.record({
  place: fc.nat(PLACES.length - 1),
  partition: fc.nat(PARTITIONS - 1),
  key: fc.nat(2),
  end: fc.constantFrom('resolved', 'resolved', 'not-sent', 'unknown, stored', 'unknown, not stored'),
  repeats: fc.nat(2),
})

/** Two of each place that stand in one line, so that every mutant finds something to spoil. */
const certain: readonly Fate[] = PLACES.flatMap((_, place) =>
  Array.from({ length: 2 }, () => ({ place, partition: 0, key: 0, end: 'resolved' as const, repeats: 0 })),
)

/** Histories in which nothing is wrong. */
export const validHistory: fc.Arbitrary<readonly HistoryEvent[]> = fc
  .array(fate, { maxLength: 60 })
  .map((fates) => historyOf([...certain, ...fates]))

function historyOf(fates: readonly Fate[]): readonly HistoryEvent[] {
  const events: HistoryEvent[] = []
  const ends = new Map<string, number>()
  let at = 0
  for (const [message, { place: index, partition, key, end, repeats }] of fates.entries()) {
    const place = PLACES[index] ?? 'alpha'
    at += 1
    const dueAt = at + TIMEOUT_MS
    events.push({ kind: 'sent', at, message, place, key, dueAt })
    if (end === 'resolved')
      events.push({ kind: 'resolved', at: at + 5, message }, { kind: 'replied', at, message, answer: message })
    else if (end === 'not-sent') events.push({ kind: 'rejected', at: at + 5, message, delivery: 'not-sent' })
    else events.push({ kind: 'rejected', at: dueAt, message, delivery: 'unknown' })
    if (end === 'not-sent' || end === 'unknown, not stored') continue
    const line = `${place}-${partition}`
    const position = ends.get(line) ?? 0
    ends.set(line, position + 1)
    events.push({ kind: 'stored', at, message, place, partition, position })
    for (const [reader, { places, repeats: allowed }] of Object.entries(PROMISES.readers)) {
      if (!places.includes(place) || allowed === 'allowed') continue
      const member = `${reader}-${partition}`
      events.push({ kind: 'handled', at, message, reader, member, redelivered: false })
      if (allowed === 'never') {
        events.push({ kind: 'committed', at, reader, place, partition, position: position + 1 })
        continue
      }
      for (let again = 0; again < repeats; again++)
        events.push({ kind: 'handled', at, message, reader, member: 'other', redelivered: true })
      events.push({ kind: 'settled', at, message, reader })
    }
  }
  return events
}
