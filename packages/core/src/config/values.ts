import type { OptionDefinition, OptionType, OptionValue } from './option.ts'

const TRUE = new Set(['true', '1', 'on', 'yes'])
const FALSE = new Set(['false', '0', 'off', 'no'])

/** Text as oslo.config converts it. What cannot be converted is returned as it is and then fails `findProblem`. */
export function convertText(type: OptionType, text: string): OptionValue {
  const trimmed = text.trim()
  switch (type) {
    case 'integer':
      return /^[+-]?\d+$/.test(trimmed) ? Number(trimmed) : text
    case 'float':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : text
    case 'boolean':
      return TRUE.has(trimmed.toLowerCase()) ? true : FALSE.has(trimmed.toLowerCase()) ? false : text
    case 'list':
      return splitList(text)
    case 'multi':
      return [text]
    case 'dict':
      return convertDict(text)
    default:
      return text
  }
}

/** Comma separated, blanks around the pieces and empty pieces dropped. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '')
}

/** `key:value` pairs; a piece without a colon leaves the text unconverted. */
function convertDict(text: string): Readonly<Record<string, string>> | string {
  const pieces = splitList(text)
  if (pieces.some((piece) => !piece.includes(':'))) return text
  return Object.fromEntries(
    pieces.map((piece) => {
      const colon = piece.indexOf(':')
      return [piece.slice(0, colon).trim(), piece.slice(colon + 1).trim()]
    }),
  )
}

/** What the option takes, for people: `an integer of at least 1`. */
export function describeValues({ type, min, max, choices }: OptionDefinition): string {
  if (choices !== undefined) return `one of ${choices.join(', ')}`
  const limits = [
    min === undefined ? [] : [`of at least ${min}`],
    max === undefined ? [] : [`of at most ${max}`],
  ].flat()
  return [KIND[type], limits.join(' and ')].filter((part) => part !== '').join(' ')
}

const KIND: Record<OptionType, string> = {
  string: 'text',
  integer: 'an integer',
  float: 'a number',
  boolean: 'true or false',
  list: 'a list separated by commas',
  multi: 'text, repeated for several values',
  dict: 'key:value pairs separated by commas',
}

/** Whether a converted value is one the option takes. */
export function isAllowed(definition: OptionDefinition, value: unknown): boolean {
  if (value === null) return definition.default === null
  switch (definition.type) {
    case 'integer':
      return Number.isSafeInteger(value) && inLimits(definition, value as number)
    case 'float':
      return Number.isFinite(value) && inLimits(definition, value as number)
    case 'boolean':
      return typeof value === 'boolean'
    case 'list':
    case 'multi':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'dict':
      return (
        typeof value === 'object' &&
        !Array.isArray(value) &&
        Object.values(value).every((item) => typeof item === 'string')
      )
    default:
      return typeof value === 'string' && (definition.choices?.includes(value) ?? true)
  }
}

function inLimits({ min = -Infinity, max = Infinity }: OptionDefinition, value: number): boolean {
  return value >= min && value <= max
}

/** Brings what a document or a program gave to the form `convertText` and `isAllowed` know: scalars in lists and text
 *  options become text, several values become one. Text that is empty for a number with no default means unset. */
export function gatherValues(definition: OptionDefinition, values: readonly unknown[]): unknown {
  if (definition.type === 'multi')
    return values.flatMap((value) => (Array.isArray(value) ? value : [value])).map(scalarText)
  const value = values.at(-1)
  if (definition.type === 'list' && Array.isArray(value)) return value.map(scalarText)
  if (definition.type === 'dict' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scalarText(item)]))
  }
  if (definition.type === 'integer' || definition.type === 'float') {
    return value === '' && definition.default === null ? null : value
  }
  return definition.type === 'boolean' && typeof value !== 'number' ? value : scalarText(value)
}

function scalarText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}
