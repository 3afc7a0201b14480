import {
  createBackoff,
  createDeferred,
  Deadline,
  DeliveryBook,
  type DriverContext,
  emitDiagnostic,
  type Listener,
  type ListenOptions,
  type OpenDelivery,
  SerializationError,
  reportState,
  Supervisor,
  type Target,
} from '@oslo-messaging/core/driver'
import type { Arrival, LinkSubscription } from '../client/link.ts'
import type { NatsOptions } from '../config.ts'
import type { Connection, Dependent } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import type { Sender } from '../send/sender.ts'
import type { Names } from '../topology/names.ts'
import { type Body, readBody } from '../wire/body.ts'
import { DRIVER_HEADERS, numberOf, readHeaders } from '../wire/headers.ts'
import type { HandBack } from './hand-back.ts'
import { Request } from './request.ts'

const CONNECT = { phase: 'connect', delivery: 'not-sent' } as const

/** What a listener needs of its driver. */
export interface RequestListenerParts {
  readonly connection: Connection
  readonly sender: Sender
  readonly handBack: HandBack
  readonly names: Names
  readonly context: DriverContext<NatsOptions>
  /** It is closed. */
  readonly onClose: () => void
}

interface Entry {
  readonly arrival: Arrival
  readonly body: Body
  /** On the clock; Infinity when nobody waits. */
  readonly expiresAt: number
}

/** One server's subscriptions: one of the topic's servers, itself by name, and all of them. NATS hands over everything
 *  at once, so what exceeds the prefetch waits here, within bounds. */
