import {
  type ComponentHealth,
  createBackoff,
  createDeferred,
  Deadline,
  type Listener,
  Supervisor,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { AckBatch } from './ack-batch.ts'
import type { ArgumentTable, ClientChannel, ClientConnection, ClientDelivery } from './client.ts'
import type { Connection } from './connection.ts'
import { declareSubscriptions } from './declare-subscriptions.ts'
import { Delivery } from './delivery.ts'
import { reportDropped } from './dropped.ts'
import { classify, mapError } from './map-error.ts'
import { patiently } from './patience.ts'
import { sleepAtMost } from './recovery.ts'
import { componentHealth, reportState, type Runtime } from './runtime.ts'
import type { Subscription } from './topology.ts'
import type { WatchedConsumer } from './watchdog.ts'

export interface ConsumerOptions {
  readonly runtime: Runtime
  readonly connection: Connection
  /** For health and logs: `rpc compute.node1`. */
  readonly name: string
  readonly subscriptions: readonly Subscription[]
  /** Most deliveries handed over and not settled, over all queues together. */
  readonly prefetch: number
  /** Gets each delivery; returns at once and does not throw. */
  readonly onDelivery: (delivery: Delivery) => void
  /** What was handed over and not settled went back to the broker. */
  readonly onRevoked: () => void
  /** It is over, for good: the owner forgets it. */
  readonly onEnd: (consumer: Consumer) => void
}

/** One channel with its consumers, from subscription to loss. */
interface Session {
  readonly channel: ClientChannel
  readonly acks: AckBatch
  readonly revoked: AbortController
  /** Delivered by the broker beyond what may be in hand: each queue of the listener has the whole prefetch for itself. */
  readonly waiting: { readonly delivery: ClientDelivery; readonly queue: string; readonly since: number }[]
  inHand: number
  lost: boolean
}

/** A listener: declares, binds, consumes, and does so again after every loss. One channel each, so that one listener's error is its own (P15). */
export class Consumer implements Listener, WatchedConsumer {
  readonly #options: ConsumerOptions
  readonly #supervisor: Supervisor
  readonly #closed = createDeferred<void>()
  /** Last offset seen of each stream, to go on after a reconnect. */
  readonly #offsets = new Map<string, number>()
  #session: Session | undefined
  #everConsumed = false
  #stopping: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #deliveries = 0

  constructor(options: ConsumerOptions) {
    this.#options = options
    const { runtime, name } = options
    const { rabbit_retry_interval, rabbit_retry_backoff, rabbit_interval_max } = runtime.options
    const report = reportState(runtime, 'listener', name)
    this.#supervisor = new Supervisor({
      establish: async (signal, attempt) => await this.#establish(signal, attempt),
      classify,
      upState: 'consuming',
      heldUpBy: () => options.connection.error,
      clock: runtime.clock,
      backoff: createBackoff({
        initialMs: rabbit_retry_interval * 1000,
        stepMs: rabbit_retry_backoff * 1000,
        maxMs: rabbit_interval_max * 1000,
        random: runtime.random,
      }),
      onChange: (change) => {
        report(change)
        if (change.state === 'failed') this.#fail(change.error)
      },
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
    return componentHealth(this.#supervisor, 'listener', this.#options.name, this.#options.connection.host)
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** Ends it with an error, as if the broker had refused it for good: what is in hand goes back, and `closed` rejects. */
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
    const session = this.#session
    return session !== undefined && session.inHand < this.#options.prefetch && session.waiting.length === 0
  }

  get queues(): readonly { readonly name: string; readonly shared: boolean }[] {
    return this.#options.subscriptions.map(({ kind, queue, stream }) => ({
      name: queue.name,
      shared: stream || (kind !== 'server' && kind !== 'fanout'),
    }))
  }

  lost(reason: Error): void {
    const session = this.#session
    if (session !== undefined) this.#lose(session, reason)
  }

  // --- subscribing --------------------------------------------------------------------------------------------------

  async #establish(signal: AbortSignal, attempt: number): Promise<void> {
    const { connection, runtime, subscriptions } = this.#options
    const client = await connection.ready(Deadline.after(null, { signal, clock: runtime.clock }))
    if (attempt === 0 && this.#everConsumed) await sleepAtMost(runtime, signal)
    try {
      await declareSubscriptions(client, subscriptions)
      await this.#consume(client, signal)
    } catch (error) {
      throw mapError(error, { host: connection.host, phase: 'declare' })
    }
  }

  async #consume(client: ClientConnection, signal: AbortSignal): Promise<void> {
    const { subscriptions, prefetch } = this.#options
    const channel = await client.openChannel()
    const session: Session = {
      channel,
      acks: new AckBatch(channel),
      revoked: new AbortController(),
      waiting: [],
      inHand: 0,
      lost: false,
    }
    channel.onClosed = (reason) => this.#lose(session, reason ?? new Error('Channel closed'))
    if (signal.aborted) {
      await channel.close()
      signal.throwIfAborted()
    }
    this.#session = session
    try {
      await channel.prefetch(prefetch)
      for (const [index, subscription] of byQueue(subscriptions).entries()) {
        const { name } = subscription.queue
        const onDelivery = (delivery: ClientDelivery | null): void =>
          delivery === null ? this.#cancelled(session, subscription) : this.#deliver(session, delivery, subscription)
        const options = {
          consumerTag: String(index + 1),
          noAck: false,
          arguments: this.#consumeArguments(subscription),
        }
        await channel.consume(name, options, onDelivery)
      }
    } catch (error) {
      this.#lose(session, error)
      throw error
    }
    if (signal.aborted) this.#lose(session, signal.reason)
    this.#everConsumed = true
  }

  #consumeArguments({ queue, stream, consumeArguments }: Subscription): ArgumentTable {
    const offset = stream ? this.#offsets.get(queue.name) : undefined
    return offset === undefined ? consumeArguments : { ...consumeArguments, 'x-stream-offset': offset + 1 }
  }

  // --- deliveries ---------------------------------------------------------------------------------------------------

  #deliver(session: Session, delivery: ClientDelivery, { stream, queue }: Subscription): void {
    this.#deliveries += 1
    if (stream) {
      const offset = delivery.properties.headers?.['x-stream-offset']
      if (typeof offset === 'number') this.#offsets.set(queue.name, offset)
    }
    if (this.#stopping !== undefined || session.lost) session.acks.reject(delivery.deliveryTag, true)
    else if (session.inHand < this.#options.prefetch) this.#handOver(session, delivery, queue.name)
    else session.waiting.push({ delivery, queue: queue.name, since: this.#options.runtime.clock.now() })
  }

  #handOver(session: Session, delivery: ClientDelivery, queue: string): void {
    session.inHand += 1
    this.#options.onDelivery(
      new Delivery(delivery, queue, session.revoked.signal, {
        acknowledge: (tag) => {
          if (!session.lost) session.acks.acknowledge(tag)
          this.#release(session)
        },
        reject: (tag, requeue) => {
          if (!session.lost) session.acks.reject(tag, requeue)
          this.#release(session)
        },
      }),
    )
  }

  #release(session: Session): void {
    session.inHand -= 1
    while (session.inHand < this.#options.prefetch) {
      const next = session.waiting.shift()
      if (next === undefined) return
      if (!this.#hasExpired(next.delivery, next.since)) return this.#handOver(session, next.delivery, next.queue)
      session.acks.acknowledge(next.delivery.deliveryTag)
      reportDropped(this.#options.runtime, this.#options.name, 'expired', {})
    }
  }

  /** The broker drops what expires in its queue; what expires while it waits here is dropped here. */
  #hasExpired({ properties }: ClientDelivery, since: number): boolean {
    if (properties.expiration === undefined) return false
    return this.#options.runtime.clock.now() - since >= Number(properties.expiration)
  }

  // --- loss and end -------------------------------------------------------------------------------------------------

  #cancelled(session: Session, { queue, stream }: Subscription): void {
    if (stream) this.#offsets.delete(queue.name)
    this.#lose(
      session,
      new TransportDriverError(`The broker cancelled the consumer of queue '${queue.name}': it was deleted or moved`, {
        host: this.#options.connection.host,
        retryable: true,
      }),
    )
  }

  #lose(session: Session, reason: unknown): void {
    if (session.lost) return
    session.lost = true
    session.waiting.length = 0
    if (this.#session === session) this.#session = undefined
    session.revoked.abort(reason)
    this.#options.onRevoked()
    void session.channel.close()
    if (this.#stopping === undefined) this.#supervisor.lost(mapError(reason, { host: this.#options.connection.host }))
  }

  async #stop(): Promise<void> {
    const session = this.#session
    const wasFailed = this.#supervisor.state === 'failed'
    this.#supervisor.close()
    if (session === undefined || wasFailed) return
    for (const { delivery } of session.waiting.splice(0)) session.acks.reject(delivery.deliveryTag, true)
    const tags = byQueue(this.#options.subscriptions).map((_, index) => String(index + 1))
    const cancelled = Promise.all(tags.map(async (tag) => await session.channel.cancel(tag)))
    // A channel that is gone or silent delivers nothing either.
    await patiently(this.#options.runtime.clock, cancelled)
  }

  async #close(): Promise<void> {
    await this.stop()
    const session = this.#session
    this.#session = undefined
    if (session !== undefined && !session.lost) {
      session.lost = true
      session.acks.flush()
      session.revoked.abort(new Error('The listener was closed'))
      await patiently(this.#options.runtime.clock, this.#releaseBroker(session.channel))
    }
    this.#options.onEnd(this)
    this.#closed.resolve()
  }

  async #releaseBroker(channel: ClientChannel): Promise<void> {
    for (const { queue, deleteOnClose } of this.#options.subscriptions)
      if (deleteOnClose) await channel.deleteQueue(queue.name)
    await channel.close()
  }

  #fail(error: unknown): void {
    const session = this.#session
    if (session !== undefined) this.#lose(session, error)
    // It stays in health reports, as failed, until somebody closes it.
    this.#closed.reject(error)
  }
}

/** A pool over several exchanges has one queue in several subscriptions: it is consumed once. */
function byQueue(subscriptions: readonly Subscription[]): readonly Subscription[] {
  return [...new Map(subscriptions.map((subscription) => [subscription.queue.name, subscription])).values()]
}
