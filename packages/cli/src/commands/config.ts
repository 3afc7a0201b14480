import type { Command } from 'commander'
import { loadConfig, type MessagingConfig } from '@oslo-messaging/core'
import type { EffectiveOption } from '@oslo-messaging/core/driver'
import { loggerOf, readConfiguration } from '../broker/connect.ts'
import { addConfigOptions } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { checkConfiguration } from '../config/check.ts'
import { readEffective, typeText, valueText } from '../config/effective.ts'
import { findGroups } from '../config/groups.ts'
import { jsonSchema, sampleText } from '../config/sample.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { suggest } from '../suggest.ts'
import { jsonLine, jsonText } from '../text/json.ts'
import { count, printable } from '../text/printable.ts'
import { fold, tableText } from '../text/table.ts'
import { UsageError } from '../usage-error.ts'

interface ConfigOptions {
  readonly configFile: readonly string[]
  readonly configDir: readonly string[]
  readonly json: boolean
}

export function define(command: Command, act: (action: Action) => void): void {
  command.description(
    'What is configured, where it comes from, and what could be. Asks no broker, and shows no secret.',
  )
  const json = (sub: Command): Command => sub.option('--json', 'print JSON, one object a line', false)
  json(addConfigOptions(command.command('effective')))
    .summary('values that are set, with their source')
    .description('Values that are set, each with the file and line, variable or query it comes from.')
    .option('--all', 'those that have their default as well', false)
    .action((options: ConfigOptions & { readonly all: boolean }) => act(async (io) => await effective(options, io)))
  json(addConfigOptions(command.command('validate')))
    .summary('whether all of it can be used')
    .description('Checks files, options, URLs and drivers. Exit code 3: something cannot be used; 4: only warnings.')
    .action((options: ConfigOptions) => act(async (io) => await validate(options, io)))
  command
    .command('sample')
    .summary('a commented service.conf of all options')
    .description(
      'A service.conf of all options of the library and the installed drivers, each commented out with its default.',
    )
    .argument('[group]', 'only this group')
    .action((group: string | undefined) => act(async (io) => await sample(group, io)))
  json(addConfigOptions(command.command('explain')))
    .summary('what an option does, takes and is set to')
    .description('What an option does, what it takes, its default, its value and where that is set.')
    .argument('<option>', 'name, or group.name')
    .action((name: string, options: ConfigOptions) => act(async (io) => await explain(name, options, io)))
  json(command.command('diff'))
    .summary('what two configurations set differently')
    .description('Options whose values differ between two files. Exit code 3: some do.')
    .argument('<one>', 'configuration file')
    .argument('<other>', 'configuration file')
    .action((one: string, other: string, options: { readonly json: boolean }) =>
      act(async (io) => await diff(one, other, options.json, io)),
    )
  command
    .command('schema')
    .summary('JSON schema of a YAML or JSON configuration')
    .description('JSON schema of a YAML or JSON configuration, for editors.')
    .action(() =>
      act(async (io) => {
        io.out(`${jsonText(jsonSchema((await findGroups(undefined, io)).groups), 2)}\n`)
        return EXIT.done
      }),
    )
}

async function effective(options: ConfigOptions & { readonly all: boolean }, io: Io): Promise<number> {
  const found = await optionsOf(await readConfiguration(options, io), io)
  const shown = found.filter(({ where }) => options.all || where !== null)
  if (options.json)
    io.out(shown.map(({ group, name, value, where }) => jsonLine({ group, name, value, where })).join(''))
  else if (shown.length === 0) io.out('Nothing is set: every option has its default (--all shows them)\n')
  else
    io.out(
      tableText([
        ['OPTION', 'VALUE', 'SET BY'],
        ...shown.map(({ group, name, value, where }) => [
          `[${group}] ${name}`,
          value === null ? '(unset)' : printable(valueText(value)),
          where === null ? 'default' : printable(where),
        ]),
      ]),
    )
  return EXIT.done
}

async function optionsOf(conf: MessagingConfig, io: Io): Promise<readonly EffectiveOption[]> {
  const { groups, problems } = await findGroups(conf, io)
  const read = readEffective(conf, groups)
  const [first] = [...problems, ...read.problems]
  if (first !== undefined) throw new Error(first.text)
  return read.options
}

