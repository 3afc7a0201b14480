import type { ResolvedOptions } from '../config/option.ts'
import { basename, extname } from 'node:path'
import { type Logger, useLogger } from '../diagnostics/logger.ts'
import type { CredentialsProvider, DriverDefinition } from '../driver/driver.ts'
import { ManagedDriver } from '../driver/host/managed-driver.ts'
import { type RefusableCapability, requireCapability } from '../driver/host/require-capability.ts'
import { ConfigurationError, DriverLoadFailure, InvalidTransportURL } from '../errors.ts'
import { memoryDriver } from '../memory/memory-driver.ts'
import { apiRefusal } from '../registry/driver-definition.ts'
import { createDriverRegistry, type DriverRegistry } from '../registry/driver-registry.ts'
import { isTransportURL, TransportURL } from '../url/transport-url.ts'
import { checkFunction, checkMethods, checkOptions, type OptionNames } from '../util/check.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { type AllowedRemoteErrors, type RemoteErrors, RemoteErrorTable } from '../wire/remote-error-table.ts'
import { loadConfig } from '../config/load.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import { isPromiseLike } from '../util/promise.ts'
import type { FoundDriver } from './compare-configurations.ts'
import type { TransportParts } from './transport.ts'

const LARGEST_PORT = 65_535

/** What both factories of transports take. */
export interface TransportOptions {
  /** URL instead of the configured one; a TransportURL is used as it is. null and empty text mean the configured
   *  one. */
  readonly url?: string | TransportURL | null | undefined
  /** Where drivers come from. Default: the in-process driver, then installed packages by the URL's scheme. */
  readonly registry?: DriverSource | undefined
  /** Remote errors that clients may rebuild besides Python's own. Default none. */
  readonly allowedRemoteExmods?: AllowedRemoteErrors | undefined
  /** Errors of one's own that cross with their fields, by module and class: `{ 'shop.errors': { OutOfStock: { class:
   *  OutOfStock, encode, decode } } }`.
   *  Give the same map to the servers that raise them and to the clients that get them. Default none. */
  readonly remoteErrors?: RemoteErrors | undefined
  /** `consoleLogger()`, `pinoLogger(pino())`, or four methods of one's own. Default: silent, but for advice to whoever
   *  sets the service up, which is shown once as a warning of the process. */
  readonly logger?: Logger | undefined
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Source of randomness, 0 (included) to 1 (excluded). Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Gives name and password for each attempt to connect, so that rotated ones need no restart. Default: those of the
   *  URL. */
  readonly credentials?: CredentialsProvider | undefined
  /** Name for connections and the like. Default: the file name of the running program. */
  readonly program?: string | undefined
}

export const TRANSPORT_OPTIONS: OptionNames<TransportOptions> = {
  url: true,
  registry: true,
  allowedRemoteExmods: true,
  remoteErrors: true,
  logger: true,
  clock: true,
  random: true,
  program: true,
  credentials: true,
}

/** `transportClass` is the RPC transport's own. */
const OPTIONS: OptionNames<TransportOptions & { readonly transportClass?: unknown }> = {
  ...TRANSPORT_OPTIONS,
  transportClass: true,
}

/** Finds the driver of a scheme; a driver registry is one. */
export type DriverSource = Pick<DriverRegistry, 'resolve'>

/** Resolves the URL, finds its driver, refuses what the driver cannot do, and opens it.
 *  Rejects with InvalidTransportURL, DriverLoadFailure, UnsupportedCapability or ConfigurationError. */
export async function openTransport(
  conf: MessagingConfig,
  options: TransportOptions,
  configured: (conf: MessagingConfig) => string | null,
  needed: RefusableCapability,
): Promise<TransportParts> {
  const remoteErrors = new RemoteErrorTable(options.allowedRemoteExmods, options.remoteErrors)
  const find = async (other: MessagingConfig): Promise<FoundDriver> =>
    await findDriver(other, options, () => configured(other), needed)
  const found = await find(conf)
  const { url, definition, context } = found
  const driver = await ManagedDriver.open(definition, url, context)
  const failureDefaults = definition.failureDefaults?.(context.options) ?? {}
  const { logger, clock } = context
  return { conf, url, found, find, driver, failureDefaults, remoteErrors, logger, clock }
}

