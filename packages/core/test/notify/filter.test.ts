import { describe, expect, it } from 'vitest'
import { NotificationFilter, type NotificationFilterRules } from '../../src/notify/filter.ts'
import { loadVector } from '../vectors.ts'

interface Case {
  readonly rule: {
    readonly publisher_id?: string
    readonly event_type?: string
    readonly context?: Record<string, string>
    readonly metadata?: Record<string, string>
    readonly payload?: Record<string, string>
  }
  readonly overrides?: Readonly<Record<string, unknown>>
  readonly match: boolean | { readonly error: string }
}

/** The message the table was computed with. */
const MESSAGE = {
  context: { tenant: 'abc', n: 5 },
  publisher_id: 'compute.host1',
  event_type: 'compute.instance.create.end',
  metadata: { message_id: 'x', timestamp: '2026-01-01 10:00:00' },
  payload: { state: 'active', num: 3, list: ['x'] },
}

const { cases } = loadVector('unit-notification-filter') as { cases: readonly Case[] }

function match({ rule, overrides }: Case): boolean {
  const { publisher_id: publisherId, event_type: eventType, ...fields } = rule
  const rules: NotificationFilterRules = {
    ...fields,
    ...(publisherId === undefined ? {} : { publisherId }),
    ...(eventType === undefined ? {} : { eventType }),
  }
  const message = { ...MESSAGE, ...overrides }
  const filter = new NotificationFilter(rules)
  return filter.match(message.context, message.publisher_id, message.event_type, message.metadata, message.payload)
}

describe('L7 NotificationFilter', () => {
  it('has the whole table', () => {
    expect(cases.length).toBeGreaterThan(20)
  })

  it.each(cases.map((one) => [JSON.stringify({ ...one.rule, ...one.overrides }), one] as const))(
    'decides as Python does: %s',
    (_text, one) => {
      // L8: rules for fields of something without fields.
      if (typeof one.match === 'object') expect(() => match(one)).toThrow(TypeError)
      else expect(match(one)).toBe(one.match)
    },
  )

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
