import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  ACTIONS,
  cadfTag,
  cadfTime,
  CadfMismatch,
  createCadfEvent,
  maskToken,
  type NewCadfEvent,
  readCadfEvent,
  RESOURCE_TYPES,
} from '../src/index.ts'
import vectors from './vectors/events.json' with { type: 'json' }

const SMALL: NewCadfEvent = {
  action: 'create',
  outcome: 'success',
  initiator: { id: 'ada' },
  target: { id: 'web-1', typeURI: 'compute/server' },
  observer: { id: 'target' },
}

describe('CADF audit events, as pyCADF 4.1.0 writes them', () => {
  it.each(vectors.events)('made: $name', ({ fields, dict }) => {
    expect(createCadfEvent(fields as NewCadfEvent)).toEqual(dict)
  })

  it.each(vectors.events)('read, and left as they are: $name', ({ dict }) => {
    expect(readCadfEvent(dict)).toBe(dict)
  })

  it.each(vectors.refused)('refused, with the field and the value: $field', ({ field, fields }) => {
    const make = (): unknown => createCadfEvent(fields as NewCadfEvent)
    expect(make).toThrow(CadfMismatch)
    expect(make).toThrow(expect.objectContaining({ field, code: 'OSLO_MESSAGING_CADF_MISMATCH' }))
  })

  it.each(vectors.masked)('a token of $token.length characters is masked', ({ token, shown }) => {
    expect(maskToken(token)).toBe(shown)
  })

  it('a token that pyCADF shows whole, because an eighth of it is nothing, is not shown', () => {
    expect(maskToken('abcd')).toBe(' xxxxxxxx ')
    expect(
      inspect(createCadfEvent({ ...SMALL, initiator: { id: 'ada', credential: { token: 'abc' } } }), { depth: 5 }),
    ).not.toContain('abc')
  })

  it('what is left out is new, now, or unknown', () => {
    const event = createCadfEvent({ initiatorId: 'a', targetId: 'b', observer: {} })
    expect(event).toEqual({
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      eventType: 'activity',
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$/),
      action: 'unknown',
      outcome: 'unknown',
      initiatorId: 'a',
      targetId: 'b',
      observer: { id: expect.stringMatching(/^[\da-f-]{36}$/), typeURI: 'unknown' },
    })
    expect(cadfTime(new Date(0))).toBe('1970-01-01T00:00:00.000000+0000')
    expect(cadfTag('correlation_id', '7')).toBe('correlation_id?value=7')
  })

  it('knows the words of the taxonomies', () => {
    for (const action of ACTIONS) expect(() => createCadfEvent({ ...SMALL, action })).not.toThrow()
    for (const typeURI of RESOURCE_TYPES)
      expect(() => createCadfEvent({ ...SMALL, target: { id: 'x', typeURI: `${typeURI}/more` } })).not.toThrow()
  })
})

describe('a payload that is no event', () => {
  it.each([null, 'text', 7, [], {}])('%j is refused, and stays reachable', (payload) => {
    const read = (): unknown => readCadfEvent(payload)
    expect(read).toThrow(CadfMismatch)
    expect(read).toThrow(expect.objectContaining({ raw: payload }))
  })

  it('does not print what it holds', () => {
    const payload = { ...createCadfEvent(SMALL), outcome: 'secret-outcome' }
    try {
      readCadfEvent(payload)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ field: 'event.outcome', raw: payload })
      expect(inspect(error)).not.toContain('secret-outcome')
    }
  })
})