export class RequestListener implements Listener, Dependent {
  readonly closed: Promise<void>
  readonly supervisor: Supervisor
  readonly name: string
  readonly #parts: RequestListenerParts
  readonly #target: Target
  readonly #options: ListenOptions
  readonly #ended = createDeferred<void>()
  /** What waits and what is out. */
  readonly #book: DeliveryBook
  #subscriptions: LinkSubscription[] = []
  #topic: LinkSubscription | undefined
  #isStopped = false
  /** Nothing comes to this server any more: what it hands back goes to another one. */
  #drained: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(target: Target, options: ListenOptions, parts: RequestListenerParts) {
    this.#target = target
    this.#options = options
    this.#parts = parts
    this.closed = this.#ended.promise
    this.closed.catch(() => undefined)
    this.name = `rpc ${target.topic}.${target.server}`
    this.#book = new DeliveryBook({ prefetch: options.prefetch })
    const { context, connection } = parts
    this.supervisor = new Supervisor({
      establish: (signal) => this.#subscribe(signal),
      classify: () => 'retry',
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random: context.random }),
      upState: 'consuming',
      clock: context.clock,
      heldUpBy: () => connection.error,
      onChange: reportState({ driver: 'nats', kind: 'listener', name: this.name, logger: context.logger }),
    })
    connection.depend(this)
  }

  lost(reason: unknown): void {
    this.#subscriptions = []
    this.#topic = undefined
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
    const { connection, names } = this.#parts
    const link = await connection.ready(Deadline.after(null, { signal }), CONNECT)
    try {
      this.#topic = link.subscribe(names.anyServer(this.#target), this.#onArrival, 'servers')
      this.#subscriptions = [
        link.subscribe(names.server(this.#target), this.#onArrival, 'server'),
        link.subscribe(names.allServers(this.#target), this.#onArrival),
      ]
      await link.flush()
    } catch (error) {
      throw mapError(error, link.host)
    }
  }

  readonly #onArrival = (arrival: Arrival): void => {
    const { context } = this.#parts
    let body: Body
    try {
      body = readBody(arrival.body)
      // Nobody is to have a server publish to a subject of their choice.
      if (!isInbox(arrival.headers[DRIVER_HEADERS.replyTo]))
        throw new SerializationError('The address of the reply is not one of a client')
    } catch (error) {
      this.#drop(arrival, 'unreadable', error)
      return
    }
    const expiresInMs = numberOf(arrival.headers, DRIVER_HEADERS.expires)
    const expiresAt = expiresInMs === undefined ? Infinity : context.clock.now() + expiresInMs
    this.#add({ arrival, body, expiresAt })
  }

  #add(entry: Entry): void {
    const waiting = this.#book.waiting
    if (waiting >= this.#most * 2) {
      this.#drop(entry.arrival, 'revoked', new Error(`${waiting} requests wait already (rpc_waiting_messages)`))
      return
    }
    this.#book.add({
      settle: (how) => (how === 'requeue' ? this.#handBack(entry) : undefined),
      deliver: (delivery) => this.#deliver(entry, delivery),
    })
    this.#keepBounds()
  }

  get #most(): number {
    return this.#parts.context.options.rpc_waiting_messages
  }

  /** With too many waiting, the others of the topic are to have the next ones; what only this one can have is dropped
   *  far above that. */
  #keepBounds(): void {
    if (this.#isStopped) return
    const { waiting } = this.#book
    const { link } = this.#parts.connection
    if (waiting >= this.#most && this.#topic !== undefined) {
      void this.#topic.drain()
      this.#topic = undefined
    } else if (waiting <= this.#most / 2 && this.#topic === undefined && link !== undefined && this.supervisor.isUp) {
      this.#topic = link.subscribe(this.#parts.names.anyServer(this.#target), this.#onArrival, 'servers')
    }
  }

  #deliver(entry: Entry, delivery: OpenDelivery): void {
    if (entry.expiresAt <= this.#parts.context.clock.now()) {
      this.#drop(entry.arrival, 'expired')
      delivery.acknowledge()
      return
    }
    const { headers } = entry.arrival
    const { sender, context } = this.#parts
    const facts = {
      replyTo: headers[DRIVER_HEADERS.replyTo],
      monitor: numberOf(headers, DRIVER_HEADERS.monitor),
      expiresInMs: this.#timeLeft(entry),
      headers: readHeaders(headers),
    }
    const request = new Request(entry.body, facts, sender, context, (isDone) => {
      if (!delivery.isOpen) return
      if (isDone) delivery.acknowledge()
      else delivery.requeue()
      if (this.#topic === undefined) this.#keepBounds()
    })
    this.#options.onMessage(request)
  }

  #timeLeft({ expiresAt }: Entry): number | undefined {
    return expiresAt === Infinity ? undefined : Math.max(1, Math.ceil(expiresAt - this.#parts.context.clock.now()))
  }

  async #handBack(entry: Entry): Promise<void> {
    const { subject, headers, body } = entry.arrival
    const { names, handBack } = this.#parts
    // Every other server has had its own copy.
    if (subject === names.allServers(this.#target)) return
    await this.#drained
    const left = this.#timeLeft(entry)
    const expires = left === undefined ? {} : { [DRIVER_HEADERS.expires]: String(left) }
    await handBack.offer({ subject, body, headers: { ...headers, ...expires } }, left)
  }

  async #stop(): Promise<void> {
    this.#end()
    // Those that are out stay to be settled.
    this.#book.stop()
    await this.#drained
  }

  async #close(): Promise<void> {
    this.#end()
    this.#book.close()
    await this.#drained
    this.#parts.connection.release(this)
    this.supervisor.close()
    this.#parts.onClose()
    this.#ended.resolve()
  }

  /** Ends the intake; what is still on its way comes to the book, which hands it back. */
  #end(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    const subscriptions = [...this.#subscriptions, ...(this.#topic === undefined ? [] : [this.#topic])]
    this.#subscriptions = []
    this.#topic = undefined
    this.#drained = Promise.all(subscriptions.map((each) => each.drain()))
  }

  #drop({ subject }: Arrival, reason: 'unreadable' | 'expired' | 'revoked', error?: unknown): void {
    const { logger } = this.#parts.context
    if (reason !== 'expired')
      logger.warn('Dropped a request', { subject, reason, error: error instanceof Error ? error.message : undefined })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'nats', source: subject, reason, error }))
  }
}

/** Whether a subject is one that replies to clients come by; a cast has none. */
function isInbox(subject: string | undefined): boolean {
  return subject === undefined || /^_INBOX\.[\w-]+\.[\w-]+$/.test(subject)
}
