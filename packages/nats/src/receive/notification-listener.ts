import { randomUUID } from 'node:crypto'
import {
  createBackoff,
  createDeferred,
  Deadline,
  type DriverContext,
  FAILURE_HEADERS,
  failureFacts,
  type Listener,
  type MessagingError,
  type NotificationSource,
  type NotifyListenOptions,
  reportState,
  Supervisor,
} from '@oslo-messaging/core/driver'
import type { Arrival, Link, LinkSubscription } from '../client/link.ts'
import type { JetStream } from '../client/jet-stream.ts'
import type { NatsOptions } from '../config.ts'
import type { Connection, Dependent } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import type { Publisher } from '../send/publisher.ts'
import type { Names } from '../topology/names.ts'
import { DRIVER_HEADERS, numberOf, writeHeaders } from '../wire/headers.ts'
import { deliveriesOf, Delivery, type Verdict } from './delivery.ts'
import { answerReaders } from './readers.ts'
import { Source } from './source.ts'

const CONNECT = { phase: 'connect', delivery: 'not-sent' } as const
/** Longest time for a copy among the dead letters or of a later attempt. */
const COPY_MS = 30_000

/** What a listener needs of its driver. */
export interface NotificationListenerParts {
  readonly connection: Connection
  readonly jetStream: JetStream
  readonly publisher: Publisher
  readonly names: Names
  readonly context: DriverContext<NatsOptions>
  /** It is closed. */
  readonly onClose: () => void
}

interface Held {
  readonly source: Source
  readonly arrival: Arrival
  isDelivered: boolean
  /** Nobody works on it any more: JetStream may give it to another one when its time is up. */
  isLeft: boolean
}

