import {
  type ComponentHealth,
  createDeferred,
  Deadline,
  type Listener,
  Supervisor,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type {
  ArgumentTable,
  ClientChannel,
  ClientConnection,
  ClientDelivery,
  QueueDeclaration,
} from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { ConsumerSession, type ConsumerSessionOptions } from './consumer-session.ts'
import { declareSubscriptions, redeclareSubscriptions } from '../topology/declare-subscriptions.ts'
import { classify, mapError } from '../connection/map-error.ts'
import { waitAtMost } from '../connection/wait-at-most.ts'
import { retryBackoff, sleepAtMost, slowRetryMs } from '../connection/recovery.ts'
import { reportState } from '../connection/runtime.ts'
import { LostQueues } from './lost-queues.ts'
import { StreamPosition } from './stream-position.ts'
import { byQueue, type Subscription } from '../topology/topology.ts'
import type { WatchedConsumer } from './watchdog.ts'

export interface ConsumerOptions extends ConsumerSessionOptions {
  readonly connection: Connection
  readonly subscriptions: readonly Subscription[]
  /** Milliseconds a delivery may have to be held back; null: no longer than the broker allows by itself. */
  readonly heldBackMs: number | null
  /** What was handed over and not settled went back to the broker. */
  readonly onRevoked: () => void
  /** It is over, for good: the owner forgets it. */
  readonly onEnd: (consumer: Consumer) => void
}

/** A listener: declares, binds, consumes, and does so again after every loss. One channel each, so that one listener's
 *  error is its own (P15). */
export class Consumer implements Listener, WatchedConsumer {
  readonly #options: ConsumerOptions
  readonly #supervisor: Supervisor
  readonly #closed = createDeferred<void>()
  /** How far each stream was read, to go on after a reconnect. */
  readonly #positions = new Map<string, StreamPosition>()
  readonly #lost: LostQueues
  /** Where it consumed last. */
  #client: ClientConnection | undefined
  #session: ConsumerSession | undefined
  #everConsumed = false
  #stopping: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #deliveries = 0

  constructor(options: ConsumerOptions) {
    this.#options = options
    const { runtime, name } = options
    const report = reportState(runtime, 'listener', name)
    this.#supervisor = new Supervisor({
      establish: async (signal, attempt) => await this.#establish(signal, attempt),
      classify,
      upState: 'consuming',
      heldUpBy: () => options.connection.error,
      clock: runtime.clock,
      backoff: retryBackoff(runtime),
      retryFatalMs: slowRetryMs(runtime),
      onChange: report,
    })
    this.#lost = new LostQueues({
      runtime,
      name,
      resume: async (subscription) => await this.#resume(subscription),
      // The listener begins again as a whole, and meets the same refusal.
      onRefused: (error) => this.lost(mapError(error)),
    })
    // Core looks at it; until it does, a rejection is already in the state and the log.
    this.#closed.promise.catch(() => {})
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Resolves once the broker delivers; rejects at the deadline or when it refuses, and has given up then. */
  async open(deadline: Deadline): Promise<void> {
    const { connection } = this.#options
    try {
      await connection.ready(deadline)
      await this.#supervisor.ready(deadline, { phase: 'declare', delivery: 'not-sent' })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  health(): ComponentHealth {
    const health = this.#supervisor.health('listener', this.#options.name, this.#options.connection.host)
    if (health.state !== 'consuming') return health
    const lost = this.#lost.first
    if (lost !== undefined) return { ...health, state: 'recovering', ...lost }
    return this.unverified === undefined ? health : { ...health, reason: this.unverified }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** Ends it with an error, as if the broker had refused it for good: what is in hand goes back, and `closed`
   *  rejects. */
  fail(error: unknown): void {
    const session = this.#session
    this.#supervisor.close()
    if (session !== undefined) this.#lose(session, error)
    this.#closed.reject(error)
  }

  // --- for the watchdog ---------------------------------------------------------------------------------------------

  get isConsuming(): boolean {
    return this.#supervisor.state === 'consuming'
  }

  /** Counts up with every delivery: a consumer that hears something is alive. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Whether more could be delivered now. */
  get hasRoom(): boolean {
    return this.#session?.hasRoom === true
  }

  get queues(): readonly { readonly name: string; readonly shared: boolean }[] {
    return this.#options.subscriptions
      .filter(({ queue }) => !this.#lost.has(queue.name))
      .map(({ kind, queue, stream }) => ({
        name: queue.name,
        shared: stream || (kind !== 'server' && kind !== 'fanout'),
      }))
  }

  unverified: string | undefined

  lost(reason: Error): void {
    const session = this.#session
    if (session !== undefined) this.#lose(session, reason)
  }

  // --- subscribing --------------------------------------------------------------------------------------------------

  async #establish(signal: AbortSignal, attempt: number): Promise<void> {
    const { connection, runtime, subscriptions } = this.#options
    // Before the connection is asked for: a channel may end a moment before its connection does.
    if (attempt === 0 && this.#everConsumed) await sleepAtMost(runtime, signal)
    const client = await connection.ready(Deadline.after(null, { signal, clock: runtime.clock }))
    try {
      const isNewConnection = client !== this.#client
      const failures = this.#everConsumed
        ? await redeclareSubscriptions(client, subscriptions, { isNewConnection })
        : (await declareSubscriptions(client, subscriptions), NONE)
      const queues = byQueue(subscriptions)
      await this.#consume(
        client,
        signal,
        queues.filter(({ queue }) => !failures.has(queue.name)),
      )
      for (const subscription of queues)
        if (failures.has(subscription.queue.name)) this.#lost.add(subscription, failures.get(subscription.queue.name))
    } catch (error) {
      throw mapError(error, { host: connection.host, phase: 'declare' })
    }
  }

  /** One queue again, on the channel of the others. */
  async #resume(subscription: Subscription): Promise<void> {
    const { connection, subscriptions } = this.#options
    const session = this.#session
    const client = connection.current
    if (session === undefined || client === undefined)
      throw new TransportDriverError('The listener has no channel', { retryable: true })
    const { name } = subscription.queue
    const same = subscriptions.filter(({ queue }) => queue.name === name)
    try {
      await redeclareSubscriptions(client, same, { isNewConnection: false })
      if (session === this.#session) await this.#consumeQueue(session, subscription)
    } catch (error) {
      throw mapError(error, { host: connection.host, phase: 'declare' })
    }
  }

  async #consumeQueue(session: ConsumerSession, subscription: Subscription): Promise<void> {
    const { name } = subscription.queue
    const onDelivery = (delivery: ClientDelivery | null): void =>
      delivery === null ? this.#cancelled(session, subscription) : this.#deliver(session, delivery, subscription)
    const consumeArguments = await this.#consumeArguments(session, subscription)
    const options = { consumerTag: session.tagFor(name), noAck: false, arguments: consumeArguments }
    await session.channel.consume(name, options, onDelivery)
  }

  async #consume(client: ClientConnection, signal: AbortSignal, queues: readonly Subscription[]): Promise<void> {
    const { prefetch } = this.#options
    const channel = await client.openChannel()
    const session = new ConsumerSession(channel, this.#options)
    channel.onClosed = (reason) => this.#lose(session, reason ?? new Error('Channel closed'))
    if (signal.aborted) {
      await channel.close()
      signal.throwIfAborted()
    }
    this.#session = session
    try {
      await channel.prefetch(prefetch)
      for (const subscription of queues) await this.#consumeQueue(session, subscription)
    } catch (error) {
      this.#lose(session, error)
      throw error
    }
    if (signal.aborted) this.#lose(session, signal.reason)
    this.#everConsumed = true
    this.#client = client
  }

  async #consumeArguments({ channel }: ConsumerSession, subscription: Subscription): Promise<ArgumentTable> {
    const { queue, stream } = subscription
    const timeout = consumerTimeout(this.#options, queue)
    const consumeArguments = { ...subscription.consumeArguments, ...timeout }
    if (!stream) return consumeArguments
    const { messageCount } = await channel.checkQueue(queue.name)
    const offset = this.#positions.get(queue.name)?.goOn(messageCount)
    if (offset !== undefined) return { ...consumeArguments, 'x-stream-offset': offset }
    // Everything in a stream that is empty now is yet to come, also when this connection is lost before the first of
    // it.
    if (messageCount === 0) this.#positions.set(queue.name, new StreamPosition(0))
    return consumeArguments
  }

  // --- deliveries ---------------------------------------------------------------------------------------------------

  #deliver(session: ConsumerSession, delivery: ClientDelivery, { stream, queue }: Subscription): void {
    this.#deliveries += 1
    if (this.#stopping !== undefined || session.isLost) return session.acks.reject(delivery.deliveryTag, true)
    const offset = stream ? delivery.properties.headers?.['x-stream-offset'] : undefined
    if (typeof offset !== 'number') return session.deliver(delivery, queue.name)
    const position = this.#positions.get(queue.name) ?? new StreamPosition()
    this.#positions.set(queue.name, position)
    switch (position.delivered(offset, delivery.body)) {
      case 'new':
        return session.deliver(delivery, queue.name, () => position.settled(offset))
      case 'settled':
        return session.acks.acknowledge(delivery.deliveryTag)
      case 'of-another': {
        const text = `The stream '${queue.name}' was made anew: it is read from its beginning`
        this.#lose(session, new TransportDriverError(text, { retryable: true }))
      }
    }
  }

  // --- loss and end -------------------------------------------------------------------------------------------------

  #cancelled(session: ConsumerSession, subscription: Subscription): void {
    const { queue } = subscription
    const reason = new TransportDriverError(
      `The broker cancelled the consumer of queue '${queue.name}': it was deleted or moved`,
      { host: this.#options.connection.host, retryable: true },
    )
    const others = this.queues.some(({ name }) => name !== queue.name)
    // One queue of several is no reason to interrupt the others.
    if (!others || session !== this.#session || !this.isConsuming) return this.#lose(session, reason)
    session.tags.delete(queue.name)
    this.#lost.add(subscription, reason)
  }

  #lose(session: ConsumerSession, reason: unknown): void {
    if (!session.end(reason)) return
    this.#lost.clear()
    if (this.#session === session) this.#session = undefined
    this.#options.onRevoked()
    void session.channel.close()
    if (this.#stopping === undefined) this.#supervisor.lost(mapError(reason, { host: this.#options.connection.host }))
  }

  async #stop(): Promise<void> {
    const session = this.#session
    this.#supervisor.close()
    this.#lost.clear()
    if (session === undefined) return
    session.giveBackWaiting()
    const cancelled = Promise.all([...session.tags.values()].map(async (tag) => await session.channel.cancel(tag)))
    // A channel that is gone or silent delivers nothing either.
    await waitAtMost(this.#options.runtime.clock, cancelled)
  }

  async #close(): Promise<void> {
    await this.stop()
    const session = this.#session
    this.#session = undefined
    if (session !== undefined && session.end(new Error('The listener was closed'))) {
      session.acks.flush()
      await waitAtMost(this.#options.runtime.clock, this.#releaseBroker(session.channel))
    }
    this.#options.onEnd(this)
    this.#closed.resolve()
  }

  async #releaseBroker(channel: ClientChannel): Promise<void> {
    for (const { queue, deleteOnClose } of this.#options.subscriptions)
      if (deleteOnClose) await channel.deleteQueue(queue.name)
    await channel.close()
  }
}

/** From 4.3 on RabbitMQ lets a consumer of a quorum queue say how long it may hold a delivery back; of others it
 *  refuses the argument. */
function consumerTimeout(
  options: Pick<ConsumerOptions, 'connection' | 'heldBackMs'>,
  queue: QueueDeclaration,
): ArgumentTable {
  const { connection, heldBackMs } = options
  if (heldBackMs === null || queue.arguments['x-queue-type'] !== 'quorum') return {}
  const [major = 0, minor = 0] = (connection.current?.brokerVersion ?? '').split('.').map(Number)
  return major > 4 || (major === 4 && minor >= 3) ? { 'x-consumer-timeout': heldBackMs } : {}
}

const NONE: ReadonlyMap<string, unknown> = new Map()
