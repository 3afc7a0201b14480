import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The command line cannot be understood: what is wrong, for exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Where the broker is and how the answer is printed: the same for every command. */
export interface CommonArguments {
  readonly configFiles: readonly string[]
  /** null: the one of the configuration. */
  readonly url: string | null
  /** Take the URL of notifications. */
  readonly notifications: boolean
  readonly timeoutMs: number
  readonly json: boolean
}

export interface RedriveArguments extends CommonArguments {
  readonly command: 'redrive'
  readonly source: string
  readonly to: string | null
  readonly limit: number | null
  readonly dryRun: boolean
}

export interface QueuesArguments extends CommonArguments {
  readonly command: 'queues'
  readonly orphansOnly: boolean
  /** Exit code 1 when there are orphans. */
  readonly fail: boolean
  readonly management: string | null
}

/** What was asked for. */
export type Arguments =
  | RedriveArguments
  | QueuesArguments
  | { readonly command: 'help' }
  | { readonly command: 'version' }

const COMMON = {
  'config-file': { type: 'string', multiple: true },
  url: { type: 'string' },
  notifications: { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options']

const REDRIVE = {
  ...COMMON,
  limit: { type: 'string' },
  to: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const satisfies ParseArgsConfig['options']

const QUEUES = {
  ...COMMON,
  orphans: { type: 'boolean' },
  fail: { type: 'boolean' },
  management: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

/** Seconds a whole command may take when nothing is said. */
export const DEFAULT_TIMEOUT_S = { redrive: 600, queues: 60 } as const
/** The longest a timer can wait. */
const MOST_SECONDS = 2_147_483

/** Throws UsageError. */
export function readArguments(argv: readonly string[]): Arguments {
  const [command, ...rest] = argv
  if (argv.includes('--help') || argv.includes('-h') || command === 'help') return { command: 'help' }
  if (argv.includes('--version') || argv.includes('-V')) return { command: 'version' }
  if (command === 'redrive') return readRedrive(rest)
  if (command === 'queues') return readQueues(rest)
  if (command === undefined) throw new UsageError('Which command? redrive or queues')
  throw new UsageError(
    command.startsWith('-')
      ? `The command comes first: oslo-msg redrive or oslo-msg queues, then ${command}`
      : `There is no command ${command}: redrive or queues`,
  )
}

function readRedrive(argv: readonly string[]): RedriveArguments {
  const { values, positionals } = parse(argv, REDRIVE)
  const [source, ...more] = positionals
  if (source === undefined || source === '') throw new UsageError('redrive needs the name of a queue, topic or address')
  if (more.length > 0) throw new UsageError(`redrive takes one name; ${more.join(' ')} is too much`)
  if (values.to === '') throw new UsageError('--to needs a name')
  return {
    command: 'redrive',
    source,
    to: values.to ?? null,
    limit: values.limit === undefined ? null : wholeNumber('--limit', values.limit),
    dryRun: values['dry-run'] ?? false,
    ...common(values, DEFAULT_TIMEOUT_S.redrive),
  }
}

function readQueues(argv: readonly string[]): QueuesArguments {
  const { values, positionals } = parse(argv, QUEUES)
  if (positionals.length > 0) throw new UsageError(`queues takes no names; ${positionals.join(' ')} is too much`)
  const { orphans = false, fail = false, management = null } = values
  if (fail && !orphans) throw new UsageError('--fail says what orphans mean for the exit code: give --orphans as well')
  return { command: 'queues', orphansOnly: orphans, fail, management, ...common(values, DEFAULT_TIMEOUT_S.queues) }
}

interface CommonValues {
  readonly 'config-file'?: string[] | undefined
  readonly url?: string | undefined
  readonly notifications?: boolean | undefined
  readonly timeout?: string | undefined
  readonly json?: boolean | undefined
}

function common(values: CommonValues, defaultSeconds: number): CommonArguments {
  const { url = null, notifications = false, json = false, timeout } = values
  if (url !== null && notifications)
    throw new UsageError('--url names the broker, --notifications takes it from the configuration: give one of them')
  return {
    configFiles: values['config-file'] ?? [],
    url,
    notifications,
    json,
    timeoutMs: (timeout === undefined ? defaultSeconds : seconds(timeout)) * 1000,
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(`${name} must be a whole number above 0, not ${JSON.stringify(text)}`)
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value <= MOST_SECONDS) return value
  throw new UsageError(`--timeout must be seconds from above 0 to ${MOST_SECONDS}, not ${JSON.stringify(text)}`)
}

function parse<T extends NonNullable<ParseArgsConfig['options']>>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message)
  }
}
