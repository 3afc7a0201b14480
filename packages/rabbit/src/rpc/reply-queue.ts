import {
  BackpressureError,
  ClosedError,
  type ComponentHealth,
  Deadline,
  ReplyPathLost,
  ReplyWaiters,
  type RPCReply,
  type ReplyWaitOptions,
  Supervisor,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { ClientChannel, ClientConnection, ClientDelivery } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { declareSubscriptions } from '../topology/declare-subscriptions.ts'
import { reportDropped } from '../receive/dropped.ts'
import { ReplyAcks } from './reply-acks.ts'
import { brokerCodeOf, classify, mapError } from '../connection/map-error.ts'
import { type DecodedReply, decodeBody, splitReply } from '../wire/message.ts'
import { waitAtMost } from '../connection/wait-at-most.ts'
import { retryBackoff, sleepAtMost, slowRetryMs } from '../connection/recovery.ts'
import { reportState, type Runtime } from '../connection/runtime.ts'
import type { Subscription } from '../topology/topology.ts'
import type { WatchedConsumer } from '../receive/watchdog.ts'

/** After the queue was made anew, replies that servers held back meanwhile (they ask for it within that time) get so
 *  long to arrive. */
const GRACE_MS = 1000
/** Part of the most calls there may be at which a warning is due; doubles each time. */
const FIRST_WARNING_AT = 1 / 8

interface PendingCall {
  readonly monitored: boolean
  /** Value of a reply that came in parts. */
  partial: RPCReply | undefined
}

const NO_VALUE: RPCReply = Object.freeze({ result: null, failure: null })

/** The one queue on which this process's calls get their replies. Opened by the first call; after a loss it is restored
 *  before anything is published again (P03). */
export class ReplyQueue implements WatchedConsumer {
  readonly #runtime: Runtime
  readonly #connection: Connection
  readonly #describe: () => Promise<Subscription>
  #subscription: Subscription | undefined
  readonly #supervisor: Supervisor
  readonly #waiters: ReplyWaiters
  readonly #calls = new Map<string, PendingCall>()
  #channel: ClientChannel | undefined
  #everConsumed = false
  #started = false
  #closed = false
  #deliveries = 0
  /** Calls that wait for the queue itself. */
  #awaited = 0
  #warnAt: number

  /** `describe` names the queue; it is asked once. */
  constructor(runtime: Runtime, connection: Connection, describe: () => Promise<Subscription>) {
    this.#runtime = runtime
    this.#connection = connection
    this.#describe = describe
    this.#waiters = new ReplyWaiters(runtime.clock)
    this.#warnAt = Math.max(1, Math.floor(runtime.settings.maxPendingCalls * FIRST_WARNING_AT))
    this.#supervisor = new Supervisor({
      establish: async (signal, attempt) => await this.#establish(signal, attempt),
      classify,
      upState: 'consuming',
      heldUpBy: () => connection.error,
      clock: runtime.clock,
      backoff: retryBackoff(runtime),
      retryFatalMs: slowRetryMs(runtime),
      onChange: (change) => {
        reportState(runtime, 'reply-path', this.name)(change)
        if (change.state === 'failed') this.#failAll(change.error)
      },
    })
  }

  /** The queue's name; known when it is up. It stays the same, so that replies held back by servers find it again. */
  get name(): string {
    return this.#subscription?.queue.name ?? 'replies'
  }

  /** Whether replies can arrive now. */
  get isUp(): boolean {
    return this.#supervisor.isUp
  }

  /** Undefined while no call has been made. */
  health(): ComponentHealth | undefined {
    if (!this.#started) return undefined
    const health = this.#supervisor.health('reply-path', this.name, this.#connection.host)
    return this.isUp && this.unverified !== undefined ? { ...health, reason: this.unverified } : health
  }

  /** Resolves when replies can arrive. Rejects at the deadline, when the broker refuses for good, or at once with
   *  BackpressureError when too many calls wait already. */
  async ready(deadline: Deadline): Promise<void> {
    this.#checkRoom()
    this.#started = true
    const phase = this.#connection.current === undefined ? 'connect' : 'declare'
    this.#awaited += 1
    try {
      await this.#supervisor.ready(deadline, { phase, delivery: 'not-sent' })
    } finally {
      this.#awaited -= 1
    }
  }

  /** Waits for the reply to `msgId`; see ReplyWaiters. `forget` it when it has settled. Throws BackpressureError when
   *  too many calls wait already. */
  expect(msgId: string, options: ReplyWaitOptions): Promise<RPCReply> {
    this.#checkRoom()
    this.#calls.set(msgId, { monitored: options.callMonitorTimeoutMs !== null, partial: undefined })
    if (this.#calls.size > this.#warnAt) {
      const { maxPendingCalls } = this.#runtime.settings
      this.#runtime.logger.warn(
        `${this.#calls.size} calls wait for their replies; ${maxPendingCalls} may (maxPendingCalls)`,
      )
      this.#warnAt *= 2
    }
    return this.#waiters.wait(msgId, options)
  }

  #checkRoom(): void {
    const waiting = this.#calls.size + this.#awaited
    if (waiting < this.#runtime.settings.maxPendingCalls) return
    throw new BackpressureError(
      `${waiting} calls are under way already: await earlier ones, or raise maxPendingCalls of createRabbitDriver`,
    )
  }

  /** The call is over. */
  forget(msgId: string): void {
    this.#calls.delete(msgId)
  }

  /** Ends one call that will get no reply. */
  fail(msgId: string, error: unknown): void {
    this.#waiters.fail(msgId, error)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#supervisor.close()
    this.#waiters.failAll(() => new ClosedError('The transport was closed while the call waited for its reply'))
    const channel = this.#channel
    this.#channel = undefined
    if (channel !== undefined) await waitAtMost(this.#runtime.clock, channel.close())
  }

  // --- for the watchdog ---------------------------------------------------------------------------------------------

  get isConsuming(): boolean {
    return this.#supervisor.state === 'consuming'
  }

  get deliveries(): number {
    return this.#deliveries
  }

  get hasRoom(): boolean {
    return true
  }

  get queues(): readonly { readonly name: string; readonly shared: boolean }[] {
    return [{ name: this.name, shared: false }]
  }

  unverified: string | undefined

  lost(reason: Error): void {
    if (this.#channel !== undefined) this.#lose(this.#channel, reason)
  }

  // --- subscribing --------------------------------------------------------------------------------------------------

  async #establish(signal: AbortSignal, attempt: number): Promise<void> {
    const { clock } = this.#runtime
    const client = await this.#connection.ready(Deadline.after(null, { signal, clock }))
    if (attempt === 0 && this.#everConsumed) await sleepAtMost(this.#runtime, signal)
    try {
      this.#subscription ??= await this.#describe()
      const survived = !this.#everConsumed || (await this.#stillThere(client))
      await declareSubscriptions(client, [this.#subscription])
      await this.#consume(client, this.#subscription)
      this.#everConsumed = true
      if (!survived) this.#settleLostCalls()
    } catch (error) {
      throw mapError(error, { host: this.#connection.host, phase: 'declare', delivery: 'not-sent' })
    }
    if (signal.aborted) await this.#channel?.close()
  }

  async #stillThere(client: ClientConnection): Promise<boolean> {
    const channel = await client.openChannel()
    try {
      await channel.checkQueue(this.name)
      return true
    } catch (error) {
      if (brokerCodeOf(error) === 404) return false
      throw error
    } finally {
      void channel.close()
    }
  }

  async #consume(client: ClientConnection, { consumeArguments }: Subscription): Promise<void> {
    const prefetch = this.#runtime.options.rabbit_qos_prefetch_count
    const channel = await client.openChannel()
    channel.onClosed = (reason) => this.#lose(channel, reason ?? new Error('Channel closed'))
    this.#channel = channel
    const acks = new ReplyAcks(channel, this.#runtime.clock, prefetch)
    if (prefetch > 0) await channel.prefetch(prefetch)
    await channel.consume(this.name, { consumerTag: '1', noAck: false, arguments: consumeArguments }, (delivery) => {
      if (delivery !== null) return this.#receive(delivery, acks)
      const text = `The broker cancelled the consumer of reply queue '${this.name}': it was deleted or moved`
      this.#lose(channel, new TransportDriverError(text, { host: this.#connection.host, retryable: true }))
    })
  }

  #lose(channel: ClientChannel, reason: unknown): void {
    if (this.#channel !== channel) return
    this.#channel = undefined
    void channel.close()
    if (!this.#closed) this.#supervisor.lost(mapError(reason, { host: this.#connection.host }))
  }

  /** The queue was gone, and with it every reply it held. A call of that time may have been answered already, and
   *  nobody can say which: none is left to wait out its whole timeout. Monitored calls go on: their heartbeats tell. */
  #settleLostCalls(): void {
    const lost = [...this.#calls].filter(([, { monitored }]) => !monitored).map(([msgId]) => msgId)
    if (lost.length === 0) return
    this.#runtime.clock.setTimeout(() => {
      for (const msgId of lost)
        this.#waiters.fail(
          msgId,
          new ReplyPathLost(`The reply queue '${this.name}' was lost while the call waited; the method may have run`),
        )
    }, GRACE_MS)
  }

  #failAll(error: unknown): void {
    this.#waiters.failAll(() => new ReplyPathLost('The reply queue cannot be restored', { cause: error }))
  }

  // --- replies ------------------------------------------------------------------------------------------------------

  #receive(delivery: ClientDelivery, acks: ReplyAcks): void {
    this.#deliveries += 1
    let reply: DecodedReply
    try {
      reply = splitReply(decodeBody(delivery.properties, delivery.body, this.#runtime.settings.maxDecompressedBytes))
    } catch (error) {
      acks.reject(delivery.deliveryTag)
      return reportDropped(this.#runtime, `reply queue ${this.name}`, 'unreadable', { error })
    }
    acks.acknowledge(delivery.deliveryTag, delivery.body.length)
    const call = reply.msgId === null ? undefined : this.#calls.get(reply.msgId)
    if (call === undefined || reply.msgId === null) {
      // After a reconnect the broker repeats what was settled and not yet acknowledged.
      if (!delivery.redelivered) reportDropped(this.#runtime, `reply queue ${this.name}`, 'late-reply', {})
      return
    }
    this.#take(reply.msgId, call, reply)
  }

  /** Source: WIRE 2.2, what a client does with a message on its reply queue. */
  #take(msgId: string, call: PendingCall, { result, failure, ending }: DecodedReply): void {
    if (failure !== null) call.partial = { result: null, failure }
    else if (result !== null) call.partial = { result, failure: null }
    else if (!ending) {
      this.#waiters.heartbeat(msgId)
      return
    }
    // The call may be settled already and not yet be forgotten.
    if (ending && !this.#waiters.settle(msgId, call.partial ?? NO_VALUE))
      reportDropped(this.#runtime, `reply queue ${this.name}`, 'late-reply', {})
  }
}
