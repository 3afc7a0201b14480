import { hostname } from 'node:os'
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices'
import {
  type CloseOptions,
  type GetRPCServerOptions,
  type MessageServer,
  type Messaging,
  type NotificationArguments,
  type NotificationEndpoint,
  NotificationFilter,
  type NotificationListenerOptions,
  type NotificationOutcome,
  NotificationResult,
  type RPCCall,
  type TargetFields,
} from '@oslo-messaging/core'
import { isObservable, lastValueFrom } from 'rxjs'
import { OsloNotificationContext, OsloRpcContext } from './contexts.ts'
import { EXTRAS, type Handler, type NotificationHandler, OSLO_TRANSPORT, type RpcHandler } from './handlers.ts'

/** Settings of the server; everything may be left out. */
export interface OsloServerOptions {
  /** Topic of methods that name none. Without it each has to. */
  readonly topic?: string
  /** Name of this server among those of its topics. Default: the host's name. */
  readonly server?: string
  /** Default: `control_exchange`. */
  readonly exchange?: string
  /** For the RPC servers: serializer, workers, acknowledgement, pause. */
  readonly rpc?: Omit<GetRPCServerOptions, 'exposes' | 'serverClass'>
  /** Where notifications come from that name nothing else. Default the topic `notifications`. */
  readonly notifications?: TargetFields
  /** For the listeners: pool, failure policy, requeue, workers, serializer. */
  readonly listener?: NotificationListenerOptions
  /** How long `close` waits for what is being handled. Default 30 s. */
  readonly close?: CloseOptions
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000

type Run = (data: unknown, context: object) => Promise<unknown>

/** Serves what controllers offer by `RpcMethod` and `OnNotification`: a transport strategy for
 *  `createMicroservice({ strategy })` and `connectMicroservice({ strategy })`. It starts when Nest listens; when Nest
 *  closes it, it takes nothing new, and resolves when everything that it had taken is done and answered. */
export class OsloServer extends Server implements CustomTransportStrategy {
  override readonly transportId: symbol = OSLO_TRANSPORT
  /** Nest 12: what a notification's handler throws reaches the listener's failure policy, so Nest need not log it. */
  override readonly propagatesEventHandlerErrors: boolean = true
  readonly #messaging: Messaging
  readonly #options: OsloServerOptions
  #servers: readonly MessageServer[] = []

  constructor(messaging: Messaging, options: OsloServerOptions = {}) {
    super()
    this.#messaging = messaging
    this.#options = options
  }

  /** Called by Nest. Calls back when the broker has every subscription, or with the error. */
  listen(callback: (error?: unknown) => void): void {
    void this.#listen(callback)
  }

  /** Called by Nest. Resolves when everything that was taken is done; rejects with TaskTimeout after
   *  `close.timeoutMs`. */
  async close(): Promise<void> {
    const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, signal } = this.#options.close ?? {}
    const options = { timeoutMs, signal }
    await Promise.all(this.#servers.map(async (server) => await server.stop(options)))
    await Promise.all(this.#servers.map(async (server) => await server.wait(options)))
  }

  /** There are no events; `Messaging` has health, and the transports diagnostics channels. */
  on(): void {}

  /** The servers and listeners below. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  unwrap<T = readonly MessageServer[]>(): T {
    return this.#servers as T
  }

  async #listen(callback: (error?: unknown) => void): Promise<void> {
    let failure: unknown
    try {
      await this.#start()
    } catch (error) {
      failure = error
    }
    callback(failure)
  }

  async #start(): Promise<void> {
    const handlers = [...this.messageHandlers.values()].flatMap((handler) => {
      const facts: unknown = handler.extras?.[EXTRAS]
      return isHandler(facts) ? [{ facts, run: runnerOf(handler) }] : []
    })
    const methods = handlers.flatMap(({ facts, run }) => (facts.kind === 'rpc' ? [{ facts, run }] : []))
    const listeners = handlers.flatMap(({ facts, run }) => (facts.kind === 'notification' ? [{ facts, run }] : []))
    this.#servers = [...this.#rpcServers(methods), ...this.#listeners(listeners)]
    await this.#messaging.start()
  }

  /** One server a topic, with one endpoint for each namespace and version. */
  #rpcServers(methods: readonly Runnable<RpcHandler>[]): readonly MessageServer[] {
    const { server = hostname(), exchange, rpc } = this.#options
    return [...groupBy(methods, (each) => this.#topicOf(each.facts))].map(([topic, served]) => {
      const groups = groupBy(served, ({ facts }) => JSON.stringify([facts.namespace ?? null, facts.version ?? '1.0']))
      const endpoints = [...groups].map(([key, group]) => {
        const [namespace, version] = JSON.parse(key) as [string | null, string]
        return { target: { namespace, version }, ...endpointOf(group) }
      })
      const target = { topic, server, ...(exchange === undefined ? {} : { exchange }) }
      return this.#messaging.server(target, endpoints, rpc)
    })
  }

  #topicOf({ topic = this.#options.topic, method }: RpcHandler): string {
    if (topic === undefined)
      throw new TypeError(`The RPC method ${method} has no topic: give one to the OsloServer or to RpcEndpoint`)
    return topic
  }

  /** One listener a target and pool. */
  #listeners(handlers: readonly Runnable<NotificationHandler>[]): readonly MessageServer[] {
    const { notifications = { topic: 'notifications' }, listener = {} } = this.#options
    const sources = groupBy(handlers, ({ facts }) =>
      JSON.stringify([facts.target ?? notifications, facts.pool === undefined ? (listener.pool ?? null) : facts.pool]),
    )
    return [...sources].map(([key, group]) => {
      const [target, pool] = JSON.parse(key) as [TargetFields, string | null]
      return this.#messaging.listener([target], group.map(notificationEndpoint), { ...listener, pool })
    })
  }
}

interface Runnable<Facts> {
  readonly facts: Facts
  readonly run: Run
}

/** Nest gives a value, or a stream whose last value counts. */
function runnerOf(handler: MessageHandler): Run {
  return async (data, context) => {
    const result: unknown = await handler(data, context)
    return isObservable(result) ? await lastValueFrom(result, { defaultValue: null }) : result
  }
}

function endpointOf(methods: readonly Runnable<RpcHandler>[]): object {
  return Object.fromEntries(
    methods.map(({ facts, run }) => [
      facts.method,
      async (context: object, args: unknown, call: RPCCall) => await run(args, new OsloRpcContext([context, call])),
    ]),
  )
}

function notificationEndpoint({ facts, run }: Runnable<NotificationHandler>): NotificationEndpoint {
  const handle =
    (priority: string) =>
    async (
      ...[context, publisherId, eventType, payload, metadata, delivery]: NotificationArguments
    ): Promise<NotificationOutcome> => {
      const facts = { context, publisherId, eventType, priority, metadata, delivery }
      const outcome = await run(payload, new OsloNotificationContext([facts]))
      return outcome === NotificationResult.REQUEUE ? NotificationResult.REQUEUE : NotificationResult.HANDLED
    }
  return {
    filterRule: new NotificationFilter(facts.rules),
    ...Object.fromEntries(facts.priorities.map((priority) => [priority, handle(priority)])),
  }
}

function isHandler(facts: unknown): facts is Handler {
  return typeof facts === 'object' && facts !== null && 'kind' in facts
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = key(item)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}
