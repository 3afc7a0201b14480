import type { CoreOptions } from './core-options.ts'
import type { OptionValue } from './option.ts'

/** One option as one source has it, before conversion. Text is still unsubstituted. */
export interface SourceEntry {
  /** For people: `service.conf:12`. */
  readonly where: string
  /** All values, in order: a repeated key has several. Text from text sources, anything a JSON document may hold from
   *  the others. */
  readonly values: readonly unknown[]
  /** Programmatic values are taken literally: no `$name` in them. */
  readonly literal?: boolean
}

/** A file, the environment, the arguments or what the program gave. */
export interface ConfigSource {
  readonly name: string
  /** Values of options of type multi are added to those of the sources before, as with oslo's files; otherwise they
   *  replace them. */
  readonly accumulates?: boolean
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, SourceEntry>>
}

/** Values of one group of core, as a program gives them; text is converted. */
type GroupOverrides<Options> = { readonly [Name in keyof Options]?: Options[Name] | string | undefined }

/** Values by group and option, as a program gives them. Options of core are known to the compiler, those of drivers are
 *  checked when their driver is used. */
export type ConfigOverrides = {
  readonly [Group in keyof CoreOptions]?: GroupOverrides<CoreOptions[Group]> | undefined
} & {
  readonly [group: `oslo_messaging_${string}`]: Readonly<Record<string, OptionValue | undefined>> | undefined
}

/** Groups compare without regard to case, except DEFAULT. */
export function normalizeGroup(name: string): string {
  return name === 'DEFAULT' ? name : name.toLowerCase()
}

/** Entries of a group whichever way its name is capitalized. */
export function entriesOf(source: ConfigSource, group: string): ReadonlyMap<string, SourceEntry> {
  const exact = source.groups.get(group)
  if (exact !== undefined) return exact
  for (const [name, entries] of source.groups) if (normalizeGroup(name) === group) return entries
  return NO_ENTRIES
}

const NO_ENTRIES: ReadonlyMap<string, SourceEntry> = new Map()

/** A source from nested objects: a parsed document, or values given by the program. Absent values are left out. */
export function sourceFromObject(name: string, values: object, literal = false): ConfigSource {
  const groups = new Map<string, Map<string, SourceEntry>>()
  for (const [group, options] of Object.entries(values) as [string, unknown][]) {
    if (typeof options !== 'object' || options === null) continue
    const entries = Object.entries(options).filter(([, value]) => value !== undefined)
    groups.set(group, new Map(entries.map(([option, value]) => [option, { where: name, values: [value], literal }])))
  }
  return { name, groups }
}
