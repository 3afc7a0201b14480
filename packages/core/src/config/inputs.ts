import { ConfigurationError } from '../errors.ts'
import type { ConfigSource, SourceEntry } from './source.ts'

/** `OS_<GROUP>__<OPTION>` variables, e.g. `OS_DEFAULT__TRANSPORT_URL` and `OS_OSLO_MESSAGING_RABBIT__SSL`. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): ConfigSource {
  const groups = new Map<string, Map<string, SourceEntry>>()
  for (const [name, value] of Object.entries(env)) {
    const [, group, option] = /^OS_(.+?)__(.+)$/.exec(name) ?? []
    if (group === undefined || option === undefined || value === undefined) continue
    addValue(
      groups,
      group === 'DEFAULT' ? group : group.toLowerCase(),
      option.toLowerCase(),
      value,
      `environment ${name}`,
    )
  }
  return { name: 'environment', groups }
}

/** `--<group>.<option>=value` or `--<group>.<option> value` for DEFAULT and the `oslo_messaging_*` groups; repeated for
 *  several values.
 *  Everything else is the program's own and left alone, and so is all that follows `--`. */
export function readArguments(argv: readonly string[]): ConfigSource {
  const groups = new Map<string, Map<string, SourceEntry>>()
  for (let index = 0; index < argv.length && argv[index] !== '--'; index += 1) {
    const [, group, option, inline] =
      /^--(DEFAULT|oslo_messaging_[a-z0-9_]+)\.([a-z0-9_]+)(?:=([^]*))?$/.exec(argv[index] ?? '') ?? []
    if (group === undefined || option === undefined) continue
    const value = inline ?? argv[index + 1]
    if (value === undefined || (inline === undefined && value.startsWith('--'))) {
      throw new ConfigurationError(`The argument --${group}.${option} has no value; write --${group}.${option}=value`, {
        option: `[${group}] ${option}`,
      })
    }
    if (inline === undefined) index += 1
    addValue(groups, group, option, value, `argument --${group}.${option}`)
  }
  return { name: 'arguments', groups }
}

function addValue(
  groups: Map<string, Map<string, SourceEntry>>,
  group: string,
  option: string,
  value: string,
  where: string,
): void {
  const entries = groups.get(group) ?? new Map<string, SourceEntry>()
  entries.set(option, { where, values: [...(entries.get(option)?.values ?? []), value] })
  groups.set(group, entries)
}
