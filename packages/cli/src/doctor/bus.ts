import { readFile } from 'node:fs/promises'
import {
  type BrokerAdmin,
  type BrokerFacts,
  getBrokerAdmin,
  getNotificationTransport,
  getRpcTransport,
  isMessagingError,
  type MessagingConfig,
  PRIORITIES,
} from '@oslo-messaging/core'
import { type EffectiveOption, TransportURL } from '@oslo-messaging/core/driver'
import { openingOptions } from '../broker/connect.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import type { Findings } from './finding.ts'
import { examineNetwork, type Greeting } from './network.ts'
import { examineRabbit } from './rabbit.ts'
import { examineRoundTrip } from './round-trip.ts'

/** One bus of a configuration. */
export interface BusToExamine {
  readonly kind: 'rpc' | 'notifications'
  readonly url: string
  readonly conf: MessagingConfig
  /** Options of the driver's group. */
  readonly options: ReadonlyMap<string, EffectiveOption>
  readonly topics: readonly string[]
  readonly management: string | null
  readonly timeoutMs: number
  /** The configuration to send a message of its own there and back with, over queues that are taken away again; null:
   *  none is sent. */
  readonly trying: MessagingConfig | null
  /** What the library logs goes to stderr. */
  readonly debug: boolean
}

const PORTS: Readonly<Record<string, { readonly plain: number; readonly tls: number }>> = {
  rabbit: { plain: 5672, tls: 5671 },
  kombu: { plain: 5672, tls: 5671 },
  amqp: { plain: 5672, tls: 5671 },
  kafka: { plain: 9092, tls: 9092 },
}
const AMQP_091: Greeting = {
  bytes: Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  accepts: (answer) => answer.startsWith('\x01'),
}
const AMQP_10: Greeting = {
  bytes: Buffer.from('AMQP\x03\x01\0\0', 'latin1'),
  // With SASL or without, version 1.0.0.
  accepts: (answer) => answer.startsWith('AMQP') && answer.slice(5, 8) === '\x01\0\0',
}
const GREETINGS: Readonly<Record<string, Greeting>> = { rabbit: AMQP_091, kombu: AMQP_091, amqp: AMQP_10 }

/** Everything that can be asked of one bus without changing it. */
export async function examineBus(bus: BusToExamine, io: Io, findings: Findings): Promise<void> {
  const url = TransportURL.parse(bus.url)
  const ports = PORTS[url.scheme]
  const isTls = tlsOf(bus)
  if (ports !== undefined) {
    const ca = await readCa(bus, findings)
    for (const { hostname, port } of url.hosts.length === 0 ? [{ hostname: 'localhost', port: null }] : url.hosts)
      await examineNetwork(
        {
          hostname: hostname ?? 'localhost',
          port: port ?? (isTls ? ports.tls : ports.plain),
          tls: isTls ? { ca } : null,
          greeting: GREETINGS[url.scheme] ?? null,
          timeoutMs: Math.min(bus.timeoutMs, 5000),
        },
        findings,
      )
    const hosts = url.hosts.map(
      ({ hostname, port }) => `${hostname ?? 'localhost'}:${port ?? (isTls ? ports.tls : ports.plain)}`,
    )
    if (hosts.length > 0 && hosts.every((host) => findings.isBroken(host))) return
    if (hosts.length === 1 && url.scheme !== 'kafka')
      findings.add(
        'note',
        'hosts',
        hosts[0] ?? null,
        'transport_url names one host',
        'When it is down, nobody can send or receive.',
        'In a cluster name all of its hosts: rabbit://u:p@one:5672,u:p@two:5672/',
      )
    if (!isTls && url.hosts.some(({ hostname }) => !isLocal(hostname)))
      findings.add(
        'note',
        'tls',
        hosts[0] ?? null,
        'The connection is not encrypted',
        'Passwords and messages can be read on the way.',
        'Configure TLS, unless the network is trusted.',
      )
  }
  await openBus(bus, url, io, findings)
}

function tlsOf({ options }: BusToExamine): boolean {
  const ssl = options.get('ssl')?.value
  const protocol = options.get('security_protocol')?.value
  return ssl === true || (typeof protocol === 'string' && protocol.includes('SSL'))
}

