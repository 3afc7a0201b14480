import { parseArgs } from 'node:util'

import type { BrokerName } from '../broker.ts'

export const USAGE = `npm run brokers -- <command>

  up [names] [--rpc BUS] [--notify BUS] [--version NAME=VERSION] [--conf FILE]
            start brokers on 127.0.0.1 and leave them running; names: rabbit kafka artemis broker-j nats redis
            (default: rabbit kafka)
            with --rpc or --notify also write a service.conf (default .brokers/service.conf)
            --rpc rabbit|amqp|nats|redis (default rabbit), --notify kafka|rabbit|amqp|nats|redis (default kafka)
  down [names]    stop them and remove their data
  status          what runs, and whether it answers
  env             lines for a shell: eval "$(npm run --silent brokers -- env)"
  fetch [names]   only fill the cache
`

/** DevStack's words for a bus, and the broker that serves it here. */
const BUSES: Readonly<Record<string, BrokerName>> = {
  rabbit: 'rabbit',
  amqp: 'artemis',
  kafka: 'kafka',
  nats: 'nats',
  redis: 'redis',
}

type Command = 'up' | 'down' | 'status' | 'env' | 'fetch' | 'help'

export interface Arguments {
  readonly command: Command
  readonly names: readonly BrokerName[]
  readonly versions: Readonly<Partial<Record<BrokerName, string>>>
  readonly rpc: BrokerName | undefined
  readonly notify: BrokerName | undefined
  readonly conf: string | undefined
}

/** A command line that cannot be followed; the message says what would do. */
export class UsageError extends Error {}

/** Throws UsageError. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv)
  const [command = 'help', ...rest] = positionals
  if (!isCommand(command)) throw new UsageError(`No command ${command}\n\n${USAGE}`)
  const versions: Partial<Record<BrokerName, string>> = {}
  for (const text of values.version ?? []) {
    const [name = '', version = ''] = text.split('=')
    if (version === '') throw new UsageError(`--version wants NAME=VERSION, rabbit=4.0 for example, not ${text}`)
    versions[brokerName(name)] = version
  }
  return {
    command: values.help === true ? 'help' : command,
    names: rest.map(brokerName),
    versions,
    rpc: values.rpc === undefined ? undefined : bus('--rpc', values.rpc, ['rabbit', 'amqp', 'nats', 'redis']),
    notify:
      values.notify === undefined
        ? undefined
        : bus('--notify', values.notify, ['kafka', 'rabbit', 'amqp', 'nats', 'redis']),
    conf: values.conf,
  }
}

interface Values {
  rpc?: string
  notify?: string
  version?: string[]
  conf?: string
  help?: boolean
}

function parse(argv: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rpc: { type: 'string' },
        notify: { type: 'string' },
        version: { type: 'string', multiple: true },
        conf: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, { cause: error })
  }
}

function isCommand(text: string): text is Command {
  return ['up', 'down', 'status', 'env', 'fetch', 'help'].includes(text)
}

function brokerName(text: string): BrokerName {
  const name = BUSES[text] ?? (text === 'artemis' || text === 'broker-j' ? text : undefined)
  if (name === undefined) throw new UsageError(`No broker ${text}: say rabbit, kafka, artemis, broker-j, nats or redis`)
  return name
}

function bus(option: string, text: string, allowed: readonly string[]): BrokerName {
  const name = BUSES[text]
  if (name === undefined || !allowed.includes(text)) {
    const why = option === '--rpc' && text === 'kafka' ? ' (Kafka carries notifications only)' : ''
    throw new UsageError(`${option} ${text}: say ${allowed.join(', ')}${why}`)
  }
  return name
}
