import { randomUUID } from 'node:crypto'
import {
  ClosedError,
  type ComponentHealth,
  Deadline,
  type Driver,
  type DriverContext,
  type DriverDefinition,
  emitDiagnostic,
  type Health,
  type Listener,
  type ListenOptions,
  NO_CAPABILITIES,
  type NotificationSource,
  type NotifyListenOptions,
  type NotifyOptions,
  type OutgoingNotification,
  type OutgoingRequest,
  type RPCReply,
  type SendOptions,
  summarizeHealth,
  Target,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { type Message, NO_BODY } from './client.ts'
import { type AmqpOptions, amqpConfig } from './config.ts'
import { AmqpConnection } from './connection.ts'
import { type Incoming, LinkListener } from './link-listener.ts'
import { decodeMessage, encodeNotification, encodeReply, encodeRequest } from './message.ts'
import { Publisher } from './publisher.ts'
import { ReplyLink } from './reply-link.ts'

/** What a message may be sent settled as (`pre_settled`). */
type Kind = 'rpc-call' | 'rpc-cast' | 'rpc-reply' | 'notify'

/** AMQP 1.0 for brokers and message routers: Artemis, Qpid, dispatch routers. Scheme `amqp`. Register it, or let it be found by its package name. */
export const amqpDriver: DriverDefinition<AmqpOptions> = {
  name: 'amqp',
  schemes: ['amqp'],
  capabilities: {
    ...NO_CAPABILITIES,
    rpc: true,
    rpcFanout: true,
    rpcCallMonitoring: true,
    rpcExpiry: true,
    notifications: true,
    requeue: true,
    storesBeforeListeners: true,
    exchanges: 'rpc',
    virtualHosts: true,
    notificationAcknowledgement: 'after-handler',
    ordering: 'queue',
  },
  config: amqpConfig,
  open: (url, context) => new AmqpDriver(url, context),
}

class AmqpDriver implements Driver {
  readonly #context: DriverContext<AmqpOptions>
  readonly #connection: AmqpConnection
  readonly #publisher: Publisher
  readonly #preSettled: ReadonlySet<string>
  readonly #listeners = new Set<LinkListener>()
  #replies: ReplyLink | undefined
  #closing: Promise<void> | undefined

  constructor(url: TransportURL, context: DriverContext<AmqpOptions>) {
    this.#context = context
    this.#connection = new AmqpConnection(url, context)
    this.#publisher = new Publisher(this.#connection, context)
    this.#preSettled = new Set(context.options.pre_settled)
    const known: readonly string[] = ['rpc-call', 'rpc-cast', 'rpc-reply', 'notify'] satisfies Kind[]
    for (const kind of this.#preSettled)
      if (!known.includes(kind))
        context.logger.warn(`[oslo_messaging_amqp] pre_settled: ${kind} is no kind of message and is ignored`)
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    const { deadline } = options
    const { addresser } = await this.#connection.live(deadline)
    const address = addresser.address(target, 'rpc')
    const monitorMs = options.callMonitorTimeoutMs
    const body = encodeRequest(request, monitorMs === null ? null : monitorMs / 1000)
    if (!options.waitForReply) {
      await this.#publish(address, { to: address, body, ...headersOf(request.headers) }, body, options, 'rpc-cast')
      return undefined
    }
    this.#replies ??= new ReplyLink(this.#connection, this.#context)
    const replies = this.#replies
    const replyTo = await replies.address(deadline)
    const id = randomUUID().replaceAll('-', '')
    const reply = replies.waiters.wait(id, { deadline, callMonitorTimeoutMs: monitorMs })
    // The reply decides; when the send fails first, the waiter is told and `reply` rejects with that.
    this.#publish(
      address,
      {
        to: address,
        message_id: id,
        reply_to: replyTo,
        body,
        ...(options.expiresInMs === null ? {} : { ttl: Math.ceil(options.expiresInMs) }),
        ...headersOf(request.headers),
      },
      body,
      options,
      'rpc-call',
    ).catch((error: unknown) => replies.waiters.fail(id, error))
    return await reply
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { addresser } = await this.#connection.live(options.deadline)
    // Upstream leaves the exchange of notifications out, and listeners do not look for it there.
    const address = addresser.address(target.with({ exchange: null }), 'notify')
    const body = encodeNotification(notification, options.version)
    const message = { to: address, body, durable: true, ...headersOf(notification.headers) }
    await this.#publish(address, message, body, options, 'notify')
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const { topic, exchange, server } = target
    const targets = [
      new Target({ topic, exchange, server }),
      new Target({ topic, exchange, fanout: true }),
      new Target({ topic, exchange }),
    ]
    return await this.#addListener(
      {
        name: `rpc server ${topic}.${server}`,
        addresses: (addresser) => targets.map((each) => addresser.address(each, 'rpc')),
        credit: Math.min(this.#context.options.rpc_server_credit, options.prefetch),
        prefetch: options.prefetch,
        onMessage: (incoming) => this.#onRequest(incoming, options),
      },
      options.deadline,
    )
  }

  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    return await this.#addListener(
      {
        name: `listener ${[...new Set(sources.map(({ target }) => target.topic))].join(', ')}`,
        addresses: (addresser) =>
          sources.map(({ target, priority }) =>
            addresser.address(new Target({ topic: `${target.topic}.${priority}` }), 'notify'),
          ),
        credit: Math.min(this.#context.options.notify_server_credit, options.prefetch),
        prefetch: options.prefetch,
        onMessage: (incoming) => this.#onNotification(incoming, options),
      },
      options.deadline,
    )
  }

  health(): Health {
    const replies = this.#replies === undefined ? [] : [this.#replies.health()]
    const listeners: ComponentHealth[] = [...this.#listeners].map((listener) => listener.health())
    const connection = this.#connection.health()
    const isIdle = connection.state === 'starting' && listeners.length === 0 && replies.length === 0
    return summarizeHealth(isIdle ? [] : [connection, ...replies, ...listeners])
  }

  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#closing ??= this.#close(options.signal)
    return this.#closing
  }

  async #close(_signal: AbortSignal | undefined): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    this.#replies?.close(() => new ClosedError('The transport was closed while the call waited for its reply'))
    await this.#publisher.close()
    await this.#connection.close()
  }

  async #addListener(options: ConstructorParameters<typeof LinkListener>[2], deadline: Deadline): Promise<Listener> {
    const listener = new LinkListener(this.#connection, this.#context, options)
    this.#listeners.add(listener)
    const forget = (): void => void this.#listeners.delete(listener)
    listener.closed.then(forget, () => {})
    return await listener.start(deadline)
  }

  async #publish(
    address: string,
    message: object,
    body: string,
    options: { readonly deadline: Deadline; readonly retries: number | null },
    kind: Kind,
  ): Promise<void> {
    await this.#publisher.send(address, message as Message, Buffer.byteLength(body), {
      deadline: options.deadline,
      retries: options.retries,
      preSettled: this.#preSettled.has(kind),
    })
  }

  #onRequest(incoming: Incoming, options: ListenOptions): void {
    const { message: raw } = incoming
    try {
      const { message, context, callMonitorTimeout } = decodeMessage(raw.body)
      const replyTo = typeof raw.reply_to === 'string' ? raw.reply_to : undefined
      const correlationId = raw.message_id
      options.onMessage({
        message,
        context,
        callMonitorTimeout,
        expectsReply: replyTo !== undefined,
        signal: incoming.signal,
        ...factsOf(raw),
        acknowledge: incoming.accept,
        requeue: incoming.release,
        reply: async (reply) => {
          if (replyTo === undefined) return
          const body = encodeReply(reply)
          await this.#reply(replyTo, { to: replyTo, correlation_id: correlationId, body }, body)
        },
        heartbeat: async () => {
          if (replyTo === undefined) return false
          const ttl = callMonitorTimeout === null ? undefined : Math.ceil(callMonitorTimeout * 1000)
          return await this.#reply(replyTo, { to: replyTo, correlation_id: correlationId, body: NO_BODY, ttl }, '')
        },
      })
    } catch (error) {
      incoming.unreadable(error)
    }
  }

  /** Sends a reply; true when it left. Nobody waits for the failure of one here, so it is reported. */
  async #reply(address: string, message: object, body: string): Promise<boolean> {
    const { default_reply_timeout: seconds, default_reply_retry: retry } = this.#context.options
    const deadline = Deadline.after(seconds * 1000, { clock: this.#context.clock })
    try {
      await this.#publish(address, message, body, { deadline, retries: retry < 0 ? null : retry }, 'rpc-reply')
      return true
    } catch (error) {
      emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'amqp', replyTo: address, error }))
      this.#context.logger.warn(`A reply to ${address} could not be delivered`, { error })
      return false
    }
  }

  #onNotification(incoming: Incoming, options: NotifyListenOptions): void {
    try {
      const { message, context } = decodeMessage(incoming.message.body)
      options.onMessage({
        message,
        context,
        signal: incoming.signal,
        ...factsOf(incoming.message),
        acknowledge: incoming.accept,
        requeue: incoming.release,
      })
    } catch (error) {
      incoming.unreadable(error)
    }
  }
}

/** Trace context travels in application properties; peers that do not look for it see the same message. */
function headersOf(headers: Readonly<Record<string, string>> | undefined): object {
  return headers === undefined || Object.keys(headers).length === 0 ? {} : { application_properties: headers }
}

function factsOf(message: Message): object {
  const {
    delivery_count: deliveryCount = 0,
    first_acquirer: firstAcquirer,
    application_properties: properties,
  } = message
  const headers = Object.fromEntries(
    Object.entries((properties ?? {}) as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
  return {
    deliveryCount,
    redelivered: deliveryCount > 0 || firstAcquirer === false,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
}
