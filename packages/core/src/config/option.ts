/** How an option is written in oslo's terms. `list` is comma separated, `multi` is repeated, `dict` is `key:value`
 *  pairs separated by commas. */
export type OptionType = 'string' | 'integer' | 'float' | 'boolean' | 'list' | 'multi' | 'dict'

/** What an option can hold after conversion; null: unset. */
export type OptionValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>> | null

/** One option, as data. Name and unit are oslo's; seconds stay seconds here and become milliseconds once, where the
 *  driver reads them. */
export interface OptionDefinition {
  readonly type: OptionType
  /** null: unset. */
  readonly default: OptionValue
  /** What it does, for the generated docs: one or two sentences with the unit and the advice. */
  readonly doc: string
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** Masked wherever it is printed. */
  readonly secret?: boolean
  readonly unit?: 'seconds' | 'bytes' | 'messages'
  /** Names that are still read, with one warning that gives the new name. `group` defaults to the option's own. */
  readonly deprecatedNames?: readonly { readonly group?: string; readonly name: string }[]
  /** Set when the option itself is on its way out: why, and what to use. One warning when it is set. */
  readonly deprecated?: string
}

/** A group of options, contributed by core or by a driver. */
export interface ConfigFragment {
  /** `oslo_messaging_rabbit`. */
  readonly group: string
  readonly options: Readonly<Record<string, OptionDefinition>>
  /** Options that oslo once had and that old files still hold: name to what to do. Each is passed over with one
   *  warning. */
  readonly removed?: Readonly<Record<string, string>>
}

/** A group after merging and checking: every option of the fragment is present. */
export type ResolvedOptions = Readonly<Record<string, OptionValue>>

/** One option as it is in force. */
export interface EffectiveOption {
  readonly group: string
  readonly name: string
  /** After merging and conversion; secrets are masked. */
  readonly value: OptionValue
  /** Where it was set, for people: `service.conf:12`. null: it has its default. */
  readonly where: string | null
  readonly definition: OptionDefinition
}

type ValueOfType = {
  string: string
  integer: number
  float: number
  boolean: boolean
  list: readonly string[]
  multi: readonly string[]
  dict: Readonly<Record<string, string>>
}

/** The typed values of a fragment declared `as const satisfies ConfigFragment`; options whose default is null may be
 *  null. */
export type OptionsOf<F extends ConfigFragment> = {
  readonly [K in keyof F['options']]: F['options'][K] extends {
    readonly type: infer T extends OptionType
    readonly default: infer D
  }
    ? D extends null
      ? ValueOfType[T] | null
      : ValueOfType[T]
    : never
}
