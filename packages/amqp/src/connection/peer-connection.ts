import { hostname } from 'node:os'
import {
  type Clock,
  ClosedError,
  type DriverContext,
  type MessagingError,
  type TransportHost,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import type { PeerProperties } from '../topology/topic-addresses.ts'
import {
  type Connection,
  type ConnectOptions,
  createContainer,
  destroyConnection,
  type EventContext,
  propertiesOf,
  writeOnceATurn,
} from '../client/client.ts'
import type { AmqpOptions } from '../config.ts'
import { Loss } from './loss.ts'
import { mapError } from './map-error.ts'
import { saslOptions, tlsOptions } from './peer-options.ts'
import { PeerSession } from './peer-session.ts'
import { traceFrames } from '../client/frame-log.ts'

const DEFAULT_PORT = 5672
/** A peer that accepts the socket and then says nothing (TLS towards a plain port, for one) is given up after this. */
const OPEN_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1_000
const CHANNEL_MAX = 32_767

/** One open AMQP 1.0 connection. It does not mend itself: whoever opened it hears of the loss once and opens another. */
export interface PeerConnection {
  readonly host: string
  readonly peer: PeerProperties
  /** A session of its own: transfers of one session wait for each other, those of two do not. */
  openSession(): Promise<PeerSession>
  /** The connection is gone; with ClosedError when it was closed from here. */
  readonly loss: Loss
  /** Says goodbye and resolves when the socket is closed, or after a second. */
  close(): Promise<void>
}

export interface ConnectSettings {
  readonly context: DriverContext<AmqpOptions>
  readonly url: TransportURL
  readonly containerId: string
}

export const addressOfHost = (host: TransportHost): string => {
  const name = host.hostname ?? 'localhost'
  return `${name.includes(':') ? `[${name}]` : name}:${host.port ?? DEFAULT_PORT}`
}

/** Opens a connection to one host. Resolves when both sides have opened; rejects with a TransportDriverError, an AuthenticationError, or the signal's reason. */
export async function openConnection(
  settings: ConnectSettings,
  host: TransportHost,
  signal: AbortSignal,
): Promise<PeerConnection> {
  const { context, url, containerId } = settings
  const { options, program, logger } = context
  const vhost = url.virtualHost
  const address = addressOfHost(host)
  const connectOptions: ConnectOptions = {
    host: host.hostname ?? 'localhost',
    port: host.port ?? DEFAULT_PORT,
    container_id: containerId,
    reconnect: false,
    channel_max: CHANNEL_MAX,
    tcp_no_delay: true,
    properties: { process: program, pid: process.pid, node: hostname() },
    ...(vhost && !options.pseudo_vhost ? { hostname: vhost } : {}),
    // rhea gives up after twice what it announces: half is announced, as upstream.
    ...(options.idle_timeout > 0 ? { idle_time_out: options.idle_timeout * 500 } : {}),
    ...tlsOptions(options, host, vhost),
    ...saslOptions(options, host),
  }
  const connection = createContainer(containerId).connect(connectOptions)
  if (options.trace) traceFrames(connection, (line) => logger.debug(`${address} ${line}`))
  writeOnceATurn(connection)
  const peer = new RheaPeer(connection, address, context.clock)
  await peer.opened(signal)
  return peer
}

class RheaPeer implements PeerConnection {
  readonly host: string
  readonly loss: Loss = new Loss()
  readonly #connection: Connection
  readonly #clock: Clock
  #isOpen = false
  #isClosing = false

  constructor(connection: Connection, host: string, clock: Clock) {
    this.#connection = connection
    this.host = host
    this.#clock = clock
    const fail = (error: unknown): void => this.#lose(error)
    const onError = ({ error }: EventContext): void =>
      fail(error ?? connection.error ?? new Error('closed by the peer'))
    connection.on('connection_error', onError)
    connection.on('connection_close', onError)
    connection.on('disconnected', ({ error }: EventContext) => fail(error ?? new Error('the socket was closed')))
    connection.on('protocol_error', fail)
    connection.on('error', fail)
  }

  get peer(): PeerProperties {
    return propertiesOf(this.#connection)
  }

  /** Resolves when the peer has opened; rejects when that fails or takes too long, or with the signal's reason. */
  opened(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#clock.clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        callOff()
      }
      const onAbort = (): void => {
        done()
        this.#lose(signal.reason)
        reject(signal.reason)
      }
      const giveUp = (): void =>
        this.#lose(
          new Error(
            `no answer within ${OPEN_TIMEOUT_MS} ms; does the port speak AMQP 1.0, and TLS or not as [oslo_messaging_amqp] ssl says?`,
          ),
        )
      const timer = this.#clock.setTimeout(giveUp, OPEN_TIMEOUT_MS)
      let callOff = (): void => {}
      callOff = this.loss.on((error) => {
        done()
        reject(error)
      })
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      this.#connection.on('connection_open', () => {
        // A peer that refuses whoever logs in has to open first: what it says in the same breath is its answer.
        setImmediate(() => {
          this.#isOpen = true
        })
        done()
        resolve()
      })
    })
  }

  openSession(): Promise<PeerSession> {
    if (this.loss.error !== undefined) return Promise.reject(this.loss.error)
    return PeerSession.begin(this.#connection, {
      clock: this.#clock,
      connectionLoss: this.loss,
      map: (error, doing) => this.#map(error, doing),
    })
  }

  close(): Promise<void> {
    return new Promise<void>((resolve) => {
      if (this.loss.error !== undefined || this.#isClosing) return resolve()
      this.#isClosing = true
      const finish = (): void => {
        this.#clock.clearTimeout(timer)
        destroyConnection(this.#connection)
        this.loss.signal(new ClosedError('The connection was closed'))
        resolve()
      }
      const timer = this.#clock.setTimeout(finish, CLOSE_TIMEOUT_MS)
      this.#connection.on('connection_close', finish)
      this.#connection.on('disconnected', finish)
      this.#connection.close()
    })
  }

  #lose(error: unknown): void {
    if (this.loss.error !== undefined || this.#isClosing) return
    destroyConnection(this.#connection)
    // Once it was open, its end says nothing for good to what stood on it.
    this.loss.signal(this.#map(error, `Connection to ${this.host} failed`, this.#isOpen))
  }

  #map(error: unknown, doing: string, isPassing = false): MessagingError {
    return mapError(error, { host: this.host, phase: 'connect', delivery: 'not-sent', doing, isPassing })
  }
}
