import { emitDiagnostic } from '../diagnostics/channels.ts'
import type {
  Driver,
  DriverContext,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
  SendOptions,
} from '../driver/driver.ts'
import { type Health, summarizeHealth } from '../driver/health.ts'
import type { OutgoingNotification, OutgoingRequest, RPCReply } from '../driver/messages.ts'
import { ReplyWaiters } from '../driver/reply-waiters.ts'
import { ClosedError, ReplyPathLost } from '../errors.ts'
import type { Target } from '../target.ts'
import type { Clock } from '../util/clock.ts'
import { Deadline, type WaitFacts } from '../util/deadline.ts'
import { DONE } from '../util/promise.ts'
import { encodeJson } from '../wire/json.ts'
import type { MemoryBroker } from './memory-broker.ts'
import { MemoryConnection } from './memory-connection.ts'
import { MemoryNotification, MemoryRequest, type ReplySender } from './memory-deliveries.ts'
import type { BreakableConnection, MemoryFaultPlan, MemoryRecorder, MessageKind } from './memory-hooks.ts'
import { MemoryListener, type MemoryListenerOptions } from './memory-listener.ts'
import { passObstacles } from './memory-obstacles.ts'
import { routingKeyOf, topicOf, undeliverable } from './memory-names.ts'
import type { MemoryQueue, ReplyAddress, StoredMessage } from './memory-queue.ts'
import { isFull, publishWhenRoom } from './memory-room.ts'
import { MemoryReplyInbox } from './memory-reply-inbox.ts'

export interface MemoryBusOptions {
  readonly broker: MemoryBroker
  readonly context: DriverContext
  readonly queueMaxLength: number
  readonly recorder: MemoryRecorder | undefined
  readonly faults: MemoryFaultPlan | undefined
}

const NOT_SENT: WaitFacts = { phase: 'publish', delivery: 'not-sent' }
/** As on a broker: what no queue takes is dropped, and the client hears nothing. */
const NOT_TAKEN: WaitFacts = {
  phase: 'reply',
  delivery: 'not-sent',
  waitingFor: 'reply to a request that no queue took',
}

/** One driver at an in-process broker. */
export class MemoryBus implements Driver {
  readonly #options: MemoryBusOptions
  readonly #connection: MemoryConnection
  readonly #waiters: ReplyWaiters
  readonly #inbox: MemoryReplyInbox
  readonly #listeners = new Set<MemoryListener>()
  /** Ends the sends that wait, when the driver is closed. */
  readonly #interrupts = new Set<() => void>()
  #closed = false
  readonly #detachFaults: (() => void) | undefined

  constructor(options: MemoryBusOptions) {
    const { clock, program } = options.context
    this.#options = options
    this.#connection = new MemoryConnection(`memory ${options.broker.name}`, clock)
    this.#waiters = new ReplyWaiters(clock)
    this.#inbox = new MemoryReplyInbox(program, this.#waiters)
    this.#detachFaults = options.faults?.attach(this.#breakable())
  }

