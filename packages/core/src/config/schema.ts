import { createRequire } from 'node:module'
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

/** Loads convict, which is not needed to import the library, and teaches it oslo's types. */
export async function loadGroupChecker(): Promise<GroupChecker> {
  const convict = await importConvict()
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

  return (fragment, given) => {
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
}

/** A bundler that writes modules (esbuild) leaves the `require` of CommonJS packages to a global one, which modules do
 *  not have, so convict finds one while it is loaded. */
async function importConvict() {
  const self = import.meta.url as string | undefined
  const scope = globalThis as { require?: NodeJS.Require }
  const isBundle = self !== undefined && !/[\\/]config[\\/]schema\.[jt]s(?:\?|$)/.test(self)
  if (!isBundle || scope.require !== undefined) return (await import('convict')).default
  scope.require = createRequire(self)
  try {
    return (await import('convict')).default
  } finally {
    delete scope.require
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
