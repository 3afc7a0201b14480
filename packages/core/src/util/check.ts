import { suggest } from './suggest.ts'

/** Checks of what JavaScript callers, or values from elsewhere, may get wrong. Each throws TypeError that names the
 *  option and what would do. */

/** What was given, in a word: `null`, `a list`, `text`. Never the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'string' ? 'text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** What was given where a number is wanted: the number itself, which is no secret, or what it is instead. */
export function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : kindOf(value)
}

/** A number of milliseconds; null and undefined stand for "the default" and give null. */
export function checkTimeout(name: string, value: unknown): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new TypeError(`${name} must be a number of milliseconds, 0 or more, not ${shown(value)}`)
}

/** A whole number from `least` on, or nothing. */
export function checkCount(name: string, value: unknown, least = 0): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return
  throw new TypeError(`${name} must be a whole number, ${least} or more, not ${shown(value)}`)
}

/** oslo's numbers (-1 and null for ever, 0 none) as attempts after the first; null: no limit but the deadline. Throws
 *  TypeError. */
export function checkRetry(value: number | null | undefined): number | null {
  if (value === undefined || value === null || value === -1) return null
  if (Number.isInteger(value) && value >= 0) return value
  throw new TypeError(`retry must be null or -1 (no limit), 0 (none) or a whole number of attempts, not ${value}`)
}

/** A function, or nothing. */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw new TypeError(`${name} must be a function, not ${kindOf(value)}`)
}

/** The names that an options object may have, for `checkOptions`. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/** Named options in one object, or nothing. With `names` every name must be one of them: an option that is silently
 *  ignored, as `timeout` instead of `timeoutMs` or `allow_requeue` instead of `allowRequeue`, is worse than one that is
 *  refused. */
export function checkOptions(user: string, options: unknown, names?: Readonly<Record<string, true>>): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError(`${user} takes its options in an object such as { name: value }, not ${kindOf(options)}`)
  if (names === undefined) return
  for (const name in options) {
    if (Object.hasOwn(names, name)) continue
    const meant = suggest(name, Object.keys(names))
    throw new TypeError(
      `${user} has no option ${name}${meant === undefined ? `: ${Object.keys(names).join(', ')} are known` : `; did you mean ${meant}?`}`,
    )
  }
}

/** A list; its items are the caller's to check. */
export function checkList(name: string, value: unknown, example: string): void {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be a list such as ${example}, not ${kindOf(value)}`)
}

/** A list of texts that are not empty. */
export function checkNames(name: string, values: unknown, example: string): void {
  checkList(name, values, example)
  for (const value of values as readonly unknown[])
    if (typeof value !== 'string' || value === '')
      throw new TypeError(
        `${name} must hold names such as ${example}, not ${value === '' ? 'empty text' : kindOf(value)}`,
      )
}

/** One of a few words, or nothing. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return
  throw new TypeError(
    `${name} must be one of ${choices.join(', ')}, not ${typeof value === 'string' ? JSON.stringify(value) : kindOf(value)}`,
  )
}

/** An AbortSignal, or nothing. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new TypeError(`signal must be an AbortSignal, not ${kindOf(signal)}`)
}

/** Something with these methods, or nothing. */
export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined || value === null) return
  const missing = methods.find((method) => typeof (value as Readonly<Record<string, unknown>>)[method] !== 'function')
  if (missing === undefined) return
  throw new TypeError(`${name} must have the methods ${methods.join(', ')}; ${missing} is missing in ${kindOf(value)}`)
}