  /** Not `async`: where nothing is in the way the request is in its queue at once, and the promise is the reply's. */
  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    const { context, message, headers } = request
    const { deadline, waitForReply, callMonitorTimeoutMs } = options
    const { clock } = this.#options.context
    try {
      deadline.check(NOT_SENT)
      const stored: StoredMessage = {
        text: encodeJson({ context, message }),
        headers,
        uniqueId: this.#options.broker.nextId(),
        expiresAt: expiryOf(options, clock),
        clock,
        replyTo: waitForReply ? this.#inbox : null,
        callMonitorTimeout: callMonitorTimeoutMs === null ? null : callMonitorTimeoutMs / 1000,
        orderingKey: undefined,
      }
      if (!this.#hasObstacles) return this.#publish(target, request, stored, options)
      return this.#passObstacles('request', options).then(() => this.#publish(target, request, stored, options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Puts a request into its queues, when they have room for it. */
  #publish(
    target: Target,
    { context, message }: OutgoingRequest,
    stored: StoredMessage,
    options: SendOptions,
  ): Promise<RPCReply | undefined> {
    const type = options.waitForReply ? 'call' : 'cast'
    this.#options.recorder?.record({ type, target, context, message: { ...message } })
    const queues = this.#requestQueues(target)
    if (options.atLeastOnce && queues.length === 0) throw undeliverable(this.#exchangeOf(target), target)
    return queues.some(isFull) ? this.#pushWhenRoom(target, stored, options) : this.#push(queues, stored, options)
  }

  #push(queues: readonly MemoryQueue[], stored: StoredMessage, options: SendOptions): Promise<RPCReply | undefined> {
    for (const queue of queues) queue.push(stored)
    if (!options.waitForReply) return DONE
    const { deadline, callMonitorTimeoutMs } = options
    const wait = { deadline, callMonitorTimeoutMs }
    return this.#waiters.wait(stored.uniqueId, queues.length === 0 ? { ...wait, progress: () => NOT_TAKEN } : wait)
  }

  async #pushWhenRoom(target: Target, stored: StoredMessage, options: SendOptions): Promise<RPCReply | undefined> {
    let reply: Promise<RPCReply | undefined> | undefined
    const push = (queues: readonly MemoryQueue[]): void => {
      reply = this.#push(queues, stored, options)
    }
    await this.#untilClosed(publishWhenRoom(() => this.#requestQueues(target), push, options.deadline))
    return await reply
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { context, message, headers, orderingKey } = notification
    const { deadline, version } = options
    deadline.check(NOT_SENT)
    const stored: StoredMessage = {
      text: encodeJson({ context, message }),
      headers,
      uniqueId: this.#options.broker.nextId(),
      expiresAt: Infinity,
      clock: this.#options.context.clock,
      replyTo: null,
      callMonitorTimeout: null,
      orderingKey,
    }
    if (this.#hasObstacles) await this.#passObstacles('notification', options)
    this.#options.recorder?.record({ type: 'notify', target, context, message: { ...message }, version })

    const publish = (queues: readonly MemoryQueue[]): void => {
      for (const queue of queues) queue.push(stored)
    }
    const queues = this.#notificationQueues(target)
    if (queues.some(isFull))
      await this.#untilClosed(publishWhenRoom(() => this.#notificationQueues(target), publish, deadline))
    else publish(queues)
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const { broker, queueMaxLength } = this.#options
    options.deadline.check({ phase: 'declare', delivery: 'not-sent' })
    await this.#connection.whenOpen(options.deadline)
    const exchange = this.#exchangeOf(target)
    const topic = topicOf(target)
    const fanout = broker.addFanoutQueue(exchange, topic, queueMaxLength)
    const queues = [broker.requestQueue(exchange, topic, queueMaxLength), fanout]
    const isLate = options.acknowledge === 'after'
    if (target.server !== null) queues.push(broker.requestQueue(exchange, routingKeyOf(target), queueMaxLength))
    return this.#listenTo({
      name: `listener ${routingKeyOf(target)}`,
      kind: 'request',
      prefetch: options.prefetch,
      queues,
      onBody: (body, settlement, queue) =>
        options.onMessage(new MemoryRequest(body, settlement, this.#sendReply, { isLate, isFanout: queue === fanout })),
      onEnd: () => broker.removeFanoutQueue(exchange, topic, fanout),
    })
  }

  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    const { broker, queueMaxLength } = this.#options
    const { pool, prefetch, onMessage } = options
    options.deadline.check({ phase: 'declare', delivery: 'not-sent' })
    await this.#connection.whenOpen(options.deadline)
    const places = new Map<MemoryQueue, { readonly priority: string; readonly exchange: string }>()
    for (const { target, priority } of sources) {
      const routingKey = `${topicOf(target)}.${priority}`
      // As on a real broker, the unpooled queue is there even when only pools listen.
      const exchange = this.#exchangeOf(target)
      const unpooled = broker.notificationQueue(exchange, routingKey, null, queueMaxLength)
      const queue = pool === null ? unpooled : broker.notificationQueue(exchange, routingKey, pool, queueMaxLength)
      places.set(queue, { priority, exchange })
    }
    const topics = [...new Set(sources.map(({ target }) => target.topic))].join(',')
    return this.#listenTo({
      name: `notifications ${topics}${pool === null ? '' : ` of pool ${pool}`}`,
      kind: 'notification',
      prefetch,
      queues: [...places.keys()],
      onBody: (body, settlement, queue) => {
        const { priority, exchange } = places.get(queue) ?? { priority: '', exchange: '' }
        onMessage(new MemoryNotification(body, settlement, priority, (letter) => broker.bury(exchange, queue, letter)))
      },
      onEnd: () => {},
    })
  }

  health(): Health {
    const listeners = [...this.#listeners].map((listener) => listener.health)
    const health = summarizeHealth([...this.#connection.health, ...listeners])
    return this.#closed ? { ...health, status: 'closed' } : health
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const interrupt of this.#interrupts) interrupt()
    for (const listener of this.#listeners) await listener.close()
    this.#waiters.failAll(() => closedError('reply'))
    this.#connection.close()
    this.#inbox.resume()
    this.#detachFaults?.()
  }

  #listenTo(
    facts: Pick<MemoryListenerOptions, 'name' | 'kind' | 'prefetch' | 'queues' | 'onBody' | 'onEnd'>,
  ): MemoryListener {
    const { context, recorder, faults } = this.#options
    const { clock, logger } = context
    const listener = new MemoryListener({
      ...facts,
      clock,
      logger,
      recorder,
      faults,
      onClose: () => this.#listeners.delete(listener),
    })
    this.#listeners.add(listener)
    return listener
  }

  readonly #sendReply: ReplySender = (request, address, resultText, failure) => {
    if (!this.#connection.isOpen) return this.#sendReplyWhenOpen(request, address, resultText, failure)
    this.#deliverReply(request, address, resultText, failure)
    return DONE
  }

  async #sendReplyWhenOpen(...[request, address, resultText, failure]: Parameters<ReplySender>): Promise<void> {
    try {
      await this.#connection.whenOpen(Deadline.after(null))
    } catch (error) {
      emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'memory', replyTo: address.name, error }))
      return
    }
    this.#deliverReply(request, address, resultText, failure)
  }

  #deliverReply(
    request: MemoryRequest,
    address: ReplyAddress,
    resultText: string | null,
    failure: string | null,
  ): void {
    const { context, recorder, faults } = this.#options
    recorder?.record({
      type: 'reply',
      outcome: failure === null ? 'result' : 'failure',
      method: String(request.message['method']),
    })
    const deliver = (): void => address.receive(request.uniqueId, resultText, failure)
    const fault = faults?.onReply()
    if (fault?.drop === true) return
    if (fault?.duplicate === true) deliver()
    if (fault?.delayMs === undefined) deliver()
    else context.clock.setTimeout(deliver, fault.delayMs)
  }

  get #hasObstacles(): boolean {
    return this.#options.faults !== undefined || !this.#connection.isOpen
  }

  async #passObstacles(
    kind: MessageKind,
    options: { readonly deadline: Deadline; readonly retries: number | null },
  ): Promise<void> {
    const { faults, context } = this.#options
    const { clock, random } = context
    const { deadline, retries } = options
    const passed = passObstacles({ kind, deadline, retries, connection: this.#connection, faults, clock, random })
    await this.#untilClosed(passed)
  }

  /** Settles as `work` does, or rejects when the driver is closed. */
  async #untilClosed(work: Promise<void>): Promise<void> {
    let interrupt = (): void => {}
    try {
      await new Promise<void>((resolve, reject) => {
        interrupt = () => reject(closedError('publish'))
        this.#interrupts.add(interrupt)
        work.then(resolve, reject)
      })
    } finally {
      this.#interrupts.delete(interrupt)
    }
  }

  #requestQueues(target: Target): readonly MemoryQueue[] {
    const { broker } = this.#options
    if (target.fanout === true) return broker.findFanoutQueues(this.#exchangeOf(target), topicOf(target))
    const queue = broker.findRequestQueue(this.#exchangeOf(target), routingKeyOf(target))
    return queue === undefined ? [] : [queue]
  }

  #notificationQueues(target: Target): readonly MemoryQueue[] {
    const { broker, queueMaxLength } = this.#options
    return broker.findNotificationQueues(this.#exchangeOf(target), topicOf(target), queueMaxLength)
  }

  #exchangeOf(target: Target): string {
    return target.exchange ?? this.#options.context.defaultExchange
  }

  #breakable(): BreakableConnection {
    return {
      disconnect: ({ loseReplies }) => {
        this.#connection.setDown(true)
        this.#inbox.suspend()
        for (const listener of this.#listeners) listener.suspend()
        if (loseReplies) this.#waiters.failAll(() => new ReplyPathLost('The connection was cut while the call waited'))
      },
      reconnect: () => {
        this.#connection.setDown(false)
        for (const listener of this.#listeners) listener.resume()
        this.#inbox.resume()
      },
      setBlocked: (reason) => this.#connection.setBlocked(reason),
      failListeners: (error) => {
        for (const listener of this.#listeners) listener.fail(error)
      },
    }
  }
}

/** Most calls are worth delivering for as long as they are waited for, and that moment is known. */
function expiryOf({ expiresInMs, deadline }: SendOptions, clock: Clock): number {
  if (expiresInMs === null) return Infinity
  return expiresInMs === deadline.timeoutMs ? deadline.at : clock.now() + expiresInMs
}

function closedError(phase: 'publish' | 'reply'): ClosedError {
  return phase === 'reply'
    ? new ClosedError('The transport was closed before the reply came', { phase, delivery: 'confirmed' })
    : new ClosedError('The transport was closed before the message was sent', { phase, delivery: 'not-sent' })
}
