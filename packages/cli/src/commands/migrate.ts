import type { Command } from 'commander'
import { loadConfig, planMigration } from '@oslo-messaging/core'
import { loggerOf } from '../broker/connect.ts'
import type { Action } from '../command.ts'
import { registryOf } from '../config/groups.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { printable } from '../text/printable.ts'
import { fold, tableText } from '../text/table.ts'
import { UsageError } from '../usage-error.ts'

type MigrationPlan = Awaited<ReturnType<typeof planMigration>>

interface MigrateOptions {
  readonly plan: boolean
  readonly notifications: boolean
  readonly json: boolean
}

export function define(command: Command, act: (action: Action) => void): void {
  command
    .description(
      'What it takes to get a deployment from one configuration to another without losing a message. Asks no broker, and changes nothing. Exit code 3: services with the one cannot be beside those with the other.',
    )
    .argument('<old>', 'configuration file of today')
    .argument('<new>', 'configuration file of tomorrow')
    .option('--plan', 'print the plan; the steps are yours to take', false)
    .option('--notifications', 'of the broker of [oslo_messaging_notifications]', false)
    .option('--json', 'print JSON, one object a line', false)
    .action((before: string, after: string, options: MigrateOptions) =>
      act(async (io) => await migrate(before, after, options, io)),
    )
}

async function migrate(before: string, after: string, options: MigrateOptions, io: Io): Promise<number> {
  if (!options.plan) throw new UsageError('migrate only says what to do: give --plan')
  // Each file alone: variables of the environment would be over both of them, and hide what differs.
  const [from, to] = [await readOne(before, io), await readOne(after, io)]
  const plan = await planMigration(from, to, {
    section: options.notifications ? 'notifications' : 'default',
    registry: await registryOf(io),
  })
  io.out(options.json ? jsonLine(plan) : planText(plan, Math.min(io.columns, 100)))
  return plan.kind === 'move' ? EXIT.found : EXIT.done
}

async function readOne(file: string, io: Io) {
  return await loadConfig({ files: [file], logger: loggerOf(false, io) })
}

function planText({ kind, summary, changes, steps }: MigrationPlan, columns: number): string {
  const parts = [`${fold(`${kind}: ${printable(summary)}`, columns)}\n`]
  if (changes.length > 0) {
    const rows = changes.map(({ what, before, after, effect }) => [what, before, after, effect].map(printable))
    const table = tableText([['WHAT', 'BEFORE', 'AFTER', 'EFFECT'], ...rows])
    const isWide = table.split('\n').some((line) => line.length > columns)
    parts.push(isWide ? rows.map((row) => stacked(row, columns)).join('') : table)
  }
  for (const [index, { title, what, commands, until }] of steps.entries())
    parts.push(
      [
        fold(`${index + 1}. ${printable(title)}`, columns),
        fold(printable(what), columns, '   '),
        ...commands.map((each) => `     ${printable(each)}`),
        `${fold(`Until: ${printable(until)}`, columns, '   ')}\n`,
      ].join('\n'),
    )
  return parts.join('\n')
}

/** One change on lines of its own, where the table is wider than the screen. */
function stacked([what = '', before = '', after = '', effect = '']: readonly string[], columns: number): string {
  return `${fold(`${what} (${effect})`, columns)}\n${fold(`from ${before}`, columns, '    ')}\n${fold(`to ${after}`, columns, '    ')}\n`
}
