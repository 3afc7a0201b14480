import { createRequire } from 'node:module'
import type convict from 'convict'
import { ConfigurationError } from '../errors.ts'
import { mayHoldSecret } from './mask.ts'
import type { ConfigFragment, OptionDefinition, OptionType, OptionValue } from './option.ts'
import { convertText, describeValues, isAllowed } from './values.ts'

/** One option's value before conversion, with where it came from. */
export interface GivenValue {
  readonly where: string
  readonly value: unknown
}

/** Merges given values over a fragment's defaults, converts and checks them. Every option of the fragment is in the
 *  result, which is frozen.
 *  Throws: ConfigurationError that lists every value that cannot be used, where it is and what would do. */
export type GroupChecker = (
  fragment: ConfigFragment,
  given: ReadonlyMap<string, GivenValue>,
) => Readonly<Record<string, OptionValue>>

const TYPES: readonly OptionType[] = ['string', 'integer', 'float', 'boolean', 'list', 'multi', 'dict']
// convict's formats are one table for the whole process, shared with whoever else uses it.
const formatName = (type: OptionType): string => `oslo_messaging_${type}`

type Convict = typeof convict

let checker: Promise<GroupChecker> | undefined

/** The checker of this process. It loads convict, which takes a while, when the first value has to be checked. */
export function loadGroupChecker(): Promise<GroupChecker> {
  checker ??= makeGroupChecker()
  return checker
}

async function makeGroupChecker(): Promise<GroupChecker> {
  const load = await convictLoader()
  let taught: Convict | undefined
  return (fragment, given) => {
    const defaults = given.size === 0 ? usableDefaults(fragment) : undefined
    if (defaults !== undefined) return defaults
    taught ??= teach(load())
    return checkGroup(taught, fragment, given)
  }
}

/** What a group is when nobody gave anything; undefined when a default cannot be used, which convict then says. */
function usableDefaults({ options }: ConfigFragment): Readonly<Record<string, OptionValue>> | undefined {
  const entries = Object.entries(options)
  if (!entries.every(([, definition]) => isAllowed(definition, definition.default))) return undefined
  return Object.freeze(Object.fromEntries(entries.map(([name, definition]) => [name, copyOf(definition.default)])))
}

function copyOf(value: OptionValue): OptionValue {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value
}

/** Teaches convict oslo's types. */
function teach(convict: Convict): Convict {
  for (const type of TYPES) {
    convict.addFormat({
      name: formatName(type),
      coerce: (text: string) => box(convertText(type, text)),
      // The second argument is the schema entry, made below.
      validate: (value: unknown, schema) => {
        const definition = schema['definition'] as OptionDefinition
        if (!isAllowed(definition, unbox(value))) throw new Error(`must be ${describeValues(definition)}`)
      },
    })
  }
  return convict
}

function checkGroup(
  convict: Convict,
  fragment: ConfigFragment,
  given: ReadonlyMap<string, GivenValue>,
): Readonly<Record<string, OptionValue>> {
  const schema = Object.fromEntries(
    Object.entries(fragment.options).map(([name, definition]) => [name, schemaEntry(definition)]),
  )
  // Its own reading of environment and arguments knows neither substitution nor old names; ours happened before.
  const group = convict<Record<string, unknown>>(schema, { env: {}, args: [] })
  for (const [name, { value }] of given) group.set(name, box(value))
  const properties = Object.fromEntries(
    Object.entries(group.getProperties()).map(([name, value]) => [name, unbox(value) as OptionValue]),
  )
  try {
    group.validate({ allowed: 'strict' })
  } catch (error) {
    // Its message quotes values; ours leaves out the secret ones and says where each is.
    throw describeProblems(fragment, given, properties) ?? error
  }
  return Object.freeze(properties)
}

/** Where this stands in the workspace, and in the published package. */
const OWN_PLACE =
  /[\\/]core[\\/](?:src[\\/]config[\\/]schema\.ts|dist[\\/](?:config[\\/]schema|rolled[\\/]\w+)\.js)(?:\?|$)/

/** Convict by `require`, which can wait until it is needed. In a bundle it is imported, so that the bundle has it; one
 *  that is made of ES modules (esbuild) leaves the `require` of such packages to a global one, which modules do not
 *  have, so convict finds one while it is loaded. */
async function convictLoader(): Promise<() => Convict> {
  const self = import.meta.url as string | undefined
  if (self !== undefined && OWN_PLACE.test(self)) return () => createRequire(self)('convict') as Convict
  const scope = globalThis as { require?: NodeJS.Require }
  const isLent = self !== undefined && scope.require === undefined
  if (isLent) scope.require = createRequire(self)
  try {
    const { default: convict } = await import('convict')
    return () => convict
  } finally {
    if (isLent) delete scope.require
  }
}

interface SchemaEntry {
  readonly format: string
  readonly default: unknown
  readonly nullable: boolean
  readonly sensitive: boolean
  readonly doc: string
  readonly definition: OptionDefinition
}

function schemaEntry(definition: OptionDefinition): SchemaEntry {
  return {
    format: formatName(definition.type),
    default: box(definition.default),
    nullable: definition.default === null,
    sensitive: definition.secret ?? false,
    doc: definition.doc,
    definition,
  }
}

/** convict takes an object for a group of options and a dot in its keys for a path; a Map it leaves alone. */
function box(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value
}

function unbox(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}

function describeProblems(
  { group, options }: ConfigFragment,
  given: ReadonlyMap<string, GivenValue>,
  properties: Readonly<Record<string, OptionValue>>,
): ConfigurationError | undefined {
  const problems = Object.entries(options).flatMap(([name, definition]) => {
    const value = properties[name]
    if (isAllowed(definition, value)) return []
    const where = given.get(name)?.where
    const shown = definition.secret ? 'its value (not shown)' : showValue(value)
    return [
      {
        option: `[${group}] ${name}`,
        text: `[${group}] ${name}${where === undefined ? '' : ` (${where})`} must be ${describeValues(definition)}; ${shown} is not`,
      },
    ]
  })
  const [first] = problems
  if (first === undefined) return undefined
  const text = problems.map((problem) => problem.text).join('\n')
  return new ConfigurationError(problems.length === 1 ? text : `${problems.length} options cannot be used:\n${text}`, {
    option: first.option,
  })
}

function showValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const [first = '', ...more] = value.split('\n')
  const shown = mayHoldSecret(first) ? 'a URL (not shown)' : JSON.stringify(first)
  return more.length === 0 ? shown : `${shown} with the indented lines that follow and therefore belong to it`
}
