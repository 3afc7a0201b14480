import { describe, expect, it } from 'vitest'
import {
  isVersionedObject,
  makeVersionedObject,
  PayloadMismatch,
  readVersionedObject,
  unwrapVersionedObjects,
} from '../src/index.ts'

const tag = {
  'nova_object.name': 'Tag',
  'nova_object.namespace': 'nova',
  'nova_object.version': '1.1',
  'nova_object.data': { tag: 'blue' },
  'nova_object.changes': ['tag'],
}

describe('versioned objects', () => {
  it('are read and made: the same again', () => {
    const read = readVersionedObject(tag)
    expect(read).toEqual({
      prefix: 'nova_object',
      name: 'Tag',
      namespace: 'nova',
      version: '1.1',
      data: { tag: 'blue' },
      changes: ['tag'],
    })
    expect(makeVersionedObject(read)).toEqual(tag)
  })

  it.each(['versioned_object', 'ironic_object', 'magnum_object'])('of any service: %s', (prefix) => {
    const made = makeVersionedObject({ prefix, name: 'X', namespace: 'y', version: '1.0', data: { a: 1 } })
    expect(Object.keys(made)[0]).toBe(`${prefix}.name`)
    expect(readVersionedObject(made)).toMatchObject({ prefix, data: { a: 1 } })
  })

  it('are unwrapped at any depth, and everything else stays', () => {
    const list = makeVersionedObject({ name: 'TagList', namespace: 'nova', version: '1.1', data: { objects: [tag] } })
    expect(unwrapVersionedObjects({ a: [list, 1n, null], 'b.name': 'text' })).toEqual({
      a: [{ objects: [{ tag: 'blue' }] }, 1n, null],
      'b.name': 'text',
    })
  })

  it('without a part are refused by the name of the part, and the value is kept', () => {
    const { 'nova_object.version': _version, ...raw } = tag
    expect(isVersionedObject(raw)).toBe(true)
    const read = (): unknown => readVersionedObject(raw, 'instance')
    expect(read).toThrow(expect.objectContaining({ field: 'instance.nova_object.version', raw }))
    expect(() => readVersionedObject({ tag: 'blue' })).toThrow(PayloadMismatch)
  })
})
