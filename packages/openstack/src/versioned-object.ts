import { PayloadMismatch } from './errors.ts'

/** A versioned object, as oslo.versionedobjects writes it, with its parts under plain names. */
export interface VersionedObject {
  /** What its keys begin with: `nova_object`, `ironic_object`; `versioned_object` is the library's default, and
   *  cinder's. */
  readonly prefix: string
  readonly name: string
  readonly namespace: string
  /** `major.minor`, sometimes `major.minor.patch`. */
  readonly version: string
  /** Fields as on the wire: objects in them are in their wire form. */
  readonly data: Readonly<Record<string, unknown>>
  /** Fields that were changed and not saved; absent where the sender did not say. */
  readonly changes?: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

const NAME = /^(\w+)\.name$/

/** Whether it is a versioned object in its wire form: `{ 'nova_object.name', '.namespace', '.version', '.data' }`. */
export function isVersionedObject(value: unknown): value is Fields {
  return prefixOf(value) !== undefined
}

/** The parts of a versioned object. Throws PayloadMismatch for what is none. */
export function readVersionedObject(value: unknown, field = 'object'): VersionedObject {
  return partsOf(value, field, value)
}

/** The same for an object inside a payload: the error has the whole payload. */
export function partsOf(value: unknown, field: string, payload: unknown): VersionedObject {
  const prefix = prefixOf(value)
  if (prefix === undefined) throw new PayloadMismatch(field, 'this is no versioned object', payload)
  const fields = value as Fields
  const text = (part: string): string => {
    const found = fields[`${prefix}.${part}`]
    if (typeof found !== 'string') throw new PayloadMismatch(`${field}.${prefix}.${part}`, 'it must be text', payload)
    return found
  }
  const data = fields[`${prefix}.data`]
  const changes = fields[`${prefix}.changes`]
  return {
    prefix,
    name: text('name'),
    namespace: text('namespace'),
    version: text('version'),
    data: data as Fields,
    ...(Array.isArray(changes) ? { changes: changes.map(String) } : {}),
  }
}

/** A versioned object in its wire form, for an argument or a result. Objects in `data` must be in theirs. Changed
 *  fields are named only where `changes` is given, as the library does. */
export function makeVersionedObject(object: Omit<VersionedObject, 'prefix'> & { readonly prefix?: string }): Fields {
  const { prefix = 'versioned_object', name, namespace, version, data, changes } = object
  return {
    [`${prefix}.name`]: name,
    [`${prefix}.namespace`]: namespace,
    [`${prefix}.version`]: version,
    [`${prefix}.data`]: data,
    ...(changes === undefined ? {} : { [`${prefix}.changes`]: [...changes] }),
  }
}

/** The same value with every versioned object in it, at any depth, replaced by its fields. Whatever else stays. */
export function unwrapVersionedObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapVersionedObjects)
  if (!isFields(value)) return value
  const prefix = prefixOf(value)
  const fields = prefix === undefined ? value : (value[`${prefix}.data`] as Fields)
  // fromEntries defines, so that a field named `__proto__` stays a field.
  return Object.fromEntries(Object.entries(fields).map(([name, inner]) => [name, unwrapVersionedObjects(inner)]))
}

/** Whether it is an object with fields, and no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function prefixOf(value: unknown): string | undefined {
  if (!isFields(value)) return undefined
  for (const key of Object.keys(value)) {
    const prefix = NAME.exec(key)?.[1]
    if (prefix !== undefined && isFields(value[`${prefix}.data`])) return prefix
  }
  return undefined
}
