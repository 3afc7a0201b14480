import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamPosition } from '../../src/receive/stream-position.ts'

const body = (text: unknown): Buffer => Buffer.from(String(text))

describe('StreamPosition', () => {
  it('goes on at the last one when all are settled, and at the first one that is not', () => {
    const position = new StreamPosition()
    expect(position.goOn(2 ** 33)).toBeUndefined()
    for (const offset of [2 ** 31, 2 ** 31 + 1, 2 ** 31 + 2])
      expect(position.delivered(offset, body(offset))).toBe('new')
    position.settled(2 ** 31)
    position.settled(2 ** 31 + 2)
    expect(position.goOn(2 ** 33)).toBe(2 ** 31 + 1)
    position.settled(2 ** 31 + 1)
    expect(position.goOn(2 ** 33)).toBe(2 ** 31 + 2)
    expect(position.delivered(2 ** 31 + 2, body(2 ** 31 + 2))).toBe('settled')
  })

  it('knows another stream by the message it has there, by an offset that is too low, and by its beginning', () => {
    const read = (): StreamPosition => {
      const position = new StreamPosition()
      for (const offset of [0, 1, 2]) {
        position.delivered(offset, body(offset))
        position.settled(offset)
      }
      return position
    }
    const larger = read()
    expect(larger.goOn(9)).toBe(2)
    expect(larger.delivered(2, body('another'))).toBe('of-another')
    const grown = read()
    expect(grown.goOn(3)).toBe(2)
    expect(grown.delivered(1, body('another'))).toBe('of-another')
    expect([larger.goOn(9), grown.goOn(9)]).toEqual([0, 0])
    const smaller = read()
    expect(smaller.goOn(2)).toBe('first')
    expect(smaller.delivered(0, body('another'))).toBe('new')
    // Only its oldest are gone.
    const truncated = read()
    expect(truncated.goOn(2)).toBe('first')
    expect(truncated.delivered(2, body(2))).toBe('settled')
    expect(truncated.delivered(3, body(3))).toBe('new')
  })

  it('hands over every message until it was settled, and none after that, whatever is lost and when, and although the stream is made anew', () => {
    const round = fc.record({ sent: fc.nat(9), count: fc.nat(5), settles: fc.array(fc.nat(8)), isAnew: fc.boolean() })
    fc.assert(
      fc.property(fc.array(round), (rounds) => {
        const position = new StreamPosition(0)
        let stream: string[] = []
        let handled: string[] = []
        let sent = 0
        const send = (count: number): void => {
          for (let n = 0; n < count; n += 1) stream.push(`message ${(sent += 1)}`)
        }
        /** A connection: some are delivered, some of those are settled, then it breaks. */
        const connect = (count: number, settles: readonly number[], meanwhile: () => void): void => {
          const from = position.goOn(stream.length)
          const hand: number[] = []
          // A broker begins behind its last one where it has fewer.
          const start = Math.min(from === 'first' ? 0 : (from ?? 0), stream.length)
          meanwhile()
          for (let offset = start; offset < Math.min(stream.length, start + count); offset += 1) {
            const what = position.delivered(offset, body(stream[offset]))
            if (what === 'of-another') return connect(count, settles, () => {})
            if (what === 'new') hand.push(offset)
          }
          for (const pick of settles) {
            const [offset] = hand.splice(pick % Math.max(hand.length, 1), 1)
            if (offset === undefined) continue
            handled.push(stream[offset] ?? '')
            position.settled(offset)
          }
        }
        for (const { sent: count, count: delivered, settles, isAnew } of rounds) {
          if (isAnew) {
            stream = []
            handled = []
          }
          send(count)
          connect(delivered, settles, () => {})
        }
        const all = Array<number>(stream.length + 1).fill(0)
        connect(all.length, all, () => send(1))
        expect(handled.toSorted()).toEqual(stream.toSorted())
      }),
    )
  })
})
