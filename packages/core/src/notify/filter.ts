import { checkChoice, checkOptions, kindOf } from '../util/check.ts'
import { errorText } from '../util/text.ts'

/** A regular expression in JavaScript's syntax, as text or as a RegExp. It is anchored at the start and nowhere else,
 *  like Python's `re.match`: `compute` takes `compute.host1`. */
export type FilterPattern = string | RegExp

/** What a notification must look like. Rules that are left out take anything; all that are given must match. */
export interface NotificationFilterRules {
  readonly publisherId?: FilterPattern | undefined
  readonly eventType?: FilterPattern | undefined
  /** By field: the field must be there and be a text that matches. */
  readonly context?: Readonly<Record<string, FilterPattern>> | undefined
  /** By field, `message_id` and `timestamp`. */
  readonly metadata?: Readonly<Record<string, FilterPattern>> | undefined
  /** By field of the payload. */
  readonly payload?: Readonly<Record<string, FilterPattern>> | undefined
}

/** Decides which notifications an endpoint gets: its attribute `filterRule`. Values that are no text never match.
 *  Patterns run on text that others send: a pattern with nested repetition (`(a+)+$`) can be made to run for hours,
 *  here as in Python, so keep them simple.
 *  Source: oslo_messaging/notify/filter.py. */
export class NotificationFilter {
  readonly #publisherId: RegExp | undefined
  readonly #eventType: RegExp | undefined
  readonly #context: readonly (readonly [string, RegExp])[]
  readonly #metadata: readonly (readonly [string, RegExp])[]
  readonly #payload: readonly (readonly [string, RegExp])[]

  /** Throws TypeError, naming the rule, for a pattern that is no regular expression. */
  constructor(rules: NotificationFilterRules = {}) {
    checkOptions('A notification filter', rules)
    for (const name of Object.keys(rules)) checkChoice('A rule of a notification filter', name, RULES)
    this.#publisherId = rules.publisherId === undefined ? undefined : compile('publisherId', rules.publisherId)
    this.#eventType = rules.eventType === undefined ? undefined : compile('eventType', rules.eventType)
    this.#context = compileFields('context', rules.context)
    this.#metadata = compileFields('metadata', rules.metadata)
    this.#payload = compileFields('payload', rules.payload)
  }

  /** Throws TypeError when there is a rule for fields of the payload and the payload has none, as in oslo; the
   *  dispatcher takes that as a failed handler. */
  match(context: object, publisherId: unknown, eventType: unknown, metadata: object, payload: unknown): boolean {
    return (
      (this.#publisherId === undefined || matches(publisherId, this.#publisherId)) &&
      (this.#eventType === undefined || matches(eventType, this.#eventType)) &&
      matchesFields('context', context, this.#context) &&
      matchesFields('metadata', metadata, this.#metadata) &&
      matchesFields('payload', payload, this.#payload)
    )
  }
}

const RULES: readonly (keyof NotificationFilterRules)[] = ['publisherId', 'eventType', 'context', 'metadata', 'payload']

function compile(rule: string, pattern: FilterPattern): RegExp {
  if (typeof pattern !== 'string' && !(pattern instanceof RegExp))
    throw new TypeError(
      `The filter rule ${rule} must be a regular expression, as text or RegExp, not ${kindOf(pattern)}`,
    )
  const source = typeof pattern === 'string' ? pattern : pattern.source
  const flags = typeof pattern === 'string' ? '' : pattern.flags.replace(/[gy]/g, '')
  try {
    // Sticky at index 0 anchors the whole alternation, which `^` before it would not.
    return new RegExp(source, `${flags}y`)
  } catch (cause) {
    throw new TypeError(`The filter rule ${rule} is no regular expression: ${errorText(cause)}`, { cause })
  }
}

function compileFields(
  rule: string,
  patterns: Readonly<Record<string, FilterPattern>> = {},
): readonly (readonly [string, RegExp])[] {
  checkOptions(`The filter rule ${rule}`, patterns)
  return Object.entries(patterns).map(([field, pattern]) => [field, compile(`${rule}.${field}`, pattern)])
}

function matches(value: unknown, pattern: RegExp): boolean {
  if (typeof value !== 'string') return false
  pattern.lastIndex = 0
  return pattern.test(value)
}

function matchesFields(rule: string, value: unknown, patterns: readonly (readonly [string, RegExp])[]): boolean {
  if (patterns.length === 0) return true
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`The filter has rules for fields of the ${rule}, but the ${rule} has no fields`)
  const fields = value as Readonly<Record<string, unknown>>
  return patterns.every(([field, pattern]) => Object.hasOwn(fields, field) && matches(fields[field], pattern))
}
