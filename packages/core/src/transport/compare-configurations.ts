import { CORE_FRAGMENTS } from '../config/core-options.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import type { DriverContext, DriverDefinition } from '../driver/driver.ts'
import type { TransportURL } from '../url/transport-url.ts'

/** A driver, and what it is to be opened with. */
export interface FoundDriver {
  readonly url: TransportURL
  readonly definition: DriverDefinition
  readonly context: DriverContext
}

/** One configuration, and the driver it names for one transport. */
interface Side {
  readonly conf: MessagingConfig
  readonly found: FoundDriver
}

/** What has changed from one configuration to another, by the names of options. */
interface Comparison {
  /** What may change while the transport is in use: of core, and of the driver, which has to be opened again for it. */
  readonly applied: { readonly core: string[]; readonly driver: string[] }
  readonly needsRestart: string[]
  /** Servers are to have another number of workers. */
  readonly workers: boolean
  /** The URL names another driver, which can do other things and knows other names. */
  readonly isNewDriver: boolean
}

const WORKERS = '[DEFAULT] executor_thread_pool_size'
/** Options of core that are read each time they are needed. */
const LIVE = [WORKERS, '[DEFAULT] rpc_response_timeout']

/** Names what has changed, never a value: many of them are secrets. */
export function compareConfigurations(before: Side, after: Side): Comparison {
  const changed = CORE_FRAGMENTS.flatMap(({ group, options }) =>
    Object.keys(options)
      // What the URLs say shows in what each transport makes of its own.
      .filter(
        (name) =>
          name !== 'transport_url' && !isEqual(valueOf(before.conf, group, name), valueOf(after.conf, group, name)),
      )
      .map((name) => `[${group}] ${name}`),
  )
  const isNewDriver = before.found.definition.name !== after.found.definition.name
  const driver = isNewDriver
    ? []
    : [...changesOfUrl(before.found.url, after.found.url), ...changesOfOptions(before, after)]
  return {
    applied: { core: changed.filter((name) => LIVE.includes(name)), driver },
    needsRestart: [
      ...changed.filter((name) => !LIVE.includes(name)),
      ...(isNewDriver ? [`the driver ${before.found.definition.name}, now ${after.found.definition.name}`] : []),
    ],
    workers: changed.includes(WORKERS),
    isNewDriver,
  }
}

function changesOfUrl(before: TransportURL, after: TransportURL): string[] {
  const facts = ({ hosts, virtualHost, transport }: TransportURL): Readonly<Record<string, unknown>> => ({
    hosts: hosts.map(({ hostname, port }) => [hostname, port]),
    credentials: hosts.map(({ username, password }) => [username, password]),
    'virtual host': virtualHost,
    transport,
  })
  const [was, is] = [facts(before), facts(after)]
  return Object.keys(was).filter((name) => !isEqual(was[name], is[name]))
}

function changesOfOptions(before: Side, after: Side): string[] {
  const [was, is] = [before.found.context.options, after.found.context.options]
  const group = after.found.definition.config?.group ?? after.found.definition.name
  return Object.keys({ ...was, ...is })
    .filter((name) => !isEqual(was[name], is[name]))
    .map((name) => `[${group}] ${name}`)
}

/** The groups are core's own, so the names are those that `get` knows. */
function valueOf(conf: MessagingConfig, group: string, name: string): unknown {
  return conf.get(group as 'DEFAULT', name as 'control_exchange')
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
