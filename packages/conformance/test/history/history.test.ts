import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory, History, type HistoryEvent } from '../../src/history/index.ts'
import { PROMISES, validHistory } from './valid-history.ts'

describe('history', () => {
  it('gives back what was recorded, in order and as often as asked', () => {
    const odd: HistoryEvent[] = [
      { kind: 'sent', at: 0.5, message: 0, place: 'a' },
      { kind: 'rejected', at: 1, message: 0, delivery: 'confirmed' },
      { kind: 'reported', at: 2, reader: 'r', count: 548 },
      { kind: 'wiped', at: 3, place: 'a' },
      { kind: 'down', at: 3, untilMs: 4.5 },
    ]
    fc.assert(
      fc.property(validHistory, (events) => {
        const history = new History()
        for (const event of [...odd, ...events]) history.record(event)
        expect(history.size).toBe(odd.length + events.length)
        expect([...history]).toEqual([...odd, ...events])
        expect([...history]).toEqual([...odd, ...events])
      }),
    )
  })

  it('refuses numbers that are none', () => {
    const history = new History()
    for (const message of [-1, 0.5, NaN])
      expect(() => history.record({ kind: 'resolved', at: 0, message })).toThrow(RangeError)
    expect(history.size).toBe(0)
  })

  it('messages take bounded memory, recorded and checked', () => {
    const messages = 200_000
    const before = process.memoryUsage()
    const history = new History()
    for (let message = 0; message < messages; message++) {
      history.record({ kind: 'sent', at: message, message, place: 'alpha', key: 0, dueAt: message + 1000 })
      history.record({ kind: 'resolved', at: message, message })
      history.record({ kind: 'stored', at: message, message, place: 'alpha', partition: 0, position: message })
      history.record({ kind: 'handled', at: message, message, reader: 'least', member: 'm', redelivered: false })
      history.record({ kind: 'settled', at: message, message, reader: 'least' })
    }
    const { once: _, ...readers } = PROMISES.readers
    const { passed, totals } = checkHistory(history, { ...PROMISES, readers })
    const after = process.memoryUsage()
    expect(passed).toBe(true)
    expect(totals).toMatchObject({ sent: messages, handled: messages })
    // 5 events of 29 bytes and at most twice 60 bytes in the tables of the check.
    expect((after.arrayBuffers - before.arrayBuffers) / messages).toBeLessThan(300)
  })
})
