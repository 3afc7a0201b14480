import { hostname } from 'node:os'
import {
  type Clock,
  ClosedError,
  credentialsFor,
  Deadline,
  type DriverContext,
  type HostAddress,
  type HostCredentials,
  type MessagingError,
  SerializationError,
  TransportDriverError,
  type TransportURL,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import { checkInternals, destroyConnection, onIdle, openOf, socketOf } from '../client/internals.ts'
import { type Connection, type ConnectOptions, createContainer, type EventContext } from '../client/rhea.ts'
import type { AmqpOptions } from '../config.ts'
import { Channels } from '../session/channels.ts'
import { CODE, type FieldList } from '../session/performatives.ts'
import type { FrameWriter } from '../session/frame-writer.ts'
import { createFrameLog, type FrameLog } from './frame-log.ts'
import { MAX_FRAME_SIZE, MIN_MAX_FRAME_SIZE, takeFrames } from './frames.ts'
import { Loss } from './loss.ts'
import { mapError } from './map-error.ts'
import { saslOptions, tlsOptions } from './peer-options.ts'
import type { PeerSession } from './peer-session.ts'
import { SessionPool, type SessionUse } from './session-pool.ts'

/** A peer that accepts the socket and then says nothing (TLS towards a plain port, for one) is given up after this. */
const OPEN_TIMEOUT_MS = 10_000
/** How long a peer has to answer the close when nobody says how long to wait. */
const CLOSE_TIMEOUT_MS = 1_000
const CHANNEL_MAX = 32_767
/** How long a peer that cannot be talked to has to say why. */
const REASON_MS = 200
/** Silence after which TCP itself asks whether the other end is there. */
const KEEPALIVE_MS = 30_000
/** Sessions are watched when no idle timeout says how often. */
const WATCH_MS = 30_000

/** What a peer says of itself. */
export interface PeerProperties {
  readonly product?: unknown
  readonly version?: unknown
}

/** One open AMQP 1.0 connection. It does not mend itself: whoever opened it hears of the loss once and opens
 *  another. */
export interface PeerConnection {
  readonly host: string
  readonly peer: PeerProperties
  /** Room for so many links in a session: one of its own while the peer allows that, since transfers of one session
   *  wait for each other. `senders` share theirs. Default: its own, for one link. */
  openSession(use?: SessionUse, links?: number): Promise<PeerSession>
  /** The connection is gone; with ClosedError when it was closed from here. */
  readonly loss: Loss
  /** Says goodbye after everything that was written, and resolves when the peer has answered, at the signal, or without
   *  one after a second. True: the peer has answered, so it has had it all. */
  close(signal?: AbortSignal): Promise<boolean>
}

export interface ConnectSettings {
  readonly context: DriverContext<AmqpOptions>
  readonly url: TransportURL
  readonly containerId: string
}

/** Opens a connection to one host. Resolves when both sides have opened; rejects with a TransportDriverError, an
 *  AuthenticationError, or the signal's reason. */
export async function openConnection(
  settings: ConnectSettings,
  at: HostAddress,
  signal: AbortSignal,
): Promise<PeerConnection> {
  const { context, url, containerId } = settings
  const { options, program, logger } = context
  const vhost = url.virtualHost
  const tls = tlsNow(settings, at)
  const login = await loginOf(settings, at, signal)
  const connectOptions: ConnectOptions = {
    host: at.hostname,
    port: at.port,
    container_id: containerId,
    reconnect: false,
    channel_max: CHANNEL_MAX,
    max_frame_size: MAX_FRAME_SIZE,
    tcp_no_delay: true,
    properties: { process: program, pid: process.pid, node: hostname() },
    ...(vhost && !options.pseudo_vhost ? { hostname: vhost } : {}),
    // rhea gives up after twice what it announces: half is announced, as upstream.
    ...(options.idle_timeout > 0 ? { idle_time_out: options.idle_timeout * 500 } : {}),
    ...tls,
    ...saslOptions(options, login),
  }
  const connection = createContainer(containerId).connect(connectOptions)
  checkInternals(connection)
  socketOf(connection).setKeepAlive(true, KEEPALIVE_MS)
  const watchMs = options.idle_timeout > 0 ? options.idle_timeout * 500 : WATCH_MS
  const log = options.trace ? createFrameLog((line) => logger.debug(`${at.address} ${line}`)) : undefined
  const { container_id, hostname: vhostName, channel_max, max_frame_size, idle_time_out, properties } = connectOptions
  log?.said('open', { container_id, hostname: vhostName, channel_max, max_frame_size, idle_time_out, properties })
  const peer = new RheaPeer(connection, { host: at.address, clock: context.clock, watchMs, log })
  await peer.opened(signal)
  return peer
}

/** The files were read when the transport was opened: one that cannot be read now is being replaced. */
function tlsNow({ context, url }: ConnectSettings, { hostname, address }: HostAddress): object {
  try {
    return tlsOptions(context.options, hostname, url.virtualHost)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new TransportDriverError(text, { retryable: true, host: address, cause })
  }
}

/** The name and the password to use now. */
async function loginOf(
  { context: { credentials, clock } }: ConnectSettings,
  at: HostAddress,
  signal: AbortSignal,
): Promise<HostCredentials | undefined> {
  const asked = credentialsFor(at, credentials, AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]))
  return await Deadline.after(OPEN_TIMEOUT_MS, { signal, clock }).race(asked, ASKING)
}

