import { type BrokerAdmin, type DriverSource, loadConfig, openBrokerAdmin } from '@oslo-messaging/core'
import { type Arguments, readArguments, UsageError } from './arguments.ts'
import { HELP, version } from './help.ts'
import { printable, queuesText, redriveText } from './print.ts'

/** What the program is given besides its arguments. */
export interface RunOptions {
  /** Takes what goes to stdout. */
  readonly out: (text: string) => void
  /** Takes what goes to stderr. */
  readonly err: (text: string) => void
  /** Where `OS_<GROUP>__<OPTION>` is looked up. Default: nowhere. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Ends the command early. */
  readonly signal?: AbortSignal
  /** Where drivers come from. Default: installed packages, by the scheme of the URL. */
  readonly registry?: DriverSource
}

const DONE = 0
const FAILED = 1
const WRONG_USAGE = 2

/** Runs one command. Resolves with the exit code: 0 done, 1 failed, 2 wrong usage; what went wrong is one line for `err`. Never rejects. */
export async function run(argv: readonly string[], options: RunOptions): Promise<number> {
  try {
    return await execute(readArguments(argv), options)
  } catch (error) {
    const text = printable(error instanceof Error ? error.message : String(error))
    const isUsage = error instanceof UsageError
    options.err(`oslo-msg: ${text}${isUsage ? ' (oslo-msg --help)' : ''}\n`)
    return isUsage ? WRONG_USAGE : FAILED
  }
}

async function execute(args: Arguments, options: RunOptions): Promise<number> {
  if (args.command === 'help') options.out(HELP)
  else if (args.command === 'version') options.out(`${version()}\n`)
  else return await administer(args, options)
  return DONE
}

type BrokerArguments = Exclude<Arguments, { readonly command: 'help' | 'version' }>

async function administer(args: BrokerArguments, { out, env, signal, registry }: RunOptions): Promise<number> {
  const conf = await loadConfig({ files: args.configFiles, ...(env === undefined ? {} : { env }) })
  const admin = await openBrokerAdmin(conf, {
    url: args.url,
    section: args.notifications ? 'notifications' : 'default',
    registry,
    program: 'oslo-msg',
  })
  try {
    return await ask(admin, args, signal, out)
  } finally {
    await admin.close()
  }
}

async function ask(
  admin: BrokerAdmin,
  args: BrokerArguments,
  signal: AbortSignal | undefined,
  out: (text: string) => void,
): Promise<number> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  const { timeoutMs } = args
  if (args.command === 'redrive') {
    const { source, to, limit, dryRun } = args
    const report = await admin.redrive(source, { to, limit, dryRun, timeoutMs, signal })
    out(args.json ? json(report) : redriveText(report, dryRun))
    return DONE
  }
  const { management, orphansOnly, fail } = args
  const queues = await admin.queues({ management, timeoutMs, signal })
  out(args.json ? json(orphansOnly ? queues.filter(({ orphan }) => orphan) : queues) : queuesText(queues, orphansOnly))
  return fail && queues.some(({ orphan }) => orphan) ? FAILED : DONE
}
