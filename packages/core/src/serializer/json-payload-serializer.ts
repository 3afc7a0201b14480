import types from 'node:util/types'
import { isSimpleObject } from '../wire/json-writer.ts'
import { NoOpSerializer } from './no-op-serializer.ts'

/** Instances inside instances are followed so far; what lies deeper becomes null. As in oslo. */
const DEEPEST_INSTANCE = 3

/** Sends instances too: as objects of the fields they own, up to three instances deep (deeper ones become null).
 *  Receiving changes nothing.
 *  Instances with `toJSON`, dates, sets, maps and whatever else JSON knows how to write (see `encodeJson`) are left to
 *  it. */
export class JsonPayloadSerializer extends NoOpSerializer {
  override serializeEntity(_ctxt: object, entity: unknown): unknown {
    return toPrimitive(entity, 0, new Set())
  }
}

function toPrimitive(value: unknown, depth: number, parents: Set<object>): unknown {
  if (typeof value !== 'object' || value === null || writesItself(value)) return value
  // The writer refuses a cycle and names the place.
  if (parents.has(value)) return value
  parents.add(value)
  try {
    return convert(value, depth, parents)
  } finally {
    parents.delete(value)
  }
}

function convert(value: object, depth: number, parents: Set<object>): unknown {
  const inner = (field: unknown): unknown => toPrimitive(field, depth, parents)
  if (types.isMap(value)) return new Map([...value].map(([key, field]: [unknown, unknown]) => [key, inner(field)]))
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, inner)
  if (isSimpleObject(value)) return fieldsOf(value, inner)
  if (depth === DEEPEST_INSTANCE) return null
  return fieldsOf(value, (field) =>
    // Bound methods are part of the instance's behaviour, not of its data.
    typeof field === 'function' ? undefined : toPrimitive(field, depth + 1, parents),
  )
}

function fieldsOf(value: object, convertField: (field: unknown) => unknown): object {
  // fromEntries defines, so that a field named `__proto__` stays a field.
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, convertField(field)]))
}

function writesItself(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isBoxedPrimitive(value) ||
    types.isPromise(value) ||
    ArrayBuffer.isView(value) ||
    value instanceof Error ||
    ('toJSON' in value && typeof value.toJSON === 'function')
  )
}
