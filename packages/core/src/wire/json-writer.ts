import types from 'node:util/types'
import { SerializationError } from '../errors.ts'
import { errorText } from '../util/text.ts'

/** Python's reader gives up at about its recursion limit. */
const DEEPEST = 900

type Path = (string | number)[]

/** Writes any value JSON can be made of, by the rules of `encodeJson`. Slower than the engine, so only for values that
 *  need it. */
export function writeJson(value: unknown): string {
  return write(value, [], new Set()) ?? 'null'
}

/** From here on numbers are written with an exponent, which makes them floats for every reader. */
const FIRST_EXPONENT = 1e21

/** True for finite numbers whose digits, as the engine writes them, have the very value of the number. */
export function isWrittenExactly(value: number): boolean {
  const size = Math.abs(value)
  return size <= Number.MAX_SAFE_INTEGER || (size >= FIRST_EXPONENT && size !== Infinity)
}

/** Undefined: nothing is to be written here. */
function write(value: unknown, path: Path, parents: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value.toString()
    case 'undefined':
      return undefined
    case 'object':
      return value === null ? 'null' : writeObject(value, path, parents)
    default:
      throw refusal(path, `a ${typeof value} cannot be sent`)
  }
}

function writeNumber(value: number): string {
  if (isWrittenExactly(value)) return JSON.stringify(value)
  // The exact value: the engine writes as few digits as identify the number here, and zeros for the rest, which Python
  // takes for an integer of another value.
  if (Number.isFinite(value)) return BigInt(value).toString()
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

function writeObject(value: object, path: Path, parents: Set<object>): string {
  if (types.isDate(value)) return `"${dateText(value, path)}"`
  if (value instanceof Uint8Array) return JSON.stringify(bytesText(value, path))
  if (types.isBoxedPrimitive(value)) return write(value.valueOf(), path, parents) ?? 'null'
  if (parents.has(value)) throw refusal(path, 'it contains itself')
  if (path.length >= DEEPEST) throw refusal(path.slice(0, 3), `it is nested deeper than ${DEEPEST} levels`)
  parents.add(value)
  try {
    return writeContainer(value, path, parents)
  } finally {
    parents.delete(value)
  }
}

function writeContainer(value: object, path: Path, parents: Set<object>): string {
  const converted = viaToJson(value, path)
  if (converted !== undefined) return write(converted.value, path, parents) ?? 'null'
  if (types.isNativeError(value) || value instanceof Error) return JSON.stringify(String(value))
  if (types.isMap(value)) return writeFields(mapFields(value, path), path, parents)
  if (Symbol.iterator in value) return writeList(value as Iterable<unknown>, path, parents)
  if (isSimpleObject(value)) return writeFields(Object.entries(value), path, parents)
  throw refusal(path, instanceRemedy(value))
}

function viaToJson(value: object, path: Path): { readonly value: unknown } | undefined {
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return undefined
  let result: unknown
  try {
    result = value.toJSON(String(path.at(-1) ?? ''))
  } catch (cause) {
    throw refusal(path, errorText(cause), cause)
  }
  return result === value ? undefined : { value: result }
}

function writeFields(fields: Iterable<readonly [string, unknown]>, path: Path, parents: Set<object>): string {
  let text = ''
  for (const [key, field] of fields) {
    path.push(key)
    const written = write(field, path, parents)
    path.pop()
    if (written !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${written}`
  }
  return `{${text}}`
}

function writeList(items: Iterable<unknown>, path: Path, parents: Set<object>): string {
  let text = ''
  let index = 0
  for (const item of items) {
    path.push(index)
    text += `${index === 0 ? '' : ','}${write(item, path, parents) ?? 'null'}`
    path.pop()
    index += 1
  }
  return `[${text}]`
}

/** Keys become text as Python writes them. */
function* mapFields(map: ReadonlyMap<unknown, unknown>, path: Path): Iterable<readonly [string, unknown]> {
  for (const [key, field] of map) yield [keyText(key, path), field]
}

function keyText(key: unknown, path: Path): string {
  switch (typeof key) {
    case 'string':
      return key
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(key)
    default:
      if (key === null) return 'null'
      throw refusal(path, `a key of this Map is of type ${typeof key}; only text and numbers become keys`)
  }
}

/** `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC, without a zone: what Python writes for its own. */
function dateText(date: Date, path: Path): string {
  const year = date.getUTCFullYear()
  if (Number.isNaN(year)) throw refusal(path, 'an invalid Date cannot be sent')
  if (year < 1 || year > 9999) throw refusal(path, 'a Date must lie in the years 1 to 9999')
  return `${date.toISOString().slice(0, -1)}000`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function bytesText(bytes: Uint8Array, path: Path): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw refusal(path, 'these bytes are not UTF-8 text; send them as base64', cause)
  }
}

/** Made by a literal, `Object.create(null)` or a parser, in whatever realm. */
export function isSimpleObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function instanceRemedy(value: object): string {
  if (types.isPromise(value)) return 'a Promise cannot be sent; await it first'
  const { constructor } = value
  const name = typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
  return `an instance of ${name} cannot be sent; give it a toJSON method, send a simple object, or use a serializer`
}

function refusal(path: Path, why: string, cause?: unknown): SerializationError {
  return new SerializationError(`Cannot encode ${pathText(path)}: ${why}`, { cause })
}

/** `args.list[2].name`; keys that are no names are quoted. */
function pathText(path: Path): string {
  if (path.length === 0) return 'the value'
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}
