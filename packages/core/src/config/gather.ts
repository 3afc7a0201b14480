import { ConfigurationError } from '../errors.ts'
import { CORE_FRAGMENTS } from './core-options.ts'
import { mayHoldSecret } from './mask.ts'
import type { ConfigFragment, OptionDefinition } from './option.ts'
import type { GivenValue } from './schema.ts'
import { type ConfigSource, entriesOf, type SourceEntry } from './source.ts'
import { suggest } from '../util/suggest.ts'
import { gatherValues } from './values.ts'

/** What the sources together give for a group, under the present names of its options. */
export type GatheredGroup = ReadonlyMap<string, GivenValue>

/** Finds every option of a group in the sources, of which a later one wins. Options of type multi collect the values of
 *  all files, as oslo does.
 *  Old names are read with a warning; in one source the present name wins. `$name` is replaced.
 *  Throws: ConfigurationError for a key that the group lacks, and for a reference to an option that is not set. */
export function gatherGroup(
  fragment: ConfigFragment,
  sources: readonly ConfigSource[],
  warn: (message: string) => void,
): GatheredGroup {
  for (const source of sources) checkKeys(fragment, source, warn)
  const gathered = new Map<string, GivenValue>()
  for (const [name, definition] of Object.entries(fragment.options)) {
    const entry = findEntry(fragment.group, name, definition, sources, warn)
    if (entry === undefined) continue
    if (definition.deprecated !== undefined) {
      warn(`[${fragment.group}] ${name} (${entry.where}) is deprecated: ${definition.deprecated}`)
    }
    const label = `[${fragment.group}] ${name}`
    const expansion = { label, secret: definition.secret ?? false, sources, visited: [`${fragment.group}.${name}`] }
    const values = entry.literal ? entry.values : entry.values.map((value) => expand(value, fragment.group, expansion))
    const named = definition.type === 'multi' ? values.filter((value) => value !== '') : values
    if (named.length < values.length) warn(`${label} (${entry.where}) is empty: it names nothing and is left out`)
    gathered.set(name, { where: entry.where, value: gatherValues(definition, named) })
  }
  return gathered
}

function findEntry(
  group: string,
  name: string,
  definition: OptionDefinition,
  sources: readonly ConfigSource[],
  warn: (message: string) => void,
): SourceEntry | undefined {
  const names = [{ group, name }, ...(definition.deprecatedNames ?? []).map((old) => ({ group, ...old }))]
  let found: SourceEntry | undefined
  for (const source of sources) {
    const entries = names.flatMap((place, index) => {
      const entry = entriesOf(source, place.group).get(place.name)
      if (entry === undefined) return []
      if (index > 0) {
        warn(`[${place.group}] ${place.name} (${entry.where}) is an old name; write [${group}] ${name} instead`)
      }
      return [entry]
    })
    const [first] = entries
    if (first === undefined) continue
    const accumulates = definition.type === 'multi' && source.accumulates === true
    const values = definition.type === 'multi' ? entries.toReversed().flatMap((entry) => entry.values) : first.values
    found = { ...first, where: first.where, values: accumulates ? [...(found?.values ?? []), ...values] : values }
  }
  return found
}

/** [DEFAULT] belongs to the service, too, so only what a program gives for it is checked. */
function checkKeys(fragment: ConfigFragment, source: ConfigSource, warn: (message: string) => void): void {
  const { group, options, removed = {} } = fragment
  for (const [name, entry] of entriesOf(source, group)) {
    if (Object.hasOwn(options, name)) continue
    const remedy = Object.hasOwn(removed, name) ? removed[name] : undefined
    if (remedy !== undefined) {
      warn(`[${group}] ${name} (${entry.where}) is no option any more: ${remedy}`)
      continue
    }
    if (group === 'DEFAULT' && !entry.literal) continue
    const isOldName = [fragment, ...CORE_FRAGMENTS].some((each) =>
      Object.values(each.options).some((definition) =>
        definition.deprecatedNames?.some((old) => old.name === name && (old.group ?? each.group) === group),
      ),
    )
    if (isOldName) continue
    const meant = suggest(name, Object.keys(options))
    throw new ConfigurationError(
      `[${group}] ${name} (${entry.where}) is no option of this group; ${meant === undefined ? 'remove it' : `did you mean ${meant}?`}`,
      { option: `[${group}] ${name}` },
    )
  }
}

interface Expansion {
  /** `[group] option` that is being read, and whether its value may be shown. */
  readonly label: string
  readonly secret: boolean
  readonly sources: readonly ConfigSource[]
  /** References on the way here. */
  readonly visited: readonly string[]
}

/** Replaces references in text, in lists of text, and in the texts they lead to. `group` is where a bare name is looked
 *  up first. */
function expand(value: unknown, group: string, expansion: Expansion): unknown {
  if (Array.isArray(value)) return value.map((item) => expand(item, group, expansion))
  if (typeof value !== 'string') return value
  const { label, secret, sources, visited } = expansion
  return substitute(value, (reference) => {
    const found = findReference(reference, group, sources)
    // The reference may be part of a password with an unescaped $.
    const shown = secret || mayHoldSecret(value) ? 'another option' : `$${reference}`
    const advice = 'write $$ for a dollar sign'
    if (found === undefined) {
      throw new ConfigurationError(`${label} refers to ${shown}, which is set nowhere; set it, or ${advice}`, {
        option: label,
      })
    }
    if (visited.includes(found.key)) {
      throw new ConfigurationError(
        `${label} refers to ${shown}, which leads back to itself; break the circle, or ${advice}`,
        {
          option: label,
        },
      )
    }
    const text = found.literal
      ? found.value
      : expand(found.value, found.group, { ...expansion, visited: [...visited, found.key] })
    return referredText(text)
  })
}

function referredText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(referredText).join(',')
  return value === null || value === undefined ? '' : JSON.stringify(value)
}

/** `name` is looked up in the option's own group and then in [DEFAULT], `group.name` in that group; values given before
 *  defaults. */
function findReference(
  reference: string,
  ownGroup: string,
  sources: readonly ConfigSource[],
): { readonly key: string; readonly group: string; readonly value: unknown; readonly literal: boolean } | undefined {
  const dot = reference.indexOf('.')
  const places =
    dot < 0
      ? [ownGroup, 'DEFAULT'].map((group) => ({ group, name: reference }))
      : [{ group: reference.slice(0, dot), name: reference.slice(dot + 1) }]
  for (const { group, name } of places) {
    const entry = sources.findLast((source) => entriesOf(source, group).has(name))
    const given = entry && entriesOf(entry, group).get(name)
    if (given !== undefined) {
      return { key: `${group}.${name}`, group, value: given.values.at(-1), literal: given.literal ?? false }
    }
    const fragment = CORE_FRAGMENTS.find((each) => each.group === group)
    const definition = fragment && Object.hasOwn(fragment.options, name) ? fragment.options[name] : undefined
    if (definition !== undefined) return { key: `${group}.${name}`, group, value: definition.default, literal: true }
  }
  return undefined
}

/** `\$`, `$$`, `$name`, `${name}`; a `$` before anything else stays. Names may have dots: `${group.name}`. */
const REFERENCE = /\\\$|\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi

/** Replaces references to other options, as oslo.config does. `lookUp` gives the text for a name. */
function substitute(text: string, lookUp: (name: string) => string): string {
  if (!text.includes('$')) return text
  return text.replace(REFERENCE, (_match, _dollar: string | undefined, bare?: string, braced?: string) => {
    const name = bare ?? braced
    return name === undefined ? '$' : lookUp(name)
  })
}
