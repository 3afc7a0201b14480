import { describe, expect, it } from 'vitest'
import { SerializationError } from '../../src/errors.ts'
import { JsonPayloadSerializer } from '../../src/serializer/json-payload-serializer.ts'
import { NoOpSerializer } from '../../src/serializer/no-op-serializer.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import { decodeJson, encodeJson } from '../../src/wire/json.ts'

class Instance {
  readonly name: string
  readonly inner: unknown
  readonly bound = (): string => this.name
  constructor(name: string, inner: unknown = null) {
    this.name = name
    this.inner = inner
  }
}

describe('serializer', () => {
  it('Z1 Serializer - four methods make a custom serializer go round', () => {
    const serializer: Serializer = {
      serializeEntity: (_ctxt, entity) => ({ kind: 'instance', name: (entity as Instance).name }),
      deserializeEntity: (_ctxt, entity) => new Instance((entity as { name: string }).name),
      serializeContext: (ctxt) => ({ ...ctxt, sent: true }),
      deserializeContext: (ctxt) => new Map(Object.entries(ctxt)),
    }
    const sent = encodeJson(serializer.serializeEntity({}, new Instance('vm')))
    expect(serializer.deserializeEntity({}, decodeJson(sent))).toMatchObject({ name: 'vm' })
    expect(serializer.deserializeContext({ a: 1 })).toEqual(new Map([['a', 1]]))
    expect(serializer.serializeContext({ a: 1 })).toEqual({ a: 1, sent: true })
  })

  it('Z2 NoOpSerializer - hands everything through as it is, without a promise', () => {
    const serializer = new NoOpSerializer()
    const value = { a: 1 }
    expect(serializer.serializeEntity({}, value)).toBe(value)
    expect(serializer.deserializeEntity({}, value)).toBe(value)
    expect(serializer.serializeContext(value)).toBe(value)
    expect(serializer.deserializeContext(value)).toBe(value)
  })

  it('Z2 NoOpSerializer - sends a context that is an instance as its fields or its toJSON', () => {
    const serializer = new NoOpSerializer()
    expect(serializer.serializeContext(new Instance('a'))).toMatchObject({ name: 'a', inner: null })
    expect(serializer.serializeContext({ toJSON: () => ({ b: 1 }), __proto__: Instance.prototype })).toEqual({ b: 1 })
    expect(() => serializer.serializeContext({ toJSON: () => 'text', __proto__: Instance.prototype })).toThrow(
      SerializationError,
    )
  })
})

describe('Z3 JsonPayloadSerializer', () => {
  const serializer = new JsonPayloadSerializer()
  const sent = (value: unknown): unknown => decodeJson(encodeJson(serializer.serializeEntity({}, value)))

  it('sends an instance as its fields, where the wire alone would refuse it', () => {
    expect(() => encodeJson(new Instance('vm'))).toThrow(SerializationError)
    expect(sent(new Instance('vm'))).toEqual({ name: 'vm', inner: null })
  })

  it('finds instances in lists, objects, maps and sets', () => {
    const instance = new Instance('x')
    const fields = { name: 'x', inner: null }
    expect(sent({ list: [instance], map: new Map([['k', instance]]), set: new Set([instance]) })).toEqual({
      list: [fields],
      map: { k: fields },
      set: [fields],
    })
  })

  it('follows three instances into each other; deeper ones become null', () => {
    const chain = [1, 2, 3, 4].reduceRight<unknown>((inner, level) => new Instance(String(level), inner), null)
    expect(sent(chain)).toEqual({
      name: '1',
      inner: { name: '2', inner: { name: '3', inner: null } },
    })
  })

  it('leaves to JSON what JSON can write', () => {
    expect(sent([new Date(0), new URL('http://h/'), Buffer.from('b'), 1n, NaN, { toJSON: () => 5 }])).toEqual([
      '1970-01-01T00:00:00.000000',
      'http://h/',
      'b',
      1,
      NaN,
      5,
    ])
  })

  it('reports a cycle with its place', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(() => sent({ a: cycle })).toThrow(/a\.self.*contains itself/)
  })

  it('keeps a field named __proto__ a field', () => {
    const value = sent({ list: [new Instance('x')], nested: JSON.parse('{"__proto__": {"p": 1}}') as unknown })
    expect(JSON.stringify(value)).toContain('"nested":{"__proto__":{"p":1}}')
  })

  it('changes nothing when receiving', () => {
    const value = { a: 1 }
    expect(serializer.deserializeEntity({}, value)).toBe(value)
  })
})
