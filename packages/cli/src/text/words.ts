import { decodeJson } from '@oslo-messaging/core/driver'
import { UsageError } from '../usage-error.ts'

/** Words of the command line as named values: `name=text`, `name:=JSON`, or the whole as one JSON object.
 *  Throws UsageError that quotes the word. */
export function readWords(words: readonly string[], what: string): Readonly<Record<string, unknown>> {
  const [first, ...more] = words
  if (first?.trimStart().startsWith('{') === true) {
    if (more.length > 0) throw new UsageError(`${what} are one JSON object or name=value words, not both`)
    return readObject(first, what)
  }
  const values: Record<string, unknown> = {}
  for (const word of words) {
    const [, name, kind, text = ''] = /^([^=:]+)(:?=)([^]*)$/.exec(word) ?? []
    if (name === undefined)
      throw new UsageError(`${what} are written name=text, name:=JSON or as one JSON object; ${quote(word)} is none`)
    if (Object.hasOwn(values, name)) throw new UsageError(`${name} is given twice`)
    values[name] = kind === ':=' ? readJson(text, name) : text
  }
  return values
}

/** A JSON object. Throws UsageError. */
export function readObject(text: string, what: string): Readonly<Record<string, unknown>> {
  const value = readJson(text, what)
  if (isRecord(value)) return value
  throw new UsageError(`${what} must be a JSON object such as {"name": 1}, not ${quote(text)}`)
}

/** Any JSON. Throws UsageError. */
export function readJson(text: string, what: string): unknown {
  try {
    return decodeJson(text)
  } catch {
    throw new UsageError(`${what}: ${quote(text)} is not JSON; texts need double quotes there`)
  }
}

/** `name=value` words as texts. */
export function readPairs(words: readonly string[], option: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([^=]+)=([^]*)$/.exec(word) ?? []
      if (name === undefined || value === undefined)
        throw new UsageError(`${option} is written name=value, not ${quote(word)}`)
      return [name, value]
    }),
  )
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}
