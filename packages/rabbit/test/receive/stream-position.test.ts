import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamPosition } from '../../src/receive/stream-position.ts'

describe('StreamPosition', () => {
  it('goes on after the last one when all are settled, and at the first one that is not', () => {
    const position = new StreamPosition()
    expect(position.next).toBeUndefined()
    for (const offset of [2 ** 31, 2 ** 31 + 1, 2 ** 31 + 2]) expect(position.delivered(offset)).toBe(true)
    position.settled(2 ** 31)
    position.settled(2 ** 31 + 2)
    expect(position.next).toBe(2 ** 31 + 1)
    position.settled(2 ** 31 + 1)
    expect(position.next).toBe(2 ** 31 + 3)
  })

  it('hands over every message until it was settled, and none after that, whatever is lost and when', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.array(fc.tuple(fc.nat(5), fc.array(fc.nat(8)))), (length, rounds) => {
        const position = new StreamPosition()
        const handled: number[] = []
        const last: [number, number[]] = [length, Array<number>(length).fill(0)]
        for (const [count, settles] of [...rounds, last]) {
          // A connection: some are delivered, some of those are settled, then it breaks.
          const from = position.next ?? 0
          const hand: number[] = []
          for (let offset = from; offset < Math.min(length, from + count); offset += 1)
            if (position.delivered(offset)) hand.push(offset)
          for (const pick of settles) {
            const [offset] = hand.splice(pick % Math.max(hand.length, 1), 1)
            if (offset === undefined) continue
            handled.push(offset)
            position.settled(offset)
          }
        }
        expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, n) => n))
      }),
    )
  })
})
