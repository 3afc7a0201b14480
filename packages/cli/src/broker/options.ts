import { type Command, Option } from 'commander'
import { UsageError } from '../usage-error.ts'

/** Where the brokers are and how the answer is printed: the same for every command that asks one. */
export interface BrokerOptions {
  readonly configFile: readonly string[]
  readonly configDir: readonly string[]
  readonly url?: string
  readonly notifyUrl?: string
  /** Seconds. */
  readonly timeout: number
  readonly json: boolean
  readonly debug: boolean
}

/** The longest a timer can wait. */
const MOST_SECONDS = 2_147_483

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** Adds them; `timeoutS` is the default of `--timeout`, and `timeoutOf` what it bounds. */
export function addBrokerOptions(command: Command, timeoutS: number, timeoutOf = 'the whole command'): Command {
  return addUrlOptions(addConfigOptions(command))
    .addOption(new Option('--timeout <seconds>', `for ${timeoutOf}`).argParser(seconds('--timeout')).default(timeoutS))
    .option('--json', 'print JSON, one object a line', false)
    .option('--debug', 'print what the library logs to stderr', false)
}

/** `--url` and `--notify-url`. */
export function addUrlOptions(command: Command): Command {
  const option = (flags: string, text: string): Option => new Option(flags, text).helpGroup('Where the broker is:')
  return command
    .addOption(
      option(
        '--url <url>',
        'instead of the configured transport_url; other users see arguments: rather use a file or OS_DEFAULT__TRANSPORT_URL',
      ),
    )
    .addOption(option('--notify-url <url>', 'the same for notifications; without it they use --url'))
}

/** `--config-file` and `--config-dir` alone. */
export function addConfigOptions(command: Command): Command {
  const heading = 'Where the broker is:'
  const none: readonly string[] = []
  return command
    .addOption(
      new Option('--config-file <file>', 'a service.conf, YAML or JSON; may be repeated')
        .argParser(collect)
        .default(none)
        .helpGroup(heading),
    )
    .addOption(
      new Option('--config-dir <folder>', 'every *.conf in it, by name, after the files')
        .argParser(collect)
        .default(none)
        .helpGroup(heading),
    )
}

/** For options that may be given several times. */
export function repeatable(flags: string, text: string): Option {
  const none: readonly string[] = []
  return new Option(flags, text).argParser(collect).default(none)
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(name: string, least = 1): (text: string) => number {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text)
    const range = least === 1 ? 'above 0' : `of at least ${least}`
    throw new UsageError(`${name} must be a whole number ${range}, not ${JSON.stringify(text)}`)
  }
}

/** Reads seconds above 0, fractions allowed. */
export function seconds(name: string, least = 0): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
    if ((value > 0 || least < 0) && value >= least && value <= MOST_SECONDS) return value
    const from = least < 0 ? '0' : 'above 0'
    throw new UsageError(`${name} must be seconds from ${from} to ${MOST_SECONDS}, not ${JSON.stringify(text)}`)
  }
}
