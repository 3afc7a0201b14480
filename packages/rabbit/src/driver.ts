import {
  type Backoff,
  type ComponentHealth,
  ConfigurationError,
  createBackoff,
  type Driver,
  type DriverContext,
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
  SerializationError,
  summarizeHealth,
  type Target,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import type { RabbitClient } from './client/client.ts'
import { type Compression, compress } from './wire/compression.ts'
import { noteOptions, type RabbitOptions } from './config.ts'
import { Connection } from './connection/connection.ts'
import { Consumer } from './receive/consumer.ts'
import { hostsOf, virtualHostOf } from './connection/hosts.ts'
import { NotificationReader } from './receive/incoming-notification.ts'
import { RequestReader } from './rpc/incoming-request.ts'
import { encodeNotification, encodeRequest, newId } from './wire/message.ts'
import { FailedCopies } from './receive/failed-copies.ts'
import { Publisher } from './send/publisher.ts'
import { newProgress, type OutgoingMessage } from './send/outgoing-message.ts'
import { createQueueNames, type QueueNames } from './topology/queue-names.ts'
import { ReplyQueue } from './rpc/reply-queue.ts'
import { ReplySender } from './rpc/reply-sender.ts'
import { RouteCache } from './topology/route-cache.ts'
import type { Runtime } from './connection/runtime.ts'
import { heldBackMs, noteConsumerTimeout, type RabbitSettings } from './settings.ts'
import { tlsSource } from './connection/tls-options.ts'
import { createTopology, type Subscription, type Topology } from './topology/topology.ts'
import { Watchdog } from './receive/watchdog.ts'

/** RabbitMQ counts a message's time in 32 bits and closes the channel of a longer one. */
const LONGEST_EXPIRATION_MS = 4_294_967_295
/** Pauses between attempts to hand a request to a server that is not there. */
const NOBODY_THERE = { initialMs: 500, factor: 2, maxMs: 5000, jitter: 'none' } as const
/** How long a close waits for what is under way when nobody says how long. */
const CLOSE_PATIENCE_MS = 5_000

/** One broker, reached over AMQP 0-9-1. Wiring only: what it sends is in `message.ts`, what it declares in
 *  `topology.ts`, how it recovers in `connection.ts`, `consumer.ts` and `reply-queue.ts`. Two connections, one to
 *  publish and one to consume; a channel for each listener. */
export class RabbitDriver implements Driver {
  readonly #runtime: Runtime
  readonly #topology: Topology
  readonly #routes: RouteCache
  readonly #compression: Compression | null
  readonly #publishing: Connection
  readonly #consuming: Connection
  readonly #publisher: Publisher
  readonly #replySender: ReplySender
  readonly #replies: ReplyQueue
  readonly #watchdog: Watchdog
  readonly #names: QueueNames
  readonly #consumers = new Set<Consumer>()
  #hasServed = false

  constructor(
    url: TransportURL,
    context: DriverContext<RabbitOptions>,
    client: RabbitClient,
    settings: RabbitSettings,
  ) {
    const { options, program, logger, clock, random } = context
    this.#runtime = { client, options, settings, program, logger, clock, random }
    noteOptions(options, logger)
    this.#topology = createTopology(options, context.defaultExchange, settings)
    this.#routes = new RouteCache(this.#topology)
    this.#compression = compressionOf(options)
    const { credentials } = context
    const place = { hosts: hostsOf(url), virtualHost: virtualHostOf(url), tls: tlsSource(options), credentials }
    this.#publishing = new Connection({ runtime: this.#runtime, purpose: 'publishing', ...place })
    this.#consuming = new Connection({ runtime: this.#runtime, purpose: 'consuming', ...place })
    this.#publisher = new Publisher(this.#runtime, this.#publishing)
    this.#replySender = new ReplySender(this.#runtime, this.#publisher, this.#compression)
    this.#names = createQueueNames(this.#runtime)
    this.#replies = new ReplyQueue(this.#runtime, this.#consuming, async () =>
      this.#topology.replySubscription(`reply_${await this.#names.next()}`),
    )
    this.#watchdog = new Watchdog(this.#runtime, this.#consuming)
  }

  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    return options.waitForReply ? this.#call(target, request, options) : this.#cast(target, request, options)
  }

  async #cast(target: Target, request: OutgoingRequest, options: SendOptions): Promise<undefined> {
    const { exchange, routingKey, requirement } = this.#routes.ofRequest(target)
    await this.#publisher.send({
      exchange,
      routingKey,
      requirement,
      mandatory: isMandatory(target, options),
      expiration: undefined,
      encode: () => this.#pack(encodeRequest(request, null, newId(), this.#publisher.memory.allocate), request.headers),
      deadline: options.deadline,
      retries: options.retries,
      repeatUnknown: false,
      progress: newProgress(),
    })
    return undefined
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { exchange, routingKey, requirement } = this.#routes.ofNotification(target)
    await this.#publisher.send({
      exchange,
      routingKey,
      requirement,
      mandatory: false,
      expiration: undefined,
      encode: () =>
        this.#pack(
          encodeNotification(notification, options.version, newId(), this.#publisher.memory.allocate),
          notification.headers,
        ),
      deadline: options.deadline,
      retries: options.retries,
      // Listeners drop the second copy by its `_unique_id`; a notification that is lost is worse.
      repeatUnknown: true,
      progress: newProgress(),
    })
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const { settings, logger } = this.#runtime
    const acknowledge = options.acknowledge ?? settings.ack
    if (!this.#hasServed && acknowledge === 'after') noteConsumerTimeout({ settings, logger })
    this.#hasServed = true
    const name = `rpc ${target.topic ?? ''}.${target.server ?? ''}`
    const subscriptions = this.#topology.serverSubscriptions(target, await this.#names.next())
    const fanouts = new Set(subscriptions.filter(({ kind }) => kind === 'fanout').map(({ queue }) => queue.name))
    const { onMessage } = options
    const reader = new RequestReader(this.#runtime, name, this.#replySender, acknowledge, fanouts, onMessage)
    return await this.#consume(name, subscriptions, options, {
      onDelivery: (delivery) => reader.read(delivery),
      onRevoked: () => reader.revoked(),
      heldBackMs: acknowledge === 'after' ? heldBackMs(settings) : null,
    })
  }

  async listenForNotifications(
    targets: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    const subscriptions = this.#topology.listenerSubscriptions(targets, options.pool)
    const name = `notifications ${options.pool ?? subscriptions.map(({ queue }) => queue.name).join(',')}`
    const copies = new FailedCopies(this.#runtime, this.#publisher)
    const reader = new NotificationReader(this.#runtime, name, copies, options.onMessage)
    return await this.#consume(name, subscriptions, options, {
      onDelivery: (delivery) => reader.read(delivery),
      onRevoked: () => {},
      heldBackMs: null,
    })
  }

  health(): Health {
    const components: ComponentHealth[] = []
    for (const part of [this.#publishing, this.#consuming, this.#replies]) {
      const health = part.health()
      if (health !== undefined) components.push(health)
    }
    for (const consumer of this.#consumers) components.push(consumer.health())
    return summarizeHealth(components)
  }

  async close({
    signal = AbortSignal.timeout(CLOSE_PATIENCE_MS),
  }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    // A broker that does not answer costs no more than the caller's time: without a connection nothing is left to wait
    // for.
    const cut = (): void => void Promise.all([this.#publishing.close(signal), this.#consuming.close(signal)])
    signal.addEventListener('abort', cut, { once: true })
    this.#watchdog.close()
    await Promise.all([...this.#consumers].map(async (consumer) => await consumer.close()))
    await this.#flushed(signal)
    this.#replySender.close()
    await this.#replies.close()
    await Promise.all([this.#publishing.close(signal), this.#consuming.close(signal)])
    signal.removeEventListener('abort', cut)
  }

  async #call(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply> {
    const { exchange, routingKey, requirement } = this.#routes.ofRequest(target)
    const { deadline, callMonitorTimeoutMs, expiresInMs } = options
    const { clock } = this.#runtime
    if (!this.#replies.isUp) {
      this.#watchdog.watch(this.#replies)
      // The first call needs both connections: they open at the same time. A failure here shows when it is sent.
      this.#publishing.ready(deadline).catch(() => {})
      await this.#replies.ready(deadline)
    }
    const msgId = newId()
    const progress = newProgress()
    const call = {
      msgId,
      replyQueue: this.#replies.name,
      callMonitorTimeout: callMonitorTimeoutMs === null ? null : callMonitorTimeoutMs / 1000,
    }
    // Expected before it is published, so that a fast reply is never missed.
    const reply = this.#replies.expect(msgId, { deadline, callMonitorTimeoutMs, progress: () => progress })
    const post = (message: OutgoingMessage): void =>
      this.#publisher.post(message, (failure) => {
        if (failure !== undefined) this.#replies.fail(msgId, failure.error)
      })
    let pauses: Backoff | undefined
    let attempts = 1
    let again: unknown
    let isOver = false
    // No queue has it, so that it cannot run twice: its server may not be there yet, or not again after an outage.
    const onDropped = (): void => {
      if (isOver || (options.retries !== null && attempts > options.retries)) return
      attempts += 1
      pauses ??= createBackoff({ ...NOBODY_THERE, random: this.#runtime.random })
      again = clock.setTimeout(() => {
        const left = expiresInMs === null ? null : Math.min(expiresInMs, deadline.remainingMs)
        if (left === null || left >= 1) post({ ...outgoing, expiration: expirationOf(left) })
      }, pauses.next())
    }
    const outgoing: OutgoingMessage = {
      exchange,
      routingKey,
      requirement,
      // Also when nobody asked: a timeout is to know whether a queue has the request.
      mandatory: target.fanout !== true,
      onDropped: options.atLeastOnce ? undefined : onDropped,
      expiration: expirationOf(expiresInMs),
      encode: () => this.#pack(encodeRequest(request, call, newId(), this.#publisher.memory.allocate), request.headers),
      deadline,
      retries: options.retries,
      repeatUnknown: false,
      progress,
    }
    post(outgoing)
    try {
      return await reply
    } finally {
      isOver = true
      this.#replies.forget(msgId)
      if (again !== undefined) clock.clearTimeout(again)
    }
  }

  async #consume(
    name: string,
    subscriptions: readonly Subscription[],
    { deadline, prefetch }: Pick<ListenOptions, 'deadline' | 'prefetch'>,
    handlers: Pick<ConstructorParameters<typeof Consumer>[0], 'onDelivery' | 'onRevoked' | 'heldBackMs'>,
  ): Promise<Consumer> {
    const { rabbit_qos_prefetch_count: configured } = this.#runtime.options
    const consumer = new Consumer({
      runtime: this.#runtime,
      connection: this.#consuming,
      name,
      subscriptions,
      prefetch: configured > 0 ? configured : prefetch,
      ...handlers,
      onEnd: (ended) => {
        this.#consumers.delete(ended)
        this.#watchdog.unwatch(ended)
      },
    })
    this.#consumers.add(consumer)
    await consumer.open(deadline)
    this.#watchdog.watch(consumer)
    return consumer
  }

  #pack(body: Buffer, headers: Readonly<Record<string, string>> | undefined): ReturnType<typeof compress> {
    const packed = compress(this.#compression, body)
    if (headers === undefined) return packed
    if ('compression' in headers)
      throw new SerializationError('The header compression tells peers how the body is packed: give yours another name')
    return { body: packed.body, headers: { ...headers, ...packed.headers } }
  }

  /** Waits until everything accepted is settled, as long as the caller wants to wait. */
  async #flushed(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([this.#publisher.idle(), aborted])
  }
}

function isMandatory({ fanout }: Target, { atLeastOnce }: SendOptions): boolean {
  return atLeastOnce && fanout !== true
}

function compressionOf({ kombu_compression: value }: RabbitOptions): Compression | null {
  if (value === null || value === '') return null
  if (value === 'gzip' || value === 'bzip2') return value
  throw new ConfigurationError(`kombu_compression = ${value} is not supported: use gzip or bzip2, or leave it unset`, {
    option: '[oslo_messaging_rabbit] kombu_compression',
  })
}

function expirationOf(expiresInMs: number | null): string | undefined {
  return expiresInMs === null ? undefined : String(Math.min(Math.trunc(expiresInMs), LONGEST_EXPIRATION_MS))
}
