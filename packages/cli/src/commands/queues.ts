import type { Command } from 'commander'
import { openAdmin } from '../broker/admin.ts'
import { addBrokerOptions, type BrokerOptions } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { queuesText } from '../print.ts'
import { jsonLine } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

interface QueuesOptions extends BrokerOptions {
  readonly notifications: boolean
  readonly orphans: boolean
  readonly fail: boolean
  readonly management?: string
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(command, 60)
    .description('Lists the queues of the virtual host: messages, bytes, consumers, and which of them nobody reads.')
    .option('--orphans', 'only those nobody reads, with the reason', false)
    .option('--fail', 'exit with 3 when there is one', false)
    .option(
      '--management <url>',
      'where the management interface is (RabbitMQ: port 15672 of the broker, 15671 with TLS)',
    )
    .option('--notifications', 'the broker of [oslo_messaging_notifications]', false)
    .action((options: QueuesOptions) => act(async (io) => await list(options, io)))
}

async function list(options: QueuesOptions, io: Io): Promise<number> {
  const { orphans: orphansOnly, fail, management = null, json } = options
  if (fail && !orphansOnly)
    throw new UsageError('--fail says what orphans mean for the exit code: give --orphans as well')
  const admin = await openAdmin(options, io)
  try {
    const queues = await admin.queues({ management, timeoutMs: options.timeout * 1000, signal: io.signal })
    const shown = orphansOnly ? queues.filter(({ orphan }) => orphan) : queues
    io.out(json ? shown.map(jsonLine).join('') : queuesText(queues, orphansOnly))
    return fail && queues.some(({ orphan }) => orphan) ? EXIT.found : EXIT.done
  } finally {
    await admin.close()
  }
}
