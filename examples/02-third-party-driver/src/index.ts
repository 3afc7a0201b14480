import { randomUUID } from 'node:crypto'
import type * as oslo from '@oslo-messaging/core/driver'
import {
  BrokerQuestions,
  ClosedError,
  connectionLost,
  createBackoff,
  createDeferred,
} from '@oslo-messaging/core/driver'
import { Deadline, decodeJson, emitDiagnostic, encodeJson, HostRotation } from '@oslo-messaging/core/driver'
import { MessageUndeliverable, NO_CAPABILITIES, OutstandingLimit, packMessage } from '@oslo-messaging/core/driver'
import { ReplyPathLost, ReplyWaiters, SendLine, summarizeHealth, Supervisor } from '@oslo-messaging/core/driver'
import { unpackMessage } from '@oslo-messaging/core/driver'
import { HubClient, HubLost } from './hub/client.ts'
import type { Ask, Delivery, Queue } from './hub/protocol.ts'

const DECLARE: oslo.WaitFacts = { phase: 'declare', delivery: 'not-sent' }
/** The hub does what has the same id once, so whatever became of a message, it can be sent again. */
const isRepeatable = (): boolean => true

type Publish = Extract<Ask, { readonly do: 'publish' }>
type OnDelivery = (delivery: Delivery) => void
type Bounds = Pick<oslo.ListenOptions, 'deadline' | 'prefetch'>
type Subscription = { readonly request: Ask; readonly onDelivery: OnDelivery; readonly close?: () => void }

const joined = (...parts: readonly (string | null)[]) => parts.map((part) => encodeURIComponent(part ?? '')).join('/')

type Outgoing = oslo.OutgoingRequest | oslo.OutgoingNotification

function pack({ context, message, headers }: Outgoing, facts: oslo.PacketFacts = {}): string {
  return packMessage(context, message, { ...(headers && { headers }), ...facts })
}

class HubDriver implements oslo.Driver {
  readonly #url: oslo.TransportURL
  readonly #defaultExchange: string
  readonly #hosts: HostRotation
  readonly #waiters: ReplyWaiters
  readonly #supervisor: Supervisor
  readonly #line: SendLine
  readonly #questions: BrokerQuestions
  readonly #inbox = joined('replies', randomUUID())
  /** What is wanted of the hub, made again after every loss. */
  readonly #subscriptions = new Map<string, Subscription>()
  #client: HubClient | undefined

