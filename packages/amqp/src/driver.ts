import { randomUUID } from 'node:crypto'
import {
  ClosedError,
  type ComponentHealth,
  createDeferred,
  Deadline,
  type Driver,
  type DriverContext,
  emitDiagnostic,
  type FailureFacts,
  type Health,
  type Listener,
  type ListenOptions,
  type NotificationSource,
  type NotifyListenOptions,
  type NotifyOptions,
  type OutgoingNotification,
  type OutgoingRequest,
  type RPCReply,
  type SendOptions,
  summarizeHealth,
  Target,
  TransportDriverError,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { poolSourcesOf, sourcesOf } from './topology/addressing.ts'
import { Calls } from './rpc/calls.ts'
import type { AmqpOptions } from './config.ts'
import { AmqpConnection } from './topology/amqp-connection.ts'
import { buriedOf } from './receive/dead-letter.ts'
import type { EncodableMessage } from './wire/encode-message.ts'
import { type Bury, incomingNotification, incomingRequest } from './receive/incoming.ts'
import type { Incoming } from './receive/listener-links.ts'
import { LinkListener, type LinkListenerOptions } from './receive/link-listener.ts'
import type { ListenerSource } from './connection/links.ts'
import { encodeNotification, encodeRequest } from './wire/message.ts'
import { Publisher } from './send/publisher.ts'
import type { AmqpSettings } from './settings.ts'
import { type Destination, newProgress, type OutgoingMessage } from './send/outgoing-message.ts'

/** What a message may be sent settled as (`pre_settled`). */
const KINDS = ['rpc-call', 'rpc-cast', 'rpc-reply', 'notify'] as const
type Kind = (typeof KINDS)[number]

/** How long a close waits for what is under way when nobody says how long. */
const CLOSE_PATIENCE_MS = 5_000
/** A peer that has not worked off in so long what was sent settled will not do it before the close either. */
const OWED_MS = 60_000

/** How long a copy may take to reach the dead letters; after that the original goes back. */
const BURIAL_TIMEOUT_MS = 30_000

/** One broker or router, reached over AMQP 1.0. */
export class AmqpDriver implements Driver {
  readonly #context: DriverContext<AmqpOptions>
  readonly #connection: AmqpConnection
  readonly #publisher: Publisher
  readonly #calls: Calls
  readonly #preSettled: ReadonlySet<string>
  readonly #settings: AmqpSettings
  readonly #listeners = new Set<LinkListener>()
  #closing: Promise<void> | undefined

  constructor(url: TransportURL, context: DriverContext<AmqpOptions>, settings: AmqpSettings) {
    this.#context = context
    this.#settings = settings
    this.#connection = new AmqpConnection(url, context)
    this.#publisher = new Publisher(this.#connection, context)
    this.#calls = new Calls(this.#connection, context, this.#publisher, settings.maxMessageBytes)
    this.#preSettled = new Set(context.options.pre_settled)
    for (const kind of this.#preSettled)
      if (!KINDS.some((known) => known === kind))
        context.logger.warn(`[oslo_messaging_amqp] pre_settled: ${kind} is no kind of message and is ignored`)
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    this.#publisher.checkRoom()
    const { deadline, callMonitorTimeoutMs: monitorMs } = options
    const body = encodeRequest(request, monitorMs === null ? null : monitorMs / 1000)
    if (options.waitForReply) return await this.#calls.call(target, request, body, options)
    const within = this.#atMost(deadline, this.#context.options.default_send_timeout)
    const message = { body, application_properties: request.headers }
    await this.#publish({ target, service: 'rpc' }, message, { ...options, deadline: within }, 'rpc-cast')
    return undefined
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    this.#publisher.checkRoom()
    const body = encodeNotification(notification, options.version)
    const deadline = this.#atMost(options.deadline, this.#context.options.default_notify_timeout)
    // Upstream leaves the exchange of notifications out, and listeners do not look for it there.
    const topic = target.exchange === null ? target : target.with({ exchange: null })
    const message = { body, durable: true, application_properties: notification.headers }
    await this.#publish({ target: topic, service: 'notify' }, message, { retries: options.retries, deadline }, 'notify')
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const { topic, exchange, server } = target
    const owner = randomUUID()
    const targets = [
      new Target({ topic, exchange, server }),
      new Target({ topic, exchange, fanout: true }),
      new Target({ topic, exchange }),
    ]
    return await this.#addListener(
      {
        name: `rpc server ${topic}.${server}`,
        sources: (addressing, deadline) => sourcesOf(addressing, { targets, service: 'rpc', owner }, deadline),
        links: targets.length,
        maxMessageSize: this.#settings.maxMessageBytes,
        credit: Math.min(this.#context.options.rpc_server_credit, options.prefetch),
        prefetch: options.prefetch,
        onMessage: (incoming) => {
          try {
            options.onMessage(incomingRequest(incoming, (reply) => this.#reply(reply)))
          } catch (error) {
            incoming.unreadable(error)
          }
        },
      },
      options.deadline,
    )
  }

  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    const { pool } = options
    const owner = randomUUID()
    const targets = sources.map(({ target, priority }) => new Target({ topic: `${target.topic}.${priority}` }))
    /** Which topic each message belongs to, by where it came from. */
    const topics = new Map<string, string>()
    const bury: Bury = (incoming, failure) => this.#bury(incoming, failure, (address) => topics.get(address))
    return await this.#addListener(
      {
        name: `listener ${[...new Set(sources.map(({ target }) => target.topic))].join(', ')}`,
        sources: async (addressing, deadline) => {
          const found = await (pool === null
            ? sourcesOf(addressing, { targets, service: 'notify', owner }, deadline)
            : poolSourcesOf(addressing, targets, pool, deadline))
          for (const [index, source] of found.entries()) topics.set(addressOf(source), targets[index]?.topic ?? '')
          return found
        },
        links: targets.length,
        maxMessageSize: this.#settings.maxMessageBytes,
        credit: Math.min(this.#context.options.notify_server_credit, options.prefetch),
        prefetch: options.prefetch,
        onMessage: (incoming) => {
          options.onMessage(incomingNotification(incoming, bury))
        },
      },
      options.deadline,
    )
  }

  health(): Health {
    const others = [this.#calls.health(), this.#publisher.health()].filter((each) => each !== undefined)
    const listeners: ComponentHealth[] = [...this.#listeners].map((listener) => listener.health())
    const connection = this.#connection.health()
    const isIdle = connection.state === 'starting' && listeners.length === 0 && others.length === 0
    return summarizeHealth(isIdle ? [] : [connection, ...others, ...listeners])
  }

  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#closing ??= this.#close(options.signal)
    return this.#closing
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    const patience = signal ?? AbortSignal.timeout(CLOSE_PATIENCE_MS)
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    this.#calls.close(() => new ClosedError('The transport was closed while the call waited for its reply'))
    await this.#publisher.close(patience)
    // The answer to the close is the only word that the peer has had what it does not answer for.
    const isOwed = this.#publisher.sinceSettledMs < OWED_MS
    if ((await this.#connection.close(isOwed ? patience : undefined)) || !isOwed) return
    const error = new TransportDriverError(
      'The peer did not answer the close in time: casts and replies that were sent last may not have reached it',
      { retryable: true, phase: 'confirm', delivery: 'unknown' },
    )
    this.#context.logger.warn(error.message)
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'amqp close', error }))
  }

  async #addListener(options: LinkListenerOptions, deadline: Deadline): Promise<Listener> {
    const listener = new LinkListener(this.#connection, this.#context, options)
    this.#listeners.add(listener)
    // One that failed for good stays in sight, for health.
    listener.closed.then(
      () => this.#listeners.delete(listener),
      () => undefined,
    )
    try {
      return await listener.start(deadline)
    } catch (error) {
      this.#listeners.delete(listener)
      throw error
    }
  }

  async #publish(
    to: Destination,
    message: OutgoingMessage['message'],
    options: PublishOptions,
    kind: Kind,
  ): Promise<void> {
    const { deadline, retries, connectRetries = retries } = options
    const outgoing = {
      to,
      message,
      bytes: Buffer.byteLength(message.body ?? ''),
      deadline,
      retries,
      connectRetries,
      progress: newProgress(),
      preSettled: this.#preSettled.has(kind),
    }
    // Settled when it leaves: with everything at hand that is the end of this turn, and what becomes of it then nobody
    // learns.
    if (outgoing.preSettled) {
      const written = createDeferred<void>()
      const onEnd = (failure: { readonly error: unknown } | undefined): void =>
        failure === undefined ? written.resolve() : written.reject(failure.error)
      if (this.#publisher.post(outgoing, onEnd)) return await written.promise
    }
    await this.#publisher.send(outgoing)
  }

  /** Stores a notification that could not be handled, under the topic it came from and `.dead`. */
  async #bury(
    incoming: Incoming,
    failure: FailureFacts,
    topicOf: (address: string) => string | undefined,
  ): Promise<void> {
    const from = incoming.source === undefined ? '' : addressOf(incoming.source)
    const encoded = buriedOf(incoming.message.bytes, from, failure)
    await this.#publisher.send({
      to: { target: new Target({ topic: `${topicOf(from)}.dead` }), service: 'notify' },
      message: { body: undefined, encoded },
      bytes: encoded.length,
      deadline: Deadline.after(BURIAL_TIMEOUT_MS, { clock: this.#context.clock }),
      retries: null,
      connectRetries: null,
      progress: newProgress(),
      // Whatever the options say of notifications: the original is settled on the strength of it.
      preSettled: false,
    })
  }

  /** Sends a reply; true when it left. Nobody waits for the failure of one here, so it is reported. */
  async #reply(message: EncodableMessage): Promise<boolean> {
    const { to: address, ...content } = message
    const { default_reply_timeout: seconds, default_reply_retry: retry } = this.#context.options
    const deadline = Deadline.after(seconds * 1000, { clock: this.#context.clock })
    // Losing our own connection is no reason to give up: the client's address outlives it.
    const options = { deadline, retries: retry < 0 ? null : retry, connectRetries: null }
    const needsBody = content.body === undefined && this.#connection.current?.addressing.needsBody === true
    try {
      await this.#publish(address, needsBody ? { ...content, body: null } : content, options, 'rpc-reply')
      return true
    } catch (error) {
      emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'amqp', replyTo: address, error }))
      this.#context.logger.warn(`A reply to ${address} could not be delivered`, { error })
      return false
    }
  }

  /** The deadline, or an earlier one of so many seconds from now. */
  #atMost(deadline: Deadline, seconds: number): Deadline {
    if (deadline.remainingMs <= seconds * 1000) return deadline
    return Deadline.after(seconds * 1000, { signal: deadline.signal, clock: this.#context.clock })
  }
}

const addressOf = (source: ListenerSource): string => (typeof source === 'string' ? source : source.address)

interface PublishOptions {
  readonly deadline: Deadline
  readonly retries: number | null
  /** Default: `retries`. */
  readonly connectRetries?: number | null
}
