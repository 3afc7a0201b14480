import { ADVICE, type Logger, useLogger } from '../diagnostics/logger.ts'
import { ConfigurationError } from '../errors.ts'
import { defaultConfig } from './core-options.ts'
import { readConfigFile } from './files.ts'
import { readArguments, readEnvironment } from './inputs.ts'
import type { LoadConfigOptions } from './load.ts'
import { MessagingConfig } from './messaging-config.ts'
import { loadGroupChecker } from './schema.ts'
import { type ConfigSource, entriesOf, normalizeGroup, sourceFromObject } from './source.ts'
import { suggest } from '../util/suggest.ts'

/** What `loadConfig` does. */
export async function assembleConfig(options: LoadConfigOptions): Promise<MessagingConfig> {
  const files = typeof options.files === 'string' ? [options.files] : (options.files ?? [])
  const logger = useLogger(options.logger)
  const [check, ...fileSources] = await Promise.all([loadGroupChecker(), ...files.map(readConfigFile)])
  const sources = [
    ...fileSources,
    readEnvironment(options.env ?? {}),
    readArguments(options.argv ?? []),
    sourceFromObject('overrides', options.overrides ?? {}, true),
  ]
  refuseGroups(Object.keys(options.overrides ?? {}))
  for (const source of sources) {
    warnAboutGroups(source, logger)
    warnAboutDefaults(source, logger)
  }
  return new MessagingConfig({ sources, defaults: options.defaults ?? {}, check, logger, warned: new Set() })
}

const KNOWN_GROUPS = ['notifications', 'metrics', 'tracing', 'nodejs', 'rabbit', 'amqp', 'kafka'].map(
  (name) => `oslo_messaging_${name}`,
)

/** Groups under which options once stood, and are still read. */
const OLD_GROUPS = ['rpc_notifier2', 'amqp1']

/** A program gives `overrides` for this library alone, so what nobody would read is a mistake. */
function refuseGroups(groups: readonly string[]): void {
  for (const group of groups) {
    const name = normalizeGroup(group)
    if (name === 'DEFAULT' || KNOWN_GROUPS.includes(name) || OLD_GROUPS.includes(name)) continue
    const meant =
      name === 'default' ? 'DEFAULT' : (KNOWN_GROUPS.find((known) => known.endsWith(`_${name}`)) ?? meantGroup(name))
    // A driver of somebody else has a group of that form, too.
    if (meant === undefined && name.startsWith('oslo_messaging_')) continue
    throw new ConfigurationError(
      `overrides has no group ${group}; ${meant === undefined ? 'it takes DEFAULT and groups such as oslo_messaging_notifications and oslo_messaging_rabbit' : `did you mean ${meant}?`}`,
      { option: `[${group}]` },
    )
  }
}

/** The group of ours that a misspelt name is close to. */
function meantGroup(name: string): string | undefined {
  const meant = suggest(
    name.replace(/^oslo_messaging_/, ''),
    KNOWN_GROUPS.map((known) => known.replace('oslo_messaging_', '')),
  )
  return meant === undefined ? undefined : `oslo_messaging_${meant}`
}

/** [DEFAULT] belongs to the service, too, so a name close to one of ours is only worth a warning. */
function warnAboutDefaults(source: ConfigSource, logger: Logger): void {
  const names = Object.keys(defaultConfig.options)
  for (const [name, { where }] of entriesOf(source, 'DEFAULT')) {
    const meant = names.includes(name) ? undefined : suggest(name, names, 2)
    if (meant !== undefined) logger.warn(`[DEFAULT] ${name} (${where}) is not read; did you mean ${meant}?`, ADVICE)
  }
}

/** A driver of somebody else may have any group, so a name close to one of ours is only worth a warning. */
function warnAboutGroups(source: ConfigSource, logger: Logger): void {
  for (const group of source.groups.keys()) {
    const name = normalizeGroup(group)
    if (!name.startsWith('oslo_mes') || KNOWN_GROUPS.includes(name)) continue
    const meant = meantGroup(name)
    if (meant !== undefined) logger.warn(`${source.name} has a group [${group}]; did you mean [${meant}]?`, ADVICE)
  }
}