  constructor(url: oslo.TransportURL, { defaultExchange, clock, random }: oslo.DriverContext) {
    this.#url = url
    this.#defaultExchange = defaultExchange
    this.#hosts = new HostRotation(url, { defaultPort: 7000, random })
    this.#waiters = new ReplyWaiters(clock)
    const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 5_000, random })
    const establish = (signal: AbortSignal) => this.#connect(signal)
    this.#supervisor = new Supervisor({ establish, classify: () => 'retry', backoff, upState: 'consuming', clock })
    const remedy = 'await some of them before sending more'
    const limit = new OutstandingLimit({ maxMessages: 500, maxBytes: 67_108_864, remedy })
    const ready: Supervisor['ready'] = (...given) => this.#supervisor.ready(...given)
    this.#line = new SendLine({ limit, ready, clock, random })
    this.#questions = new BrokerQuestions({ patienceMs: 10_000, clock, onSilence: () => this.#client?.cut() })
    const queues = [{ name: this.#inbox, key: this.#inbox, private: true }]
    const request = { do: 'consume', as: this.#inbox, queues, prefetch: null } as const
    this.#subscriptions.set(this.#inbox, { request, onDelivery: (delivery) => this.#onReply(delivery) })
  }

  async send(target: oslo.Target, request: oslo.OutgoingRequest, options: oslo.SendOptions) {
    const { waitForReply, deadline, expiresInMs, callMonitorTimeoutMs, retries, atLeastOnce } = options
    const id = randomUUID()
    const key = target.fanout ? this.#key('fanout', target) : this.#key('rpc', target, target.server)
    const body = pack(request, {
      ...(waitForReply && { correlationId: id, replyTo: this.#inbox }),
      ...(waitForReply && expiresInMs !== null && { expiresInMs }),
      ...(waitForReply && callMonitorTimeoutMs !== null && { callMonitorTimeout: callMonitorTimeoutMs / 1000 }),
    })
    const publish = async (): Promise<undefined> => {
      const taken = await this.#publish({ do: 'publish', key, body, expiresInMs }, { deadline, retries })
      if (taken === 0 && atLeastOnce)
        throw new MessageUndeliverable(`Nobody serves ${target.toString()}`, { routingKey: key })
    }
    if (!waitForReply) return await publish()
    return await this.#waiters.call(id, { deadline, callMonitorTimeoutMs }, publish)
  }

  async sendNotification(target: oslo.Target, message: oslo.OutgoingNotification, options: oslo.NotifyOptions) {
    const publish = { do: 'publish', key: this.#key('notification', target), body: pack(message) } as const
    await this.#publish({ ...publish, store: true }, options)
  }

  async listen(target: oslo.Target, options: oslo.ListenOptions) {
    const keys = [this.#key('rpc', target, null), this.#key('rpc', target, target.server)]
    const fanout = { name: joined('fanout', randomUUID()), key: this.#key('fanout', target), private: true }
    const queues = [...keys.map((key) => ({ name: key, key })), fanout]
    return await this.#subscribe(`rpc ${target.topic}`, queues, options, (it) => options.onMessage(this.#request(it)))
  }

  async listenForNotifications(sources: readonly oslo.NotificationSource[], options: oslo.NotifyListenOptions) {
    const { pool, onMessage } = options
    const topics = sources.map(({ target, priority }) => target.with({ topic: `${target.topic}.${priority}` }))
    const keys = topics.map((target) => this.#key('notification', target))
    const queues = keys.map((key) => ({ name: pool === null ? key : joined('pool', this.#url.virtualHost, pool), key }))
    const name = `listener ${pool ?? keys.join(' ')}`
    return await this.#subscribe(name, queues, options, (each) => onMessage(this.#incoming(each).incoming))
  }

  health(): oslo.Health {
    const names = this.#supervisor.state === 'starting' ? [] : [...this.#subscriptions.keys()]
    return summarizeHealth(names.map((name) => this.#supervisor.health('listener', name)))
  }

  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#waiters.failAll(() => new ClosedError('Closed while the reply was waited for'))
    for (const { close } of this.#subscriptions.values()) close?.()
    this.#supervisor.close()
    await this.#client?.end(signal)
  }

  /** Virtual hosts and exchanges keep their traffic apart. */
  #key(kind: string, { exchange, topic }: oslo.Target, ...more: readonly (string | null)[]): string {
    return joined(kind, this.#url.virtualHost, exchange ?? this.#defaultExchange, topic, ...more)
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { hostname, port, address } = this.#hosts.next()
    const onLost = (lost: HubLost): void => {
      const error = connectionLost(lost, address)
      this.#client = undefined
      this.#waiters.failAll(() => new ReplyPathLost('The hub forgot the reply queue', { cause: error }))
      this.#supervisor.lost(error)
    }
    const deliver = (it: Delivery): void => {
      try {
        this.#subscriptions.get(it.as)?.onDelivery(it)
      } catch (error) {
        this.#client?.tell({ do: 'acknowledge', delivery: it.delivery })
        const facts = { driver: 'hub', source: it.as, reason: 'unreadable', error } as const
        emitDiagnostic('oslo-messaging:message-dropped', () => facts)
      }
    }
    this.#client = await HubClient.connect({ host: hostname, port, signal }, deliver, onLost)
    for (const { request } of this.#subscriptions.values()) await this.#ask(request)
  }

  /** Resolves with the number of queues that took it. Losses are waited out, `retries` times at most. */
  async #publish(request: Publish, terms: Pick<oslo.SendOptions, 'deadline' | 'retries'>): Promise<number> {
    const id = randomUUID()
    const bytes = Buffer.byteLength(request.body)
    return await this.#line.send(bytes, { ...terms, isRepeatable }, async () => {
      try {
        return await (this.#client?.ask(id, request) ?? Promise.reject(new HubLost()))
      } catch (error) {
        throw connectionLost(error, 'the hub')
      }
    })
  }

  /** False: the hub was lost meanwhile. */
  async #isMade(request: Ask, deadline: Deadline): Promise<boolean> {
    await this.#supervisor.ready(deadline, DECLARE)
    try {
      await this.#ask(request, deadline)
      return true
    } catch (error) {
      if (error instanceof HubLost) return false
      throw error
    }
  }

  async #ask(request: Ask, deadline?: Deadline): Promise<void> {
    const ask = (): Promise<unknown> => this.#client?.ask(randomUUID(), request) ?? Promise.reject(new HubLost())
    await this.#questions.ask(request.do, ask, deadline)
  }

  async #subscribe(name: string, queues: readonly Queue[], { deadline, prefetch }: Bounds, onDelivery: OnDelivery) {
    const { promise: closed, resolve } = createDeferred<void>()
    const as = `${name} ${randomUUID()}`
    const end = (release: boolean): void => {
      this.#subscriptions.delete(as)
      this.#client?.tell({ do: 'cancel', as, release })
      if (release) resolve()
    }
    const request = { do: 'consume', as, queues, prefetch } as const
    this.#subscriptions.set(as, { request, onDelivery, close: () => end(true) })
    try {
      while (!(await this.#isMade(request, deadline))) deadline.check(DECLARE)
    } catch (error) {
      end(true)
      throw error
    }
    return { closed, stop: async () => end(false), close: async () => end(true) }
  }

  #onReply({ body }: Delivery): void {
    const { id, reply } = decodeJson(body) as { readonly id: string; readonly reply: oslo.RPCReply | null }
    if (reply === null ? this.#waiters.heartbeat(id) : this.#waiters.settle(id, reply)) return
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'hub', source: 'replies', reason: 'late-reply' }))
  }

  #incoming({ delivery, redelivered, body }: Delivery) {
    const settle = (what: 'acknowledge' | 'requeue') => (): void => this.#client?.tell({ do: what, delivery })
    // Throws for what no driver of the hub has packed.
    const { context, message, facts } = unpackMessage(body)
    const headers = facts.headers && { headers: facts.headers }
    const [acknowledge, requeue] = [settle('acknowledge'), settle('requeue')]
    return { incoming: { context, message, ...headers, redelivered, acknowledge, requeue }, facts }
  }

  #request(delivery: Delivery): oslo.IncomingRequest {
    const { incoming, facts } = this.#incoming(delivery)
    const { correlationId: id, replyTo, callMonitorTimeout = null, expiresInMs } = facts
    const answer = async (reply: oslo.RPCReply | null): Promise<boolean> => {
      if (replyTo === undefined) return false
      const publish = { do: 'publish', key: replyTo, body: encodeJson({ id, reply }) } as const
      try {
        return (await this.#publish(publish, { deadline: Deadline.after(60_000), retries: null })) > 0
      } catch (error) {
        emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'hub', replyTo, error }))
        return false
      }
    }
    const call = {
      expectsReply: replyTo !== undefined,
      callMonitorTimeout,
      ...(expiresInMs !== undefined && { expiresInMs }),
    }
    return { ...incoming, ...call, reply: async (reply) => void (await answer(reply)), heartbeat: () => answer(null) }
  }
}

const RPC = { rpc: true, rpcFanout: true, rpcCallMonitoring: true, rpcAtLeastOnce: true, rpcExpiry: true } as const
const NOTIFICATIONS = { notifications: true, requeue: true, pools: true, storesBeforeListeners: true } as const
const SCOPE = { exchanges: 'both', virtualHosts: true, ordering: 'queue' } as const

/** `hub://host:port/vhost`: a driver for a message bus of one's own. */
export const hubDriver: oslo.DriverDefinition = {
  name: 'hub',
  schemes: ['hub'],
  capabilities: { ...NO_CAPABILITIES, ...RPC, ...NOTIFICATIONS, ...SCOPE },
  open: (url, context) => new HubDriver(url, context),
}

export default hubDriver
