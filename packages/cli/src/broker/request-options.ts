import { type Command, Option } from 'commander'
import { addBrokerOptions, type BrokerOptions, repeatable, seconds, wholeNumber } from './options.ts'

/** What `call`, `cast` and `fanout` have in common. */
export interface RequestOptions extends BrokerOptions {
  readonly exchange?: string
  readonly namespace?: string
  readonly version?: string
  readonly server?: string
  readonly context?: string
  readonly header: readonly string[]
  readonly retry?: number
  readonly atLeastOnce: boolean
  readonly from?: string
  readonly concurrency: number
  readonly keepGoing: boolean
}

/** What the help says of words that make up arguments or a payload. */
export const ARGUMENTS = 'name=text, name:=JSON, or one JSON object'

/** Adds them. */
export function addRequestOptions(command: Command): Command {
  return addBrokerOptions(
    addManyOptions(
      command
        .argument('<topic>', 'topic of the servers')
        .argument('[method]', 'name of the method; left out: each line of --from names its own')
        .argument('[arguments...]', ARGUMENTS)
        .option('--namespace <name>', 'of the interface')
        .option('--version <major.minor>', 'of the interface; servers take it for 1.0 when it is left out')
        .option('--exchange <name>', 'instead of [DEFAULT] control_exchange')
        .option('--context <json>', 'request context')
        .addOption(repeatable('--header <name=value>', 'transport header, e.g. traceparent; may be repeated'))
        .option('--retry <n>', 'attempts after the first (default: until the time is over)', wholeNumber('--retry', 0))
        .option('--at-least-once', 'fail when no queue takes it', false),
      'an object {"method", "args", "context"}, or with METHOD its arguments',
    ),
    60,
    'each request',
  )
}

/** `--from` and what belongs to it. */
export function addManyOptions(command: Command, shape: string): Command {
  return command
    .option('--from <file>', `send one for each line of a file, - for stdin; a line is ${shape}`)
    .addOption(
      new Option('--concurrency <n>', 'lines that are under way at once')
        .argParser(wholeNumber('--concurrency'))
        .default(1),
    )
    .option('--keep-going', 'go on after a line that failed', false)
}

/** `--server`, for what goes to one. */
export function addServerOption(command: Command): Command {
  return command.option('--server <name>', 'this one alone; left out: any')
}

/** `--monitor`, in seconds. */
export function addMonitorOption(command: Command): Command {
  return command.option(
    '--monitor <seconds>',
    'give up when the server gives no sign of life for so long',
    seconds('--monitor'),
  )
}
