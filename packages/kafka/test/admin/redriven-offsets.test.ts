import { describe, expect, it } from 'vitest'
import { RedrivenOffsets } from '../../src/admin/redriven-offsets.ts'

const moved = (position: number, ...offsets: readonly number[]): RedrivenOffsets => {
  const redriven = new RedrivenOffsets(position, undefined)
  for (const offset of offsets) redriven.add(offset)
  return redriven
}

describe('offsets of moved letters', () => {
  it.each([
    { offsets: [], position: 10, note: undefined, left: 10 },
    { offsets: [10, 11], position: 12, note: undefined, left: 8 },
    { offsets: [11, 12, 15], position: 10, note: 'oslo-redriven:1-2,5', left: 7 },
    { offsets: [11, 12, 15, 10], position: 13, note: 'oslo-redriven:2', left: 6 },
    { offsets: [3, 10], position: 11, note: undefined, left: 9 },
  ])('$offsets from 10 - position $position, note $note', ({ offsets, position, note, left }) => {
    const redriven = moved(10, ...offsets)
    expect(redriven.position).toBe(position)
    expect(redriven.note()).toBe(note)
    expect(redriven.leftBefore(20)).toBe(left)
    const again = new RedrivenOffsets(position, note)
    for (let offset = 0; offset < 25; offset += 1) expect(again.has(offset)).toBe(redriven.has(offset))
  })

  it.each(['', 'something of somebody else', 'oslo-redriven:', 'oslo-redriven:x', 'oslo-redriven:1-2-3'])(
    'the note %j counts as none',
    (note) => {
      expect(new RedrivenOffsets(5, note).note()).toBeUndefined()
    },
  )

  it('notes stay below what a broker keeps, however large the numbers', () => {
    const redriven = new RedrivenOffsets(0, undefined)
    let offset = 1_000_000_000
    for (; redriven.hasRoom; offset += 3) for (const each of [offset, offset + 1]) redriven.add(each)
    expect(Buffer.byteLength(redriven.note() ?? '')).toBeLessThan(4096)
  })
})
