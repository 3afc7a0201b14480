import { ConfigurationError } from '../errors.ts'
import type { GatheredGroup } from './gather.ts'
import type { ConfigFragment } from './option.ts'
import { suggest } from '../util/suggest.ts'
import { gatherValues, splitList } from './values.ts'

/** The values that a transport URL's query gives for a driver's options.
 *  Throws: ConfigurationError that names a key the group lacks, and the option probably meant. */
export function readQuery(fragment: ConfigFragment, query: Readonly<Record<string, string>>): GatheredGroup {
  return new Map(
    Object.entries(query).map(([name, text]) => {
      const definition = Object.hasOwn(fragment.options, name) ? fragment.options[name] : undefined
      if (definition === undefined) throw unknownKey(fragment, name)
      // Repeated keys were joined with commas when the URL was read.
      const values = definition.type === 'multi' ? splitList(text) : [text]
      return [name, { where: 'query of the transport URL', value: gatherValues(definition, values) }]
    }),
  )
}

function unknownKey({ group, options }: ConfigFragment, name: string): ConfigurationError {
  const renamed = Object.entries(options).find(([, { deprecatedNames = [] }]) =>
    deprecatedNames.some((old) => old.name === name),
  )?.[0]
  const meant = renamed ?? suggest(name, Object.keys(options))
  return new ConfigurationError(
    `The query of the transport URL has the key ${name}, which is no option of [${group}]; ${meant === undefined ? 'remove it' : `did you mean ${meant}?`}`,
    { option: `[${group}] ${name}` },
  )
}
