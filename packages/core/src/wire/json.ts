import { SerializationError } from '../errors.ts'
import { errorText } from '../util/text.ts'
import { closingQuote, isEscaped, parseJson } from './json-parser.ts'
import { LONG_TEXT, writePlain } from './plain-writer.ts'
import { isWrittenExactly, writeJson } from './json-writer.ts'

/** JSON text of a value, as Python's library would read it.
 *  Whole numbers beyond 2^53 and below 1e21 are written with every digit of their value (`2 ** 60` is
 *  `1152921504606846976`).
 *  Beyond what `JSON.stringify` writes: Date as `YYYY-MM-DDTHH:MM:SS.ffffff` in UTC, Map as object, Set and other
 *  iterables as list, bytes as their UTF-8 text, an Error as its text, bigint as digits, and `NaN`, `Infinity`,
 *  `-Infinity` as these words, which Python reads and strict JSON does not know.
 *  Fields that are undefined are left out; undefined in a list, or as the whole value, is null.
 *  Throws: SerializationError that names the path (`args.user.created`) for functions, symbols, instances without
 *  `toJSON`, cycles, bytes that are no text. */
export function encodeJson(value: unknown): string {
  // A look at every value costs less than writing it; what passes is left to the engine, unless it is long.
  sawLongText = false
  try {
    if (!isPlain(value)) return writeJson(value)
    return sawLongText ? writePlain(value) : JSON.stringify(value)
  } catch (error) {
    if (error instanceof SerializationError) throw error
    // A getter or an iterator of the application threw.
    throw new SerializationError(`Cannot encode the value: ${errorText(error)}`, { cause: error })
  }
}

/** The value of a JSON text. Integers that a number cannot hold exactly arrive as bigint, so that no digit is lost;
 *  `NaN`, `Infinity` and `-Infinity` are taken.
 *  A key `__proto__` is a key like any other.
 *  Throws: SerializationError with the position; the text itself is never quoted, because it may hold secrets. */
export function decodeJson(text: string): unknown {
  if (SIXTEEN_DIGITS.test(text) && holdsLongInteger(text)) return parseJson(text)
  try {
    return JSON.parse(text) as unknown
  } catch {
    // Either the words Python adds to JSON, or an error whose message would quote the text: this parser settles both.
    return parseJson(text)
  }
}

/** Quick to rule out: spelled out like this, the engine looks at about every sixteenth character only, which `\d{16}`
 *  does not get. */
const SIXTEEN_DIGITS = new RegExp('[0-9]'.repeat(16))
/** Sixteen digits where a number may begin. Texts may hold them as well. */
const LONG_INTEGER = /(?:^|[\s:,[-])\d{16}/g

/** Whether sixteen digits of a number stand outside of the texts. Of what is not JSON it may say anything. */
function holdsLongInteger(text: string): boolean {
  LONG_INTEGER.lastIndex = 0
  let at = 0
  let isInside = false
  for (let match = LONG_INTEGER.exec(text); match !== null; match = LONG_INTEGER.exec(text)) {
    for (let quote = text.indexOf('"', at); quote !== -1 && quote < match.index; quote = text.indexOf('"', at)) {
      if (!isInside || !isEscaped(text, quote)) isInside = !isInside
      at = quote + 1
    }
    if (!isInside) return true
    // The rest of that text is passed over at once.
    at = closingQuote(text, Math.max(at, match.index))
    if (at === -1) return false
    isInside = false
    at += 1
    LONG_INTEGER.lastIndex = Math.max(LONG_INTEGER.lastIndex, at)
  }
  return false
}

/** Of the value that `isPlain` is looking at. */
let sawLongText = false

/** Nested deeper than this, a value is left to the writer, which notices cycles. */
const DEEPEST_PLAIN = 64

/** True when `JSON.stringify` writes exactly what is wanted: text, numbers it writes exactly, booleans, null, lists and
 *  simple objects of these. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'object') return value === null || isPlainObject(value, 0)
  return value !== undefined && isPlainScalar(value)
}

/** One call for each object and none for each value, which is most of the time here. */
function isPlainObject(value: object, depth: number): boolean {
  if (depth === DEEPEST_PLAIN) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype) {
    if (!Array.isArray(value)) return false
    const list: readonly unknown[] = value
    for (let index = 0; index < list.length; index += 1) {
      const item = list[index]
      if (typeof item === 'string') {
        if (item.length >= LONG_TEXT) sawLongText = true
      } else if (typeof item === 'object') {
        if (item !== null && !isPlainObject(item, depth + 1)) return false
      } else if (item === undefined || !isPlainScalar(item)) return false
    }
    return true
  }
  if (prototype !== Object.prototype && prototype !== null) return false
  const record = value as Readonly<Record<PropertyKey, unknown>>
  // A toJSON of its own is met among the fields: it is a function. Asking each object for it took a fifth of the look.
  if (record[Symbol.iterator] !== undefined) return false
  for (const key in record) {
    const field = record[key]
    if (typeof field === 'string') {
      if (field.length >= LONG_TEXT) sawLongText = true
    } else if (typeof field === 'object') {
      if (field !== null && !isPlainObject(field, depth + 1)) return false
      // Undefined is left out by JSON.stringify too.
    } else if (field !== undefined && !isPlainScalar(field)) return false
  }
  return true
}

function isPlainScalar(value: unknown): boolean {
  if (typeof value === 'number') return isWrittenExactly(value)
  if (typeof value === 'string' && value.length >= LONG_TEXT) sawLongText = true
  return typeof value === 'boolean' || typeof value === 'string'
}
