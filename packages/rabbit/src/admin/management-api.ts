import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import {
  AuthenticationError,
  ConfigurationError,
  type Deadline,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { BrokerHost } from '../connection/hosts.ts'

/** Ports of the management plugin, plain and with TLS. */
const PLAIN_PORT = 15_672
const TLS_PORT = 15_671
const PROBE_MS = 1000
/** An answer has at most so many bytes: a virtual host with a hundred thousand queues needs half of it. */
const MOST_BYTES = 64 * 1024 * 1024

/** Where the management interface is, and who asks. */
export interface ManagementPlace {
  readonly hosts: readonly BrokerHost[]
  readonly virtualHost: string
  readonly tls: TlsOptions | undefined
  /** Base URL; null: the usual port of the first host that answers. */
  readonly management: string | null
  readonly deadline: Deadline
}

/** An interface that answers. */
export interface Management {
  /** The JSON behind a path. Rejects with AuthenticationError, ConfigurationError or TransportDriverError, each with
   *  the remedy. */
  ask(path: string): Promise<unknown>
}

interface Door {
  /** Without credentials. */
  readonly base: URL
  readonly authorization: string
  /** Whose port was guessed; undefined when the operator named the interface. */
  readonly host: BrokerHost | undefined
}

/** Finds the host whose management interface answers. Rejects with the failure of the last one tried. */
export async function askManagement(place: ManagementPlace): Promise<Management> {
  let failure: unknown
  for (const door of doorsOf(place)) {
    try {
      await get(place, door, '/api/whoami')
      return { ask: async (path) => await get(place, door, path) }
    } catch (error) {
      failure = error
      // Other hosts of the cluster know the same users.
      if (error instanceof AuthenticationError) break
    }
  }
  throw failure
}

function doorsOf({ hosts, management, tls }: ManagementPlace): readonly Door[] {
  const [first] = hosts
  if (management === null)
    return hosts.map((host) => {
      const name = host.hostname.includes(':') ? `[${host.hostname}]` : host.hostname
      const base = new URL(tls === undefined ? `http://${name}:${PLAIN_PORT}` : `https://${name}:${TLS_PORT}`)
      return { base, authorization: basic(host.username, host.password), host }
    })
  const base = URL.canParse(management) ? new URL(management) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol))
    throw new ConfigurationError('The address of the management interface must be a URL such as http://host:15672', {
      option: 'management',
    })
  const [username, password] = [base.username, base.password].map(decoded)
  base.username = ''
  base.password = ''
  const authorization =
    username === undefined || username === ''
      ? basic(first?.username ?? '', first?.password ?? '')
      : basic(username, password ?? '')
  return [{ base, authorization, host: undefined }]
}

/** Throws ConfigurationError. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new ConfigurationError(
      'User or password of the management interface have a % that begins no code: write it as %25',
      { option: 'management', cause },
    )
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

const ASKING = { phase: 'reply', delivery: 'unknown' } as const

async function get(place: ManagementPlace, door: Door, path: string): Promise<unknown> {
  const { deadline } = place
  const where = door.base.origin
  let answer: { readonly status: number; readonly text: string }
  try {
    answer = await fetchText(place, door, path)
  } catch (cause) {
    deadline.check({ ...ASKING, waitingFor: `answer of the management interface at ${where}` })
    throw await unreachable(door, cause)
  }
  const { status, text } = answer
  if (status === 401 || status === 403)
    throw new AuthenticationError(
      `The management interface at ${where} refuses this user: check user and password, and give the user the tag monitoring (rabbitmqctl set_user_tags USER monitoring) and rights on the virtual host ${place.virtualHost}`,
      { host: door.base.host, brokerCode: status },
    )
  if (status === 200) {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw noManagement(door, 'answers without JSON', cause)
    }
  }
  if (status === 404 && text.includes('Object Not Found'))
    throw new ConfigurationError(
      `The broker has no virtual host ${place.virtualHost}: check the path of transport_url`,
      {
        option: 'transport_url',
      },
    )
  throw noManagement(door, `answers with status ${status}`, undefined)
}

function noManagement({ base }: Pick<Door, 'base'>, what: string, cause: unknown): TransportDriverError {
  return new TransportDriverError(
    `${base.origin} ${what}: it is not the management interface of RabbitMQ; give its address with --management URL`,
    { host: base.host, cause, retryable: false },
  )
}

/** Nobody answers. When the broker itself does, the plugin is what is missing. */
async function unreachable({ base, host }: Door, cause: unknown): Promise<TransportDriverError> {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  const facts = { host: base.host, brokerCode: code, cause, retryable: true }
  if (code?.startsWith('HPE_') === true || code === 'EPROTO')
    return noManagement({ base }, 'does not speak HTTP', cause)
  const why = code ?? (cause instanceof Error ? cause.message : String(cause))
  if (host !== undefined && code === 'ECONNREFUSED' && (await answers(host)))
    return new TransportDriverError(
      `The broker is up, but nothing listens at ${base.origin}: its management plugin is not enabled (rabbitmq-plugins enable rabbitmq_management), or is elsewhere (--management URL)`,
      facts,
    )
  return new TransportDriverError(
    `The management interface at ${base.origin} cannot be reached (${why}): check that the broker is up, or give the address with --management URL`,
    facts,
  )
}

async function answers({ hostname, port }: BrokerHost): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: hostname, port, timeout: PROBE_MS })
    const end = (isUp: boolean) => (): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

async function fetchText(
  { tls = {}, deadline }: ManagementPlace,
  { base, authorization }: Door,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(base.pathname.replace(/\/+$/, '') + path, base)
  const ended = new AbortController()
  const stop = deadline.watch(ASKING, () => ended.abort())
  const options = {
    headers: { authorization, accept: 'application/json' },
    signal: ended.signal,
    agent: false,
  } as const
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...tls, ...options }, resolve)
          : httpRequest(url, options, resolve)
      sent.on('error', reject).end()
    })
    const parts: Buffer[] = []
    let bytes = 0
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`)
      parts.push(part)
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }
  } finally {
    stop()
  }
}
