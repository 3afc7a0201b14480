import { randomUUID } from 'node:crypto'
import type * as oslo from '@oslo-messaging/core/driver'
import { ClosedError, createBackoff, Deadline, decodeJson, emitDiagnostic } from '@oslo-messaging/core/driver'
import { encodeJson, MessageDeliveryFailure, MessageUndeliverable, NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import { createDeferred, ReplyPathLost, ReplyWaiters, summarizeHealth, Supervisor } from '@oslo-messaging/core/driver'
import { HubClient, HubLost } from './hub/client.ts'
import type { Ask, Delivery, Queue } from './hub/protocol.ts'

const CONNECT: oslo.WaitFacts = { phase: 'connect', delivery: 'not-sent' }
const DECLARE: oslo.WaitFacts = { phase: 'declare', delivery: 'not-sent' }
const CONFIRM: oslo.WaitFacts = { phase: 'confirm', delivery: 'unknown' }
const REPLY: oslo.WaitFacts = { phase: 'reply', delivery: 'confirmed' }

/** What travels for a request or a notification: what core gave us, and for a call where its reply goes. */
interface Parcel extends Pick<oslo.IncomingRequest, 'context' | 'message' | 'headers'> {
  readonly call?: { readonly id: string; readonly replyTo: string; readonly monitor: number | null }
}

type OnDelivery = (delivery: Delivery) => void
type Bounds = Pick<oslo.ListenOptions, 'deadline' | 'prefetch'>

interface Subscription {
  readonly name: string
  readonly request: Ask
  readonly onDelivery: OnDelivery
  readonly close?: () => void
}

const joined = (...parts: readonly (string | null)[]) => parts.map((part) => encodeURIComponent(part ?? '')).join('/')

class HubDriver implements oslo.Driver {
  readonly #url: oslo.TransportURL
  readonly #defaultExchange: string
  readonly #waiters: ReplyWaiters
  readonly #supervisor: Supervisor
  readonly #inbox = joined('replies', randomUUID())
  /** What is wanted of the hub, made again after every loss. */
  readonly #subscriptions = new Map<string, Subscription>()
  #client: HubClient | undefined

  constructor(url: oslo.TransportURL, { defaultExchange, clock, random }: oslo.DriverContext) {
    this.#url = url
    this.#defaultExchange = defaultExchange
    this.#waiters = new ReplyWaiters(clock)
    const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 5_000, random })
    const establish = (signal: AbortSignal, attempt: number) => this.#connect(signal, attempt)
    this.#supervisor = new Supervisor({ establish, classify: () => 'retry', backoff, upState: 'consuming', clock })
    const queues = [{ name: this.#inbox, key: this.#inbox, private: true }]
    const request = { do: 'consume', as: this.#inbox, queues, prefetch: 1_000 } as const
    const onDelivery = (delivery: Delivery): void => this.#onReply(delivery)
    this.#subscriptions.set(this.#inbox, { name: 'replies', request, onDelivery })
  }

  async send(target: oslo.Target, request: oslo.OutgoingRequest, options: oslo.SendOptions) {
    const { waitForReply, deadline, expiresInMs, callMonitorTimeoutMs, retries, atLeastOnce } = options
    const id = randomUUID()
    const key = target.fanout ? this.#key('fanout', target) : this.#key('rpc', target, target.server)
    const monitor = callMonitorTimeoutMs === null ? null : callMonitorTimeoutMs / 1000
    const body = encodeJson(waitForReply ? { ...request, call: { id, replyTo: this.#inbox, monitor } } : request)
    const publish = async (): Promise<undefined> => {
      const taken = await this.#ask({ do: 'publish', key, body, expiresInMs }, deadline, CONFIRM, retries)
      if (taken === 0 && atLeastOnce) throw new MessageUndeliverable(`No server listens to ${target.toString()}`)
    }
    if (!waitForReply) return await publish()
    let progress = this.#client === undefined ? CONNECT : CONFIRM
    const reply = this.#waiters.wait(id, { deadline, callMonitorTimeoutMs, progress: () => progress })
    const failed = (error: unknown) => this.#waiters.fail(id, error)
    publish().then(() => (progress = REPLY), failed)
    return await reply
  }

  async sendNotification(target: oslo.Target, message: oslo.OutgoingNotification, options: oslo.NotifyOptions) {
    const publish = { do: 'publish', key: this.#key('notification', target), body: encodeJson(message) } as const
    await this.#ask({ ...publish, store: true }, options.deadline, CONFIRM, options.retries)
  }

  async listen(target: oslo.Target, options: oslo.ListenOptions) {
    const keys = [this.#key('rpc', target, null), this.#key('rpc', target, target.server)]
    const fanout = { name: joined('fanout', randomUUID()), key: this.#key('fanout', target), private: true }
    const queues = [...keys.map((key) => ({ name: key, key })), fanout]
    const deliver = (delivery: Delivery) => options.onMessage(this.#request(delivery))
    return await this.#subscribe(`server ${target.topic}`, queues, options, deliver)
  }

  async listenForNotifications(sources: readonly oslo.NotificationSource[], options: oslo.NotifyListenOptions) {
    const { pool, onMessage } = options
    const topics = sources.map(({ target, priority }) => target.with({ topic: `${target.topic}.${priority}` }))
    const keys = topics.map((target) => this.#key('notification', target))
    const queues = keys.map((key) => ({ name: pool === null ? key : joined('pool', this.#url.virtualHost, pool), key }))
    const deliver = (delivery: Delivery) => onMessage(this.#notification(delivery))
    return await this.#subscribe(`listener ${pool ?? keys.join(' ')}`, queues, options, deliver)
  }

  health(): oslo.Health {
    if (this.#supervisor.state === 'starting') return summarizeHealth([])
    const names = [...this.#subscriptions.values()].map(({ name }) => name)
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

  async #connect(signal: AbortSignal, attempt: number): Promise<void> {
    const { hostname = null, port = null } = this.#url.hosts[attempt % this.#url.hosts.length] ?? {}
    const onLost = (error: HubLost): void => {
      this.#client = undefined
      // The hub forgets private queues with their connection, and so our replies.
      this.#waiters.failAll(() => new ReplyPathLost(error.message, { cause: error }))
      this.#supervisor.lost(error)
    }
    const onDelivery = (delivery: Delivery): void => this.#subscriptions.get(delivery.as)?.onDelivery(delivery)
    const address = { host: hostname ?? '127.0.0.1', port: port ?? 7000, signal }
    this.#client = await HubClient.connect(address, onDelivery, onLost)
    for (const { request } of this.#subscriptions.values()) await this.#client?.ask(randomUUID(), request)
  }

  /** Resolves with the number of queues that took it. Losses are waited out, `retries` times at most. */
  async #ask(request: Ask, deadline: Deadline, facts: oslo.WaitFacts, retries: number | null): Promise<number> {
    const id = randomUUID()
    for (let attempts = 1; ; attempts += 1) {
      const left = retries === null ? null : retries + 1 - attempts
      await this.#supervisor.ready(deadline, CONNECT, { retries: left })
      try {
        return await deadline.race(this.#client?.ask(id, request) ?? Promise.reject(new HubLost()), facts)
      } catch (cause) {
        if (!(cause instanceof HubLost)) throw cause
        if (left === 0) throw new MessageDeliveryFailure(cause.message, { ...facts, attempts, cause, retryable: true })
      }
    }
  }

  async #subscribe(name: string, queues: readonly Queue[], options: Bounds, onDelivery: OnDelivery) {
    const { promise: closed, resolve } = createDeferred<void>()
    const as = randomUUID()
    const end = (release: boolean): void => {
      this.#subscriptions.delete(as)
      this.#client?.tell({ do: 'cancel', as, release })
      if (release) resolve()
    }
    const request = { do: 'consume', as, queues, prefetch: options.prefetch } as const
    this.#subscriptions.set(as, { name, request, onDelivery, close: () => end(true) })
    try {
      await this.#ask(request, options.deadline, DECLARE, null)
    } catch (error) {
      end(true)
      throw error
    }
    return { closed, stop: async () => end(false), close: async () => end(true) }
  }

  #onReply({ delivery, body }: Delivery): void {
    this.#client?.tell({ do: 'acknowledge', delivery })
    const { id, reply } = decodeJson(body) as { readonly id: string; readonly reply: oslo.RPCReply | null }
    if (reply === null ? this.#waiters.heartbeat(id) : this.#waiters.settle(id, reply)) return
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'hub', source: 'replies', reason: 'late-reply' }))
  }

  #notification({ delivery, redelivered, body }: Delivery): oslo.IncomingNotification & Parcel {
    const settle = (what: 'acknowledge' | 'requeue') => (): void => this.#client?.tell({ do: what, delivery })
    const parcel = decodeJson(body) as Parcel
    return { ...parcel, redelivered, acknowledge: settle('acknowledge'), requeue: settle('requeue') }
  }

  #request(delivery: Delivery): oslo.IncomingRequest {
    const { call, ...incoming } = this.#notification(delivery)
    const answer = async (reply: oslo.RPCReply | null): Promise<boolean> => {
      if (call === undefined) return false
      const publish = { do: 'publish', key: call.replyTo, body: encodeJson({ id: call.id, reply }) } as const
      try {
        return (await this.#ask(publish, Deadline.after(60_000), CONFIRM, null)) > 0
      } catch (error) {
        emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'hub', replyTo: call.replyTo, error }))
        return false
      }
    }
    const facts = { expectsReply: call !== undefined, callMonitorTimeout: call?.monitor ?? null }
    return { ...incoming, ...facts, reply: async (reply) => void (await answer(reply)), heartbeat: () => answer(null) }
  }
}

const RPC = { rpc: true, rpcFanout: true, rpcCallMonitoring: true, rpcAtLeastOnce: true, rpcExpiry: true } as const
const NOTIFICATIONS = { notifications: true, requeue: true, pools: true, storesBeforeListeners: true } as const
const SEPARATION = { exchanges: 'both', virtualHosts: true, ordering: 'queue' } as const

/** `hub://host:port/vhost`: a driver for a message bus of one's own. */
export const hubDriver: oslo.DriverDefinition = {
  name: 'hub',
  schemes: ['hub'],
  capabilities: { ...NO_CAPABILITIES, ...RPC, ...NOTIFICATIONS, ...SEPARATION },
  open: (url, context) => new HubDriver(url, context),
}