const ASKING: WaitFacts = { phase: 'connect', delivery: 'not-sent', waitingFor: 'credentials from the application' }

interface RheaPeerOptions {
  readonly host: string
  readonly clock: Clock
  readonly watchMs: number
  readonly log: FrameLog | undefined
}

class RheaPeer implements PeerConnection {
  readonly host: string
  readonly loss: Loss = new Loss()
  readonly #writer: FrameWriter
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #watchMs: number
  readonly #log: FrameLog | undefined
  #channels: Channels | undefined
  #sessions: SessionPool | undefined
  #watching: unknown
  #isOpen = false
  #isClosing = false
  #onSilence = (): void => {}

  constructor(connection: Connection, { host, clock, watchMs, log }: RheaPeerOptions) {
    this.#connection = connection
    this.host = host
    this.#clock = clock
    this.#watchMs = watchMs
    this.#log = log
    const onPerformative = (channel: number, code: number, fields: FieldList, payload: Buffer): void => {
      if (code === CODE.open || code === CODE.close) return
      if (this.#channels === undefined) throw new RangeError('the peer sent something before its open')
      if (this.loss.error === undefined) this.#channels.take(channel, code, fields, payload)
    }
    this.#writer = takeFrames(connection, onPerformative, log)
    socketOf(connection).on('drain', () => this.#channels?.onDrained())
    const fail = (error: unknown): void => this.#lose(error)
    const onError = ({ error }: EventContext): void =>
      fail(error ?? connection.error ?? new Error('closed by the peer'))
    connection.on('connection_error', onError)
    connection.on('connection_close', onError)
    connection.on('disconnected', ({ error }: EventContext) => fail(error ?? new Error('the socket was closed')))
    connection.on('protocol_error', fail)
    connection.on('error', fail)
    onIdle(connection, () => {
      fail(new Error('the peer has said nothing for as long as idle_timeout allows'))
      this.#onSilence()
    })
    this.loss.on(() => {
      clock.clearTimeout(this.#watching)
      this.#writer.close()
    })
  }

  get peer(): PeerProperties {
    return openOf(this.#connection)?.properties ?? {}
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
        const frameSize = openOf(this.#connection)?.max_frame_size ?? 0
        if (frameSize < MIN_MAX_FRAME_SIZE) {
          // Broker-J opens with zeros before it says why it closes.
          const text = `the peer takes frames of ${frameSize} bytes at most; AMQP 1.0 asks for ${MIN_MAX_FRAME_SIZE} at least`
          this.#clock.setTimeout(() => this.#lose(new Error(text)), REASON_MS)
          return
        }
        // A peer that refuses whoever logs in has to open first: what it says in the same breath is its answer.
        setImmediate(() => {
          this.#isOpen = true
        })
        done()
        this.#onOpen()
        resolve()
      })
    })
  }

  #onOpen(): void {
    const open = openOf(this.#connection)
    const limits = {
      channelMax: Math.min(open?.channel_max ?? 0, CHANNEL_MAX),
      maxFrameSize: Math.min(open?.max_frame_size ?? MAX_FRAME_SIZE, MAX_FRAME_SIZE),
    }
    this.#channels = new Channels(this.#writer, limits)
    this.#sessions = new SessionPool(this.#channels, {
      clock: this.#clock,
      connectionLoss: this.loss,
      map: (error, doing) => this.#map(error, doing),
    })
    this.#watch()
  }

  #watch(): void {
    this.#watching = this.#clock.setTimeout(() => {
      this.#sessions?.watch()
      this.#watch()
    }, this.#watchMs)
  }

  async openSession(use: SessionUse = 'own', links = 1): Promise<PeerSession> {
    if (this.loss.error !== undefined) throw this.loss.error
    if (this.#sessions === undefined) throw new ClosedError('The connection is not open')
    return await this.#sessions.claim(use, links)
  }

  async close(signal?: AbortSignal): Promise<boolean> {
    if (this.loss.error !== undefined || this.#isClosing) return true
    // What is under way leaves before the goodbye.
    this.#writer.flush()
    this.#isClosing = true
    return await new Promise<boolean>((resolve) => {
      const finish = (isAnswered: boolean): void => {
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        destroyConnection(this.#connection)
        this.loss.signal(new ClosedError('The connection was closed'))
        resolve(isAnswered)
      }
      const giveUp = (): void => finish(false)
      const timer = signal === undefined ? this.#clock.setTimeout(giveUp, CLOSE_TIMEOUT_MS) : undefined
      this.#connection.on('connection_close', () => finish(true))
      this.#connection.on('disconnected', giveUp)
      this.#onSilence = giveUp
      this.#log?.said('close', {})
      this.#connection.close()
      if (signal?.aborted === true) return giveUp()
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #lose(error: unknown): void {
    if (this.loss.error !== undefined || this.#isClosing) return
    destroyConnection(this.#connection)
    // A frame that cannot be read says nothing about what anybody here wanted to send.
    const reason = error instanceof SerializationError ? new Error(error.message, { cause: error }) : error
    // Once it was open, its end says nothing for good to what stood on it.
    this.loss.signal(this.#map(reason, `Connection to ${this.host} failed`, this.#isOpen))
  }

  #map(error: unknown, doing: string, isPassing = false): MessagingError {
    return mapError(error, { host: this.host, phase: 'connect', delivery: 'not-sent', doing, isPassing })
  }
}