/** Everything of `openTransport` but the opening. */
export async function findDriver(
  conf: MessagingConfig,
  options: TransportOptions,
  configured: () => string | null,
  needed?: RefusableCapability,
): Promise<FoundDriver> {
  requireConfig(conf)
  checkOptions('A transport', options, OPTIONS)
  checkMethods('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  checkMethods('registry', options.registry, ['resolve'])
  checkMethods('clock', options.clock, ['now', 'wallTime', 'setTimeout', 'clearTimeout'])
  checkFunction('credentials', options.credentials)
  const { clock = systemClock, random = Math.random, program = programName() } = options
  const url = chooseUrl(options.url, configured)
  checkAddresses(url)
  const registry = options.registry ?? defaultRegistry()
  const definition = await registry.resolve(url.scheme)
  requireApi(definition)
  if (needed !== undefined) requireCapability(definition, needed)
  const context = {
    options: resolveOptions(conf, definition, url),
    defaultExchange: conf.get('DEFAULT', 'control_exchange'),
    program,
    logger: useLogger(options.logger),
    clock,
    random,
    credentials: options.credentials,
  }
  return { url, definition, context }
}

/** The configuration and the options of a factory; the configuration may be left out, which means that of no file. */
export async function readMakerInput<Options extends object>(
  first: MessagingConfig | Options,
  second: Options | undefined,
): Promise<{ readonly conf: MessagingConfig; readonly options: Partial<Options> }> {
  if (isConfig(first)) return { conf: first, options: second ?? {} }
  if (second !== undefined || typeof first !== 'object' || first === null || isPromiseLike(first)) requireConfig(first)
  return { conf: await loadConfig(), options: first }
}

/** Structural, because two copies of the library may meet. */
function isConfig(conf: unknown): conf is MessagingConfig {
  return typeof conf === 'object' && conf !== null && 'get' in conf && 'resolve' in conf
}

function requireConfig(conf: unknown): void {
  if (isConfig(conf)) return
  throw new TypeError('A transport needs the configuration that loadConfig() gives as its first argument')
}

function requireApi(definition: DriverDefinition): void {
  const refusal = apiRefusal(definition)
  if (refusal !== undefined) throw new DriverLoadFailure(definition.name, `The driver ${definition.name} ${refusal}`)
}

function chooseUrl(given: unknown, configured: () => string | null): TransportURL {
  if (isTransportURL(given)) return TransportURL.parse(given)
  if (given !== undefined && given !== null && typeof given !== 'string')
    throw new InvalidTransportURL(
      typeof given,
      `A transport URL is a text such as rabbit://user:password@host:5672/ or a TransportURL, not ${typeof given}`,
    )
  return TransportURL.parse(isSet(given) ? given : (configured() ?? ''))
}

/** What Python reads without complaint, and nothing can connect to. */
function checkAddresses(url: TransportURL): void {
  for (const [index, { hostname, port }] of url.hosts.entries()) {
    // By its place, not by its text: a password that was not escaped may have been split into hosts.
    const which = `host ${index + 1} of ${url.hosts.length}`
    const refuse = (message: string): never => {
      throw new InvalidTransportURL(url.redacted, `Invalid ${message} in the ${url.transport} URL`)
    }
    if (port !== null && !(Number.isInteger(port) && port >= 1 && port <= LARGEST_PORT))
      refuse(`port ${port} of ${which}: it must be a number from 1 to ${LARGEST_PORT}`)
    // oxlint-disable-next-line no-control-regex
    if (/[\u0000-\u0020]/.test(hostname ?? '')) refuse(`${which}: blanks cannot be part of a host name`)
  }
}

export function isSet(url: string | null | undefined): url is string {
  return url !== undefined && url !== null && url !== ''
}

function resolveOptions(conf: MessagingConfig, definition: DriverDefinition, url: TransportURL): ResolvedOptions {
  if (definition.config !== undefined) return conf.resolve(definition.config, url.query)
  const [unknown] = Object.keys(url.query)
  if (unknown === undefined) return {}
  throw new ConfigurationError(
    `The ${definition.name} driver has no options, so ${unknown} in the query of the URL is not one: take it out`,
    { option: unknown },
  )
}

function defaultRegistry(): DriverSource {
  return createDriverRegistry({ drivers: [memoryDriver], discover: true })
}

function programName(): string {
  const script = process.argv[1]
  return script === undefined ? 'node' : basename(script, extname(script))
}