/** A listener of some topics and priorities, or of a pool of them. */
export class NotificationListener implements Listener, Dependent {
  readonly closed: Promise<void>
  readonly supervisor: Supervisor
  readonly name: string
  readonly #parts: NotificationListenerParts
  readonly #options: NotifyListenOptions
  readonly #sources: readonly Source[]
  readonly #ended = createDeferred<void>()
  /** Not settled yet, in the order of arrival. */
  readonly #held = new Set<Held>()
  readonly #waiting: Held[] = []
  /** Verdicts that no connection has taken yet. */
  #untold: { readonly address: string; readonly verdict: Verdict }[] = []
  #unsettled = 0
  /** Where it answers that it reads. */
  #answering: readonly LinkSubscription[] = []
  /** Aborts when the connection is lost that deliveries came by. */
  #taken = new AbortController()
  #isStopped = false
  #tick: unknown
  #stopping: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(wanted: readonly NotificationSource[], options: NotifyListenOptions, parts: NotificationListenerParts) {
    this.#options = options
    this.#parts = parts
    this.closed = this.#ended.promise
    this.closed.catch(() => undefined)
    const { names, context, connection } = parts
    this.#sources = wanted.map(({ target, priority }) => {
      const topic = target.with({ topic: `${target.topic}.${priority}` })
      const facts = {
        stream: names.stream,
        consumer: names.consumer(topic, options.pool),
        subject: names.notification(topic),
        priority,
      }
      return new Source(facts, options.prefetch, context.clock, this.#onMessage, (reason) =>
        this.supervisor.lost(reason),
      )
    })
    this.name = options.pool ?? wanted.map(({ target, priority }) => `${target.topic}.${priority}`).join(' ')
    this.supervisor = new Supervisor({
      establish: (signal) => this.#subscribe(signal),
      classify: (error) => ((error as MessagingError).retryable ? 'retry' : 'fatal'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random: context.random }),
      upState: 'consuming',
      retryFatalMs: 5000,
      clock: context.clock,
      heldUpBy: () => connection.error,
      onChange: reportState({ driver: 'nats', kind: 'listener', name: this.name, logger: context.logger }),
    })
    connection.depend(this)
  }

  lost(reason: unknown): void {
    for (const source of this.#sources) source.lost()
    // JetStream would wait for whoever has them until their time is up; over the next connection they are handed back.
    this.#waiting.length = 0
    for (const held of this.#held) this.#settle(held, '-NAK')
    this.#taken.abort(reason)
    this.#taken = new AbortController()
    if (!this.#isStopped) this.supervisor.lost(reason)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #subscribe(signal: AbortSignal): Promise<void> {
    const { connection, jetStream, names } = this.#parts
    const link = await connection.ready(Deadline.after(null, { signal }), CONNECT)
    const { stream } = names
    try {
      await jetStream.stream(link, 'notify', stream, names.all('notify'))
      for (const source of this.#sources) {
        await source.close()
        const { consumer, subject } = source.facts
        await jetStream.consumer(link, stream, consumer, subject, this.#options.pool)
      }
      await this.#answerNoMore()
      this.#answering = this.#sources.map(({ facts }) => answerReaders(link, names.readers(facts.consumer)))
      if (this.#isStopped) return
      for (const source of this.#sources) source.open(link, `_INBOX.${randomUUID()}`)
      await link.flush()
    } catch (error) {
      jetStream.forget(link)
      throw mapError(error, link.host)
    }
    this.#tell(link)
    this.#keepAlive()
  }

  readonly #onMessage = (source: Source, arrival: Arrival): void => {
    const held = { source, arrival, isDelivered: false, isLeft: false }
    this.#held.add(held)
    const only = arrival.headers[DRIVER_HEADERS.only]
    const delayMs = numberOf(arrival.headers, DRIVER_HEADERS.delay) ?? 0
    const { max_deliveries: most } = this.#parts.context.options
    if (only !== undefined && only !== source.facts.consumer) this.#settle(held, '+ACK')
    else if (delayMs > 0 && deliveriesOf(arrival) === 1) this.#settle(held, '-NAK', delayMs)
    else if (most > 0 && deliveriesOf(arrival) > most) void this.#buryUnsettled(held, most)
    else if (this.#isStopped) this.#settle(held, '-NAK')
    else {
      this.#waiting.push(held)
      this.#deliver()
    }
  }

  #deliver(): void {
    while (!this.#isStopped && this.#unsettled < this.#options.prefetch) {
      const held = this.#waiting.shift()
      if (held === undefined) return
      held.isDelivered = true
      this.#unsettled += 1
      this.#options.onMessage(this.#deliveryOf(held))
    }
  }

  #deliveryOf(held: Held): Delivery {
    const isOpen = (): boolean => this.#held.has(held)
    return new Delivery(held.arrival, held.source.facts.priority, this.#taken.signal, {
      settle: (verdict) => this.#settle(held, verdict),
      leave: () => void (held.isLeft = true),
      bury: (headers) => this.#bury(held, headers),
      repeat: (delayMs, headers) => this.#repeat(held, delayMs, headers),
      get isOpen() {
        return isOpen()
      },
    })
  }

  #settle(held: Held, verdict: Verdict, delayMs = 0): boolean {
    if (!this.#held.delete(held)) return false
    held.source.held -= 1
    if (held.isDelivered) this.#unsettled -= 1
    const { replyTo } = held.arrival
    if (replyTo !== undefined) {
      // A delay is written behind the verdict, which JetStream reads as JSON.
      const text = delayMs > 0 ? (`${verdict} ${JSON.stringify({ delay: delayMs * 1e6 })}` as Verdict) : verdict
      this.#untold.push({ address: replyTo, verdict: text })
    }
    const { link } = this.#parts.connection
    if (link !== undefined) this.#tell(link)
    // Not in this turn: whoever settles may be in the middle of its own work.
    queueMicrotask(() => {
      this.#deliver()
      if (!this.#isStopped) held.source.pull()
    })
    return true
  }

  /** Hands verdicts over; those that no connection took wait for the next one, because JetStream knows a delivery by
   *  its address and not by the connection. */
  #tell(link: Link): void {
    const untold = this.#untold
    this.#untold = []
    for (const { address, verdict } of untold) link.publish(address, verdict, {})
  }

  /** Asks for more time for what is held, a few times within the time that JetStream waits. */
  #keepAlive(): void {
    const { clock, options } = this.#parts.context
    clock.clearTimeout(this.#tick)
    this.#tick = clock.setTimeout(
      () => {
        const { link } = this.#parts.connection
        for (const { arrival, isLeft } of this.#held)
          if (!isLeft && arrival.replyTo !== undefined) link?.publish(arrival.replyTo, '+WPI', {})
        if (this.#closing === undefined) this.#keepAlive()
      },
      (options.ack_wait * 1000) / 3,
    )
  }

  async #bury(held: Held, headers: Readonly<Record<string, string>>): Promise<void> {
    const { names, publisher, context } = this.#parts
    const { subject, consumer } = held.source.facts
    const { arrival } = held
    await publisher.bury(
      {
        subject: names.deadLetter(subject),
        body: arrival.body,
        headers: writeHeaders(
          { ...headers, [FAILURE_HEADERS.origin]: consumer },
          { [DRIVER_HEADERS.failedIn]: consumer },
        ),
      },
      { deadline: Deadline.after(COPY_MS, { clock: context.clock }), retries: null },
    )
  }

  async #buryUnsettled(held: Held, most: number): Promise<void> {
    const error = new Error(`Delivered ${most} times, and never settled (max_deliveries)`)
    try {
      await this.#bury(held, failureFacts(most, error).headers)
      this.#settle(held, '+ACK')
    } catch (failure) {
      this.#parts.context.logger.warn('A notification could not be buried and is delivered again', { failure })
      this.#settle(held, '-NAK', 1000)
    }
  }

  /** A copy for this consumer alone: an acknowledgement cannot change headers, and they count the attempts. */
  async #repeat(held: Held, delayMs: number, headers: Readonly<Record<string, string>>): Promise<void> {
    const { publisher, context } = this.#parts
    const { subject, consumer } = held.source.facts
    const own = {
      [DRIVER_HEADERS.only]: consumer,
      ...(delayMs > 0 ? { [DRIVER_HEADERS.delay]: String(Math.ceil(delayMs)) } : {}),
    }
    await publisher.store(
      { subject, body: held.arrival.body, headers: writeHeaders(headers, own) },
      { deadline: Deadline.after(COPY_MS, { clock: context.clock }), retries: null },
      async () => {},
    )
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#sources.map((source) => source.close()))
    await this.#forgetPulls()
    this.#waiting.length = 0
    for (const held of this.#held) if (!held.isDelivered) this.#settle(held, '-NAK')
    await this.#flush()
  }

  async #close(): Promise<void> {
    await this.stop()
    for (const held of this.#held) this.#settle(held, '-NAK')
    await this.#answerNoMore()
    await this.#flush()
    this.#parts.context.clock.clearTimeout(this.#tick)
    this.#parts.connection.release(this)
    this.supervisor.close()
    this.#parts.onClose()
    this.#ended.resolve()
  }

  /** Has JetStream forget what was asked for and has no reader any more, which it does while it tells of a consumer.
   *  What is handed back would else be given to nobody at first, and come out of order (2.9: when its time is up). */
  async #forgetPulls(): Promise<void> {
    const { connection, jetStream } = this.#parts
    const { link } = connection
    if (link === undefined || this.#held.size === 0) return
    const told = this.#sources.map(({ facts }) => jetStream.ask(link, facts.stream, facts.consumer))
    // Out of order is no harm worth an error.
    await Promise.all(told).catch(() => undefined)
  }

  async #answerNoMore(): Promise<void> {
    const answering = this.#answering
    this.#answering = []
    await Promise.all(answering.map((subscription) => subscription.drain()))
  }

  async #flush(): Promise<void> {
    // With the connection gone nothing can be told; JetStream delivers again when its time is up.
    await this.#parts.connection.link?.flush().catch(() => undefined)
  }
}