async function readCa({ options }: BusToExamine, findings: Findings): Promise<string | undefined> {
  const file = ['ssl_ca_file', 'ssl_cafile']
    .map((name) => options.get(name)?.value)
    .find((value) => typeof value === 'string' && value !== '')
  if (typeof file !== 'string') return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    findings.add(
      'error',
      'tls',
      null,
      `The file ${file} of the authority cannot be read (${errorText(error)})`,
      'No certificate can be verified.',
      'Correct ssl_ca_file, or the permissions of the file.',
    )
    return undefined
  }
}

const isLocal = (hostname: string | null): boolean => hostname === null || /^(localhost|127\.|::1$)/.test(hostname)

/** Opens the driver, which checks its options and packages, then connects and logs in. */
async function openBus(bus: BusToExamine, url: TransportURL, io: Io, findings: Findings): Promise<void> {
  const label =
    url.hosts.map(({ hostname, port }) => `${hostname ?? 'localhost'}${port === null ? '' : `:${port}`}`).join(', ') ||
    url.scheme
  const shared = { url: bus.url, ...openingOptions(bus, io, 'oslo-msg doctor') }
  try {
    const open = bus.kind === 'rpc' ? getRpcTransport : getNotificationTransport
    await (await open(bus.conf, shared)).close({ timeoutMs: 1000 })
  } catch (error) {
    const isMissing = isMessagingError(error, 'DRIVER_LOAD')
    findings.add(
      'error',
      isMissing ? 'driver' : 'options',
      label,
      errorText(error),
      'The service does not start.',
      isMissing ? 'Install the package that is named.' : 'Correct the option that is named.',
    )
    return
  }
  let facts: BrokerFacts
  const admin = await getBrokerAdmin(bus.conf, shared)
  try {
    facts = await admin.check({ timeoutMs: bus.timeoutMs, signal: io.signal })
    findings.add(
      'ok',
      'login',
      label,
      `${facts.product}${facts.version === null ? '' : ` ${facts.version}`} takes the login and the virtual host`,
    )
  } catch (error) {
    findings.add(
      'error',
      isMessagingError(rootOf(error), 'AUTHENTICATION') ? 'login' : 'connection',
      label,
      deepText(error),
      'No service with this URL gets through.',
      adviceFor(error),
    )
    await admin.close()
    return
  }
  try {
    if (facts.product === 'RabbitMQ') await examineRabbit(bus, url, facts, label, io, findings)
    await examineTopics(bus, admin, label, io, findings)
    if (bus.trying !== null) await examineRoundTrip(bus, bus.trying, admin, shared, label, findings)
  } finally {
    await admin.close()
  }
}

/** What the driver itself has to ask of its broker. */
async function examineTopics(
  { kind, topics, timeoutMs }: BusToExamine,
  admin: BrokerAdmin,
  label: string,
  io: Io,
  findings: Findings,
): Promise<void> {
  const names =
    kind === 'rpc' ? topics : topics.flatMap((topic) => PRIORITIES.map((priority) => `${topic}.${priority}`))
  try {
    for (const { severity, check, what, why, fix } of await admin.examine(names, { timeoutMs, signal: io.signal }))
      findings.add(severity, check, label, what, why, fix)
  } catch (error) {
    findings.add(
      'note',
      'topics',
      label,
      `Topics were not looked at: ${errorText(error)}`,
      'Whether they keep what is sent to them is not known.',
      'Ask again with a longer --timeout, or as a user with more rights.',
    )
  }
}

function rootOf(error: unknown): unknown {
  let root = error
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause instanceof Error; depth += 1) {
    if (isMessagingError(root, 'AUTHENTICATION')) return root
    root = root.cause
  }
  return root
}

/** What the library says, and what the broker said below it. */
function deepText(error: unknown): string {
  const text = errorText(error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : ''
  return cause === '' || text.includes(cause) ? text : `${text} (${cause})`
}

function adviceFor(error: unknown): string {
  const text = deepText(error).toLowerCase()
  if (/vhost|virtual host/.test(text))
    return 'Correct the path of transport_url, or have the virtual host made and the user given rights on it (rabbitmqctl add_vhost, set_permissions).'
  if (/access.refused|access_refused|auth|login|password|credential|sasl/.test(text))
    return 'Correct user and password in transport_url; a special character in the password is written as its %XX code.'
  return 'See what the message says, and the log of the broker at this time.'
}
