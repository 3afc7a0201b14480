import { SerializationError } from '../errors.ts'
import { errorText } from '../util/text.ts'
import { parseJson } from './json-parser.ts'
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
    if (!isPlain(value, 0)) return writeJson(value)
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
  if (SIXTEEN_DIGITS.test(text) && LONG_INTEGER.test(text)) return parseJson(text)
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
/** Sixteen digits where a number may begin. Some strings match as well; they are only read more slowly. */
const LONG_INTEGER = /(?:^|[\s:,[-])\d{16}/

/** Of the value that `isPlain` is looking at. */
let sawLongText = false

/** Nested deeper than this, a value is left to the writer, which notices cycles. */
const DEEPEST_PLAIN = 64

/** True when `JSON.stringify` writes exactly what is wanted: text, numbers it writes exactly, booleans, null, lists and
 *  simple objects of these. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      if (value.length >= LONG_TEXT) sawLongText = true
      return true
    case 'boolean':
      return true
    case 'number':
      return isWrittenExactly(value)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth === DEEPEST_PLAIN) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return false
    for (const item of value as unknown[]) if (!isPlain(item, depth + 1)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  if (Symbol.iterator in value || 'toJSON' in value) return false
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    // Left out by JSON.stringify too.
    if (field !== undefined && !isPlain(field, depth + 1)) return false
  }
  return true
}
