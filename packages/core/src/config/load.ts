import type { Logger } from '../diagnostics/logger.ts'
import { checkList, checkMethods, checkNames, checkOptions, type OptionNames } from '../util/check.ts'
import { assembleConfig } from './assemble-config.ts'
import type { CoreOptions } from './core-options.ts'
import type { MessagingConfig } from './messaging-config.ts'
import type { ConfigOverrides } from './source.ts'

/** What `loadConfig` reads; everything may be left out. Rank, lowest first: defaults, `defaults`, `files` in order,
 *  `env`, `argv`, `overrides`, and above them all the query of the transport URL in use. */
export interface LoadConfigOptions {
  /** oslo.config INI files, or YAML or JSON by their ending. */
  readonly files?: string | readonly string[] | undefined
  /** `OS_<GROUP>__<OPTION>` variables, usually `process.env`. Nothing is read when it is left out. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** `--<group>.<option>=value` arguments, usually `process.argv.slice(2)`. Other people can see the arguments of a
   *  process: keep passwords out of them.
   *  Arguments of other forms are the program's own: give the values of its `--config-file` as `files`. */
  readonly argv?: readonly string[] | undefined
  /** Values by group and option; taken as they are, without `$name` substitution. */
  readonly overrides?: ConfigOverrides | undefined
  /** Other defaults for `[DEFAULT]`; see `MessagingConfig.withDefaults`. */
  readonly defaults?: Partial<CoreOptions['DEFAULT']> | undefined
  /** Told about deprecated options, and about groups and options of [DEFAULT] that are probably misspelt. */
  readonly logger?: Logger | undefined
}

const OPTIONS: OptionNames<LoadConfigOptions> = {
  files: true,
  env: true,
  argv: true,
  overrides: true,
  defaults: true,
  logger: true,
}

/** Reads the configuration and checks the groups of core; those of drivers are checked when their driver is used,
 *  because a service.conf may hold groups of drivers that are not installed. Groups of others are left alone.
 *  Rejects: ConfigurationError that names the option or the line, and what would do; TypeError for options of this
 *  function that it cannot take. */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<MessagingConfig> {
  checkOptions('loadConfig', options, OPTIONS)
  if (typeof options.files !== 'string') checkNames('files', options.files ?? [], "['service.conf']")
  checkList('argv', options.argv ?? [], 'process.argv.slice(2)')
  checkOptions('env', options.env)
  checkMethods('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  for (const name of ['overrides', 'defaults'] as const) checkOptions(name, options[name])
  for (const [group, values] of Object.entries(options.overrides ?? {})) checkOptions(`overrides.${group}`, values)
  return await assembleConfig(options)
}
