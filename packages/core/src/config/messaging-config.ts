import { inspect } from 'node:util'
import { ADVICE, type Logger } from '../diagnostics/logger.ts'
import { ConfigurationError } from '../errors.ts'
import { setInspection } from '../util/inspect.ts'
import { CORE_FRAGMENTS, type CoreOptions, defaultConfig } from './core-options.ts'
import { type GatheredGroup, gatherGroup } from './gather.ts'
import { maskOptions } from './mask.ts'
import type { ConfigFragment, EffectiveOption, OptionsOf, OptionValue, ResolvedOptions } from './option.ts'
import { readQuery } from './query.ts'
import type { GroupChecker } from './schema.ts'
import type { ConfigSource } from './source.ts'

/** What a MessagingConfig is made of; `loadConfig` puts it together. */
export interface ConfigParts {
  /** Lowest rank first. */
  readonly sources: readonly ConfigSource[]
  readonly defaults: Partial<CoreOptions['DEFAULT']>
  readonly check: GroupChecker
  readonly logger: Logger
  /** What was warned about already, shared by copies. */
  readonly warned: Set<string>
}

/** The deployment's configuration, merged and checked. Immutable. Made by `loadConfig`.
 *  Groups and options have oslo's names; times are in seconds. Printing it masks secrets. */
export class MessagingConfig {
  readonly #parts: ConfigParts
  readonly #core: ReadonlyMap<string, ResolvedOptions>

  constructor(parts: ConfigParts) {
    this.#parts = parts
    this.#core = new Map(CORE_FRAGMENTS.map((fragment) => [fragment.group, this.#check(fragment, new Map())]))
  }

  /** One option of a group that core owns. */
  get<G extends keyof CoreOptions, K extends keyof CoreOptions[G]>(group: G, option: K): CoreOptions[G][K] {
    const options = this.#core.get(group)
    if (options === undefined || !Object.hasOwn(options, option)) {
      throw new TypeError(
        `[${group}] ${String(option)} is not an option of core; use resolve() for the groups of drivers`,
      )
    }
    return (options as CoreOptions[G])[option]
  }

  /** The options of a driver's group, with the URL's query over everything else.
   *  Throws: ConfigurationError for a key that the group lacks (with a suggestion), in the query or in any source, and
   *  for a value that cannot be used. */
  resolve<const F extends ConfigFragment>(fragment: F, query: Readonly<Record<string, string>> = {}): OptionsOf<F> {
    return this.#check(fragment, readQuery(fragment, query)) as OptionsOf<F>
  }

  /** Every option of a group with its value, secrets masked, and where it was set; for tools. Throws like `resolve`. */
  explain(fragment: ConfigFragment, query: Readonly<Record<string, string>> = {}): readonly EffectiveOption[] {
    const given = readQuery(fragment, query)
    const values = maskOptions(fragment, this.#check(fragment, given))
    const gathered = gatherGroup(fragment, this.#parts.sources, () => {})
    const { group } = fragment
    return Object.entries(fragment.options).map(([name, definition]) => {
      const where = (given.get(name) ?? gathered.get(name))?.where ?? null
      return { group, name, value: values[name] ?? null, where, definition }
    })
  }

  /** A copy with other defaults for `[DEFAULT]`; what is configured still wins. `set_transport_defaults` in oslo:
   *  `conf.withDefaults({ control_exchange: 'nova' })`. */
  withDefaults(defaults: Partial<CoreOptions['DEFAULT']>): MessagingConfig {
    return new MessagingConfig({ ...this.#parts, defaults: { ...this.#parts.defaults, ...defaults } })
  }

  /** The groups of core, secrets masked. */
  toJSON(): Record<string, Record<string, OptionValue>> {
    return Object.fromEntries(
      CORE_FRAGMENTS.map((fragment) => [fragment.group, maskOptions(fragment, this.#core.get(fragment.group) ?? {})]),
    )
  }

  #check(declared: ConfigFragment, query: GatheredGroup): ResolvedOptions {
    const { sources, check } = this.#parts
    const fragment = declared.group === 'DEFAULT' ? withChangedDefaults(declared, this.#parts.defaults) : declared
    const gathered = gatherGroup(fragment, sources, (message) => this.#warnOnce(message))
    return check(fragment, new Map([...gathered, ...query]))
  }

  #warnOnce(message: string): void {
    if (this.#parts.warned.has(message)) return
    this.#parts.warned.add(message)
    this.#parts.logger.warn(message, ADVICE)
  }

  static {
    setInspection(MessagingConfig.prototype, (conf) => `MessagingConfig ${inspect(conf.toJSON(), { depth: 4 })}`)
  }
}

function withChangedDefaults(fragment: ConfigFragment, defaults: Partial<CoreOptions['DEFAULT']>): ConfigFragment {
  const changed = Object.entries(defaults).map(([name, value]) => {
    const definition = (defaultConfig as ConfigFragment).options[name]
    if (definition === undefined) {
      throw new ConfigurationError(`[DEFAULT] ${name} has no default to change: it is not an option of core`, {
        option: `[DEFAULT] ${name}`,
      })
    }
    return [name, { ...definition, default: value }] as const
  })
  return { ...fragment, options: { ...fragment.options, ...Object.fromEntries(changed) } }
}
