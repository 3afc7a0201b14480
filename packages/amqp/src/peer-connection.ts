import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import {
  ClosedError,
  ConfigurationError,
  type DriverContext,
  type TransportHost,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import type { PeerProperties } from './addresser.ts'
import { type Connection, createContainer, createSaslMechanisms, type EventContext, type Session } from './client.ts'
import type { AmqpOptions } from './config.ts'
import { mapError } from './map-error.ts'

const DEFAULT_PORT = 5672
/** A peer that accepts the socket and then says nothing (TLS towards a plain port, for one) is given up after this. */
const OPEN_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1_000
const CHANNEL_MAX = 32_767
/** Deliveries a session may hold unsettled, each way; twice what any of our credits allows. */
const SESSION_BUFFER = 4_096

/** One open AMQP 1.0 connection. It does not mend itself: whoever opened it hears of the loss once and opens another. */
export interface PeerConnection {
  readonly host: string
  readonly peer: PeerProperties
  /** A session of its own: transfers of one session wait for each other, those of two do not. */
  openSession(): Promise<Session>
  /** Called once, when the connection is gone for whatever reason but `close`. */
  onLost(handler: (error: Error) => void): void
  /** Says goodbye and resolves when the socket is closed, or after a second. */
  close(): Promise<void>
}

export interface ConnectSettings {
  readonly context: DriverContext<AmqpOptions>
  readonly url: TransportURL
  readonly containerId: string
}

const addressOf = (host: TransportHost): string => {
  const name = host.hostname ?? 'localhost'
  return `${name.includes(':') ? `[${name}]` : name}:${host.port ?? DEFAULT_PORT}`
}

function readPem(options: AmqpOptions, option: 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file'): Buffer | undefined {
  const path = options[option]
  if (path === '') return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigurationError(`[oslo_messaging_amqp] ${option}: cannot read ${path}`, {
      cause,
      option: `[oslo_messaging_amqp] ${option}`,
    })
  }
}

/** TLS part of rhea's options; empty without TLS. Throws ConfigurationError when a file cannot be read. */
export function tlsOptions(options: AmqpOptions, host: TransportHost, virtualHost: string | null): object {
  if (!(options.ssl || options.ssl_ca_file !== '' || options.ssl_cert_file !== '')) return {}
  const name = options.ssl_verify_vhost && virtualHost ? virtualHost : (host.hostname ?? 'localhost')
  const ca = readPem(options, 'ssl_ca_file')
  const cert = readPem(options, 'ssl_cert_file')
  const key = readPem(options, 'ssl_key_file')
  return {
    transport: 'tls',
    // SNI does not know addresses; the certificate is checked against them all the same.
    servername: isIP(name) === 0 ? name : '',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, enable_sasl_external: true }),
    ...(key === undefined ? {} : { key }),
    ...(options.ssl_key_password === null ? {} : { passphrase: options.ssl_key_password }),
  }
}

/** SASL part: nothing without a user name. With a password ANONYMOUS is never used, unlike upstream (WIRE 10.10): it would log in as somebody else. */
export function saslOptions(options: AmqpOptions, host: TransportHost): object {
  const allowed = options.sasl_mechanisms.split(/\s+/).filter((name) => name !== '')
  const may = (name: string): boolean => allowed.length === 0 || allowed.includes(name)
  if (host.username === null || host.username === '') {
    if (!allowed.includes('ANONYMOUS') && !allowed.includes('EXTERNAL')) return {}
    const mechanisms = createSaslMechanisms()
    if (allowed.includes('EXTERNAL')) mechanisms.enable_external()
    if (allowed.includes('ANONYMOUS')) mechanisms.enable_anonymous('anonymous')
    return { sasl_mechanisms: mechanisms }
  }
  const realm = options.sasl_default_realm
  const user = realm !== '' && !host.username.includes('@') ? `${host.username}@${realm}` : host.username
  const mechanisms = createSaslMechanisms()
  const password = host.password ?? ''
  if (may('EXTERNAL') && options.ssl_cert_file !== '') mechanisms.enable_external()
  if (may('PLAIN') && password !== '') mechanisms.enable_plain(user, password)
  if (may('ANONYMOUS') && password === '') mechanisms.enable_anonymous(user)
  return { username: user, sasl_mechanisms: mechanisms }
}

