import { describe, expect, it } from 'vitest'
import { NotificationFilter } from '../../src/notify/filter.ts'
import { unitTables } from '../unit-tables.ts'

describe('L7 NotificationFilter', () => {
  const rows = unitTables['unit-notification-filter'] ?? []

  it('has the whole table', () => {
    expect(rows.length).toBeGreaterThan(20)
  })

  it.each(rows)('decides as Python does: $title', ({ compute, python, here = python }) => {
    expect(compute()).toEqual(here)
  })

  it.each(['a|b', '^a|^b', /b|c/g, /A|B/i])('anchors the whole pattern %s at the start', (pattern) => {
    const filter = new NotificationFilter({ eventType: pattern })
    expect(filter.match({}, null, 'b.x', {}, null)).toBe(true)
    // A second time, because a pattern that keeps its place would go on from there.
    expect(filter.match({}, null, 'b.x', {}, null)).toBe(true)
    expect(filter.match({}, null, 'x.b', {}, null)).toBe(false)
  })

  it('takes no inherited field for one of the payload', () => {
    const filter = new NotificationFilter({ payload: { toString: '.*' } })
    expect(filter.match({}, null, 'e', {}, {})).toBe(false)
  })

  it('names the rule whose pattern is wrong', () => {
    expect(() => new NotificationFilter({ payload: { state: '(' } })).toThrow(/payload\.state/)
  })
})
