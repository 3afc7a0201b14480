import { PayloadMismatch, UnknownObjectVersion } from './errors.ts'
import { fieldsOf, isKindOf, type ServiceFacts } from './facts/kinds.ts'
import { isFields, partsOf, unwrapVersionedObjects } from './versioned-object.ts'

/** What every step of reading one payload knows. */
interface Reading {
  readonly facts: ServiceFacts
  readonly raw: unknown
}

/** A payload as plain fields, checked against what is known of its class: nested objects are unwrapped, and fields that
 *  are unknown here are kept.
 *
 *  Versions follow oslo.versionedobjects: a newer minor only adds fields; in an older minor fields are missing, which
 *  become null where they may. Throws UnknownObjectVersion for another major version, PayloadMismatch for a field that
 *  is missing or of another kind. */
export function readPayload(facts: ServiceFacts, name: string, raw: unknown): Readonly<Record<string, unknown>> {
  return readObject({ facts, raw }, name, raw, 'payload')
}

function readObject(reading: Reading, name: string, value: unknown, path: string): Readonly<Record<string, unknown>> {
  const { facts, raw } = reading
  if (facts.prefix === null) {
    if (!isFields(value)) throw new PayloadMismatch(path, `expected an object, got ${kindName(value)}`, raw)
    return readFields(reading, name, value, path, false)
  }
  const object = partsOf(value, path, raw)
  if (!isKindOf(facts, object.name, name))
    throw new PayloadMismatch(path, `expected ${name}, got ${object.name} ${object.version}`, raw)
  const known = facts.objects[object.name]?.version ?? '1.0'
  const [major, minor] = numbersOf(object.version)
  const [knownMajor, knownMinor] = numbersOf(known)
  if (major !== knownMajor) throw new UnknownObjectVersion(path, object.name, object.version, known, raw)
  return readFields(reading, object.name, object.data, path, minor < knownMinor)
}

function readFields(
  reading: Reading,
  name: string,
  values: Readonly<Record<string, unknown>>,
  path: string,
  isOlder: boolean,
): Readonly<Record<string, unknown>> {
  const read = new Map<string, unknown>()
  const kinds = fieldsOf(reading.facts, name)
  for (const [field, kind] of kinds) {
    if (Object.hasOwn(values, field)) read.set(field, readKind(reading, kind, values[field], `${path}.${field}`))
    else if (isOlder && kind.endsWith('?')) read.set(field, null)
    else if (!kind.startsWith('~')) throw new PayloadMismatch(`${path}.${field}`, 'it is missing', reading.raw)
  }
  for (const [field, value] of Object.entries(values))
    if (!kinds.has(field)) read.set(field, unwrapVersionedObjects(value))
  return Object.fromEntries(read)
}

function readKind(reading: Reading, kind: string, value: unknown, path: string): unknown {
  if (kind.startsWith('~')) return readKind(reading, kind.slice(1), value, path)
  if (kind.endsWith('?')) return value === null ? null : readKind(reading, kind.slice(0, -1), value, path)
  const mismatch = (): never => {
    throw new PayloadMismatch(path, `expected ${kind}, got ${kindName(value)}`, reading.raw)
  }
  if (kind.endsWith('[]')) {
    if (!Array.isArray(value)) return mismatch()
    return value.map((each, index) => readKind(reading, kind.slice(0, -2), each, `${path}[${index}]`))
  }
  if (kind.startsWith('{')) {
    if (!isFields(value)) return mismatch()
    const inner = Object.entries(value).map(
      ([name, each]) => [name, readKind(reading, kind.slice(1, -1), each, `${path}.${name}`)] as const,
    )
    return Object.fromEntries(inner)
  }
  if (kind.startsWith('@')) return readObject(reading, kind.slice(1), value, path)
  if (kind === 'any') return unwrapVersionedObjects(value)
  return isScalar(kind, value) ? value : mismatch()
}

function isScalar(kind: string, value: unknown): boolean {
  if (kind === 'string' || kind === 'boolean') return typeof value === kind
  if (kind === 'integer') return Number.isInteger(value) || typeof value === 'bigint'
  return typeof value === 'number' || typeof value === 'bigint'
}

function numbersOf(version: string): readonly [number, number] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return [major, minor]
}

/** What a value is, without showing it. */
function kindName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value
}
