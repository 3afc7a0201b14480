import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ConfigurationError,
  type DriverSource,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  type Logger,
  type MessagingConfig,
  type Transport,
} from '@oslo-messaging/core'
import type { Io } from '../io.ts'
import { printable } from '../text/printable.ts'
import type { BrokerOptions } from './options.ts'

/** A command that has ended leaves the queue of its replies to the broker, and nobody should find it among the orphans
 *  for the half hour that a service's is kept. */
export const PASSING: Overrides = { oslo_messaging_rabbit: { rabbit_transient_queues_ttl: 60 } }

/** Somebody at a terminal hears after so long why nothing has happened yet. */
const SILENCE_MS = 3000

/** How long a transport may take to close when the command is done. */
const CLOSE_MS = 5000

/** Values by group and option, over those of files and variables. */
type Overrides = Readonly<Record<string, Readonly<Record<string, string | number>>>>

/** The URLs of the command line as a configuration has them. */
export function urlsAsOptions({ url, notifyUrl = url }: Pick<BrokerOptions, 'url' | 'notifyUrl'>): Overrides {
  return {
    ...(url === undefined ? {} : { DEFAULT: { transport_url: url } }),
    ...(notifyUrl === undefined ? {} : { oslo_messaging_notifications: { transport_url: notifyUrl } }),
  }
}

/** The configuration that the options name. */
export async function readConfiguration(
  options: Pick<BrokerOptions, 'configFile' | 'configDir'> & { readonly debug?: boolean },
  io: Io,
  overrides: Overrides = {},
): Promise<MessagingConfig> {
  const folders = await Promise.all(options.configDir.map(filesOf))
  return await loadConfig({
    files: [...options.configFile, ...folders.flat()],
    env: io.env,
    overrides,
    logger: loggerOf(options.debug === true, io),
  })
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => name.endsWith('.conf'))
      .toSorted()
      .map((name) => join(folder, name))
  } catch (cause) {
    throw new ConfigurationError(
      `The folder ${folder} of --config-dir cannot be read; check its path and permissions`,
      {
        cause,
      },
    )
  }
}

/** Opens the transport for RPC, uses it and closes it. */
export async function withRpc<T>(
  options: BrokerOptions,
  io: Io,
  use: (transport: Transport) => Promise<T>,
): Promise<T> {
  const conf = await readConfiguration(options, io, PASSING)
  return await closing(await getRpcTransport(conf, { url: options.url, ...openingOptions(options, io) }), io, use)
}

/** Opens the transport for notifications, uses it and closes it. */
export async function withNotifications<T>(
  options: BrokerOptions,
  io: Io,
  use: (transport: Transport) => Promise<T>,
): Promise<T> {
  const conf = await readConfiguration(options, io)
  const url = options.notifyUrl ?? options.url
  return await closing(await getNotificationTransport(conf, { url, ...openingOptions(options, io) }), io, use)
}

async function closing<T>(transport: Transport, io: Io, use: (transport: Transport) => Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    const reason = transport.health().components.find((each) => each.reason !== undefined)?.reason
    if (io.isTerminal && reason !== undefined) io.err(`oslo-msg: still trying: ${printable(reason)}\n`)
  }, SILENCE_MS)
  try {
    return await use(transport)
  } finally {
    clearTimeout(timer)
    await transport.close({ timeoutMs: CLOSE_MS })
  }
}

/** Whether a transport URL is of the driver that leaves durable queues behind; it has an older name as well. */
export function isRabbit(url: string): boolean {
  return /^(?:rabbit|kombu)\b/.test(url)
}

/** What every command opens transports and administrations with. */
export interface Opening {
  readonly registry: DriverSource | undefined
  /** Names the connection for the broker. */
  readonly program: string
  readonly logger: Logger
}

/** The drivers that the program was given, and a logger that minds `--debug`. */
export function openingOptions({ debug }: Pick<BrokerOptions, 'debug'>, io: Io, program = 'oslo-msg'): Opening {
  return { registry: io.registry, program, logger: loggerOf(debug, io) }
}

/** Advice for whoever sets things up is always shown, the rest with `--debug`. */
export function loggerOf(debug: boolean, io: Io): Logger {
  const told = new Set<string>()
  const at =
    (level: string) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (!debug && (fields?.['advice'] !== true || told.has(message))) return
      told.add(message)
      const error = fields?.['error']
      const cause = error instanceof Error && !message.includes(error.message) ? `: ${error.message}` : ''
      io.err(`oslo-msg: ${level}: ${printable(message + cause)}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warning'), error: at('error') }
}
