import { type Logger, silentLogger } from '../diagnostics/logger.ts'
import type { CoreOptions } from './core-options.ts'
import { readConfigFile } from './files.ts'
import { readArguments, readEnvironment } from './inputs.ts'
import { MessagingConfig } from './messaging-config.ts'
import { loadGroupChecker } from './schema.ts'
import { type ConfigOverrides, type ConfigSource, normalizeGroup, sourceFromObject } from './source.ts'
import { suggest } from './suggest.ts'

/** What `loadConfig` reads; everything may be left out. Rank, lowest first: defaults, `defaults`, `files` in order, `env`, `argv`, `overrides`,
 *  and above them all the query of the transport URL in use. */
export interface LoadConfigOptions {
  /** oslo.config INI files, or YAML or JSON by their ending. */
  readonly files?: string | readonly string[]
  /** `OS_<GROUP>__<OPTION>` variables, usually `process.env`. Nothing is read when it is left out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** `--<group>.<option>=value` arguments, usually `process.argv.slice(2)`. Other people can see the arguments of a process: keep passwords out of them. */
  readonly argv?: readonly string[]
  /** Values by group and option; taken as they are, without `$name` substitution. */
  readonly overrides?: ConfigOverrides
  /** Other defaults for `[DEFAULT]`; see `MessagingConfig.withDefaults`. */
  readonly defaults?: Partial<CoreOptions['DEFAULT']>
  /** Told about deprecated options and groups that are probably misspelt. */
  readonly logger?: Logger
}

const KNOWN_GROUPS = ['notifications', 'metrics', 'tracing', 'rabbit', 'amqp', 'kafka'].map(
  (name) => `oslo_messaging_${name}`,
)

/** Reads the configuration and checks the groups of core; those of drivers are checked when their driver is used, because a service.conf may hold groups
 *  of drivers that are not installed. Groups of others are left alone.
 *  Rejects: ConfigurationError that names the option or the line, and what would do. */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<MessagingConfig> {
  const files = typeof options.files === 'string' ? [options.files] : (options.files ?? [])
  const logger = options.logger ?? silentLogger
  const [check, ...fileSources] = await Promise.all([loadGroupChecker(), ...files.map(readConfigFile)])
  const sources = [
    ...fileSources,
    readEnvironment(options.env ?? {}),
    readArguments(options.argv ?? []),
    sourceFromObject('overrides', options.overrides ?? {}, true),
  ]
  for (const source of sources) warnAboutGroups(source, logger)
  return new MessagingConfig({ sources, defaults: options.defaults ?? {}, check, logger, warned: new Set() })
}

/** A driver of somebody else may have any group, so a name close to one of ours is only worth a warning. */
function warnAboutGroups(source: ConfigSource, logger: Logger): void {
  for (const group of source.groups.keys()) {
    const name = normalizeGroup(group)
    if (!name.startsWith('oslo_mes') || KNOWN_GROUPS.includes(name)) continue
    const ending = name.replace(/^oslo_messaging_/, '')
    const meant = suggest(
      ending,
      KNOWN_GROUPS.map((known) => known.replace('oslo_messaging_', '')),
    )
    if (meant !== undefined)
      logger.warn(`${source.name} has a group [${group}]; did you mean [oslo_messaging_${meant}]?`)
  }
}