async function validate(options: ConfigOptions, io: Io): Promise<number> {
  const checked = await checkConfiguration(options, io)
  const findings = [
    ...checked.warnings.map((text) => ({ severity: 'warning', text })),
    ...checked.errors.flatMap((text) => text.split('\n')).map((text) => ({ severity: 'error', text })),
  ]
  const warnings = checked.warnings.length
  const errors = findings.length - warnings
  if (options.json) io.out(findings.map(jsonLine).join(''))
  else {
    for (const { severity, text } of findings) io.out(`${severity}: ${printable(text)}\n`)
    io.out(
      findings.length === 0
        ? 'The configuration can be used\n'
        : `${count(errors, 'error')}, ${count(warnings, 'warning')}\n`,
    )
  }
  return errors > 0 ? EXIT.found : warnings > 0 ? EXIT.warned : EXIT.done
}

async function sample(group: string | undefined, io: Io): Promise<number> {
  const { groups } = await findGroups(undefined, io)
  const wanted = groups.filter(({ fragment }) => group === undefined || fragment.group === group)
  if (wanted.length === 0)
    throw new UsageError(
      `There is no group ${group}${meantOf(
        group ?? '',
        groups.map(({ fragment }) => fragment.group),
      )}`,
    )
  io.out(sampleText(wanted))
  return EXIT.done
}

async function explain(given: string, options: ConfigOptions, io: Io): Promise<number> {
  const all = await optionsOf(await readConfiguration(options, io), io)
  const [, group, name = given] = /^\[?([A-Za-z_]\w*)\]?[. ]+(\w+)$/.exec(given) ?? []
  const found = all.filter((each) => each.name === name && (group === undefined || each.group === group))
  if (found.length === 0)
    throw new UsageError(`There is no option ${given}${meantOf(name, [...new Set(all.map((each) => each.name))])}`)
  for (const each of found) io.out(options.json ? jsonLine(each) : explanation(each, io))
  return EXIT.done
}

function explanation({ group, name, value, where, definition }: EffectiveOption, io: Io): string {
  const { doc, default: usual, deprecated, deprecatedNames = [] } = definition
  const columns = Math.min(io.columns, 100)
  const rows = [
    ['takes', typeText(definition)],
    ['default', usual === null ? '(unset)' : valueText(usual)],
    ['value', value === null ? '(unset)' : printable(valueText(value))],
    ['set by', where === null ? 'nobody' : printable(where)],
    ...(deprecatedNames.length === 0
      ? []
      : [['old names', deprecatedNames.map((old) => `[${old.group ?? group}] ${old.name}`).join(', ')]]),
    ...(deprecated === undefined ? [] : [['deprecated', deprecated]]),
  ]
  return `[${group}] ${name}\n${fold(doc, columns, '  ')}\n${tableText(rows.map(([key = '', text = '']) => [`  ${key}`, text]))}`
}

async function diff(one: string, other: string, json: boolean, io: Io): Promise<number> {
  const [before, after] = await Promise.all(
    [one, other].map(
      async (file) => await optionsOf(await loadConfig({ files: [file], logger: loggerOf(false, io) }), io),
    ),
  )
  const key = ({ group, name }: EffectiveOption): string => `[${group}] ${name}`
  const others = new Map(after?.map((each) => [key(each), each]))
  const rows = (before ?? []).flatMap((each) => {
    const match = others.get(key(each))
    if (match === undefined) return []
    const [left, right] = [valueText(each.value), valueText(match.value)]
    return left === right ? [] : [{ option: key(each), one: left, other: right }]
  })
  if (json) io.out(rows.map(jsonLine).join(''))
  else if (rows.length === 0) io.out('They set the same\n')
  else
    io.out(
      tableText([
        ['OPTION', printable(one), printable(other)],
        ...rows.map((row) => [row.option, printable(row.one) || '(unset)', printable(row.other) || '(unset)']),
      ]),
    )
  return rows.length === 0 ? EXIT.done : EXIT.found
}

function meantOf(given: string, known: readonly string[]): string {
  const meant = suggest(given, known)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}