/** Opens a connection to one host. Resolves when both sides have opened; rejects with a TransportDriverError, an AuthenticationError, or the signal's reason. */
export async function openConnection(
  settings: ConnectSettings,
  host: TransportHost,
  signal: AbortSignal,
): Promise<PeerConnection> {
  const { context, url, containerId } = settings
  const { options, clock, program } = context
  const address = addressOf(host)
  const vhost = url.virtualHost
  const connectOptions = {
    host: host.hostname ?? 'localhost',
    port: host.port ?? DEFAULT_PORT,
    container_id: containerId,
    reconnect: false,
    channel_max: CHANNEL_MAX,
    session_buffer_size: SESSION_BUFFER,
    tcp_no_delay: true,
    properties: { process: program, pid: process.pid, node: hostname() },
    ...(vhost && !options.pseudo_vhost ? { hostname: vhost } : {}),
    // rhea gives up after twice what it announces: half is announced, as upstream.
    ...(options.idle_timeout > 0 ? { idle_time_out: options.idle_timeout * 500 } : {}),
    ...tlsOptions(options, host, vhost),
    ...saslOptions(options, host),
  }
  const connection: Connection = createContainer(containerId).connect(connectOptions)
  const place = {
    host: address,
    phase: 'connect',
    delivery: 'not-sent',
    doing: `Connection to ${address} failed`,
  } as const

  let lost: Error | undefined
  let closing = false
  const lostHandlers: ((error: Error) => void)[] = []
  const lose = (error: unknown): void => {
    if (lost !== undefined) return
    lost = mapError(error, place)
    if (!closing) for (const handler of lostHandlers) handler(lost)
  }

  await new Promise<void>((resolve, reject) => {
    const timer = clock.setTimeout(() => fail(new Error(`no answer within ${OPEN_TIMEOUT_MS} ms`)), OPEN_TIMEOUT_MS)
    const done = (): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: unknown): void => {
      done()
      lose(error)
      destroySocket(connection)
      reject(lost)
    }
    const onAbort = (): void => {
      done()
      lose(signal.reason)
      destroySocket(connection)
      reject(signal.reason)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    connection.on('connection_open', () => {
      done()
      resolve()
    })
    const onError = (eventContext: EventContext): void =>
      fail(eventContext.error ?? connection.error ?? new Error('closed by the peer'))
    connection.on('connection_error', onError)
    connection.on('connection_close', onError)
    connection.on('disconnected', (eventContext: EventContext) =>
      fail(eventContext.error ?? new Error('the socket was closed')),
    )
    connection.on('protocol_error', (error: unknown) => fail(error))
    connection.on('error', (error: unknown) => fail(error))
  })

  return {
    host: address,
    peer: connection.properties ?? {},
    onLost(handler) {
      if (lost === undefined) lostHandlers.push(handler)
      else handler(lost)
    },
    openSession: () =>
      new Promise<Session>((resolve, reject) => {
        if (lost !== undefined) return reject(lost)
        const session = connection.create_session()
        session.once('session_open', () => resolve(session))
        // rhea reports an ended session to whoever listens; without a listener it would raise an error for the process.
        session.on('session_error', () => reject(mapError(session.error, { ...place, doing: 'The session was ended' })))
        session.on('session_close', () => reject(new ClosedError('The session was closed')))
        lostHandlers.push(reject)
        session.begin()
      }),
    close: () =>
      new Promise<void>((resolve) => {
        if (lost !== undefined || closing) return resolve()
        closing = true
        const finish = (): void => {
          clock.clearTimeout(timer)
          destroySocket(connection)
          resolve()
        }
        const timer = clock.setTimeout(finish, CLOSE_TIMEOUT_MS)
        connection.on('connection_close', finish)
        connection.on('disconnected', finish)
        connection.close()
      }),
  }
}

/** rhea ends a socket politely, which a frozen peer never answers. */
function destroySocket(connection: Connection): void {
  const { socket } = connection as unknown as { readonly socket?: { destroy(): void } }
  socket?.destroy()
}
