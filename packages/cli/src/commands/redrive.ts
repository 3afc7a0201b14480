import type { Command } from 'commander'
import { addBrokerOptions, type BrokerOptions, wholeNumber } from '../broker/options.ts'
import { openAdmin } from '../broker/admin.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { redriveText } from '../print.ts'
import { jsonLine } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

interface RedriveOptions extends BrokerOptions {
  readonly notifications: boolean
  readonly limit?: number
  readonly to?: string
  readonly dryRun: boolean
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(command, 600)
    .description(
      "Returns dead letters to where they failed. NAME is the queue, topic or address of the listener, or the dead-letter queue itself, by the broker's own name.",
    )
    .argument('<name>', 'queue, topic or address')
    .option(
      '--limit <n>',
      'at most so many letters (default: all that are there when it begins)',
      wholeNumber('--limit'),
    )
    .option('--to <name>', 'everything goes there; needed for letters that do not say where they came from')
    .option('--dry-run', 'only say what would be moved', false)
    .option('--notifications', 'the broker of [oslo_messaging_notifications]', false)
    .action((name: string, options: RedriveOptions) => act(async (io) => await redrive(name, options, io)))
}

async function redrive(source: string, options: RedriveOptions, io: Io): Promise<number> {
  const { to = null, limit = null, dryRun } = options
  if (source === '') throw new UsageError('redrive needs the name of a queue, topic or address')
  if (to === '') throw new UsageError('--to needs a name')
  const admin = await openAdmin(options, io)
  try {
    const report = await admin.redrive(source, {
      to,
      limit,
      dryRun,
      timeoutMs: options.timeout * 1000,
      signal: io.signal,
    })
    io.out(options.json ? jsonLine(report) : redriveText(report, dryRun))
    return EXIT.done
  } finally {
    await admin.close()
  }
}
