import { emitDiagnostic, hasDiagnosticSubscribers } from '../../diagnostics/channels.ts'
import { observe } from '../../diagnostics/observe.ts'
import { ADVICE } from '../../diagnostics/logger.ts'
import type { Listener } from '../../driver/driver.ts'
import type { IncomingRequest, MessageContext } from '../../driver/messages.ts'
import { ExecutorLoadFailure, ExpectedException, NoSuchMethod, UnsupportedVersion } from '../../errors.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import { checkSerializer, type Serializer } from '../../serializer/serializer.ts'
import { isPromiseLike } from '../../util/promise.ts'
import { MessageServer } from '../../server/message-server.ts'
import { readPause } from '../../server/pause-settings.ts'
import type { PauseSettings, PauseSwitch } from '../../server/pause-switch.ts'
import { Pausing } from '../../server/pausing.ts'
import { prefetchOf } from '../../server/prefetch.ts'
import type { WorkerPool } from '../../server/worker-pool.ts'
import type { Target, TargetFields } from '../../target.ts'
import { readTarget, requireServerTarget, requireTransport } from '../../transport/check-target.ts'
import { intercept, type Interceptors, type ServeOperation } from '../../transport/interceptor.ts'
import { busOf } from '../../transport/bus.ts'
import type { Transport } from '../../transport/transport.ts'
import { checkChoice, checkOptions, type OptionNames } from '../../util/check.ts'
import type { Deadline } from '../../util/deadline.ts'
import { errorText } from '../../util/text.ts'
import type { AnyMethods, EndpointsFor, MethodName } from '../contract.ts'
import type { RPCAccessPolicyClass } from './access-policy.ts'
import type { Endpoint } from './endpoint.ts'
import { startHeartbeats } from './heartbeats.ts'
import { IncomingCall } from './incoming-call.ts'
import { createPingEndpoint, PING_METHOD } from './ping-endpoint.ts'
import { ReplySender } from './reply-sender.ts'
import { type CheckedRequest, type FoundMethod, RPCDispatcher, type ServedMethod } from './rpc-dispatcher.ts'

/** Settings of a server. */
export interface RPCServerOptions<Api extends object = AnyMethods> {
  /** Default: changes nothing. */
  readonly serializer?: Serializer | null | undefined
  /** Which of the offered methods clients may call. Default DefaultRPCAccessPolicy: all but names that begin with
   *  `_`. */
  readonly accessPolicy?: RPCAccessPolicyClass | undefined
  /** The interface as a value, `{ build: true, reboot: true }`: nothing else is offered. Keeps methods out that only
   *  TypeScript calls private. Default: all that the endpoints offer. */
  readonly exposes?: Readonly<Record<MethodName<Api>, true>> | undefined
  /** `threading` and `eventlet` are taken for oslo's sake and mean the same here: the event loop. */
  readonly executor?: string | null | undefined
  /** Most requests handled at the same time. Default `[DEFAULT] executor_thread_pool_size`. */
  readonly workers?: number | undefined
  /** When a request is settled: `before` its method runs, at most once, as oslo does; or `after` its reply is with the
   *  broker, at least once: what a dying server was working on is delivered again, so methods must bear being run
   *  twice. Default: `[oslo_messaging_nodejs] rpc_acknowledge`, then the driver's own settings, then `before`. */
  readonly acknowledge?: 'before' | 'after' | undefined
  /** Stop taking requests while too many methods fail with what is not expected (`expectedExceptions`), and try one
   *  after a while. With `acknowledge: 'after'`, or while workers are free, what waits stays with the broker for other
   *  servers. Default: never. */
  readonly pause?: PauseSettings | undefined
}

/** What `getRpcServer` takes besides transport, target and endpoints; everything may be left out. */
export interface GetRPCServerOptions<
  Api extends object = AnyMethods,
  Server = RPCServer,
> extends RPCServerOptions<Api> {
  /** A subclass to make instead. */
  readonly serverClass?: RPCServerClass<Server> | undefined
}

/** A class to make instead of RPCServer: a subclass. */
export type RPCServerClass<Server = RPCServer> = new (
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options?: RPCServerOptions,
) => Server

const OPTIONS: OptionNames<GetRPCServerOptions> = {
  serializer: true,
  accessPolicy: true,
  exposes: true,
  executor: true,
  workers: true,
  acknowledge: true,
  pause: true,
  serverClass: true,
}

/** Tells the pause how a request ended; undefined for a server that never pauses. */
type Done = ReturnType<PauseSwitch['begin']> | undefined

const EXECUTORS = ['threading', 'eventlet']
const CHANNELS = ['oslo-messaging:rpc-server:start', 'oslo-messaging:rpc-server:end'] as const
let lastId = 0

/** Serves the requests of a topic with endpoints. Each request is acknowledged when a worker takes it, just before its
 *  method runs: at most once, and what is not taken stays with the broker for other servers. Make it with
 *  `getRpcServer`. */
export class RPCServer<Api extends object = AnyMethods> extends MessageServer {
  readonly target: Target
  readonly #transport: Transport
  readonly #dispatcher: RPCDispatcher
  readonly #replies: ReplySender
  readonly #pausing: Pausing
  readonly #acknowledge: 'before' | 'after' | null
  /** Calls whose methods hold a signal. */
  readonly #watching = new Set<IncomingCall>()
  #hasToldMethods = false

  constructor(
    transport: Transport,
    given: Target | TargetFields,
    endpoints: Endpoint | readonly Endpoint[],
    options: RPCServerOptions<Api> = {},
  ) {
    requireTransport(transport, 'An RPC server')
    const target = readTarget(given, 'An RPC server')
    requireServerTarget(target)
    // A subclass may have options of its own.
    checkOptions('An RPC server', options, new.target === RPCServer ? OPTIONS : undefined)
    checkSerializer(options.serializer)
    const bus = busOf(transport)
    bus.warnUnlessKind('rpc', 'An RPC server')
    bus.require('rpc')
    checkExecutor(options.executor)
    checkChoice('acknowledge', options.acknowledge, ['before', 'after'])
    const acknowledge = options.acknowledge ?? transport.conf.get('oslo_messaging_nodejs', 'rpc_acknowledge')
    if (acknowledge === 'after') bus.require('rpcLateAcknowledgement')
    const { conf, logger, clock } = transport
    const configured = (): number => transport.conf.get('DEFAULT', 'executor_thread_pool_size')
    super({
      name: String(target),
      workers: options.workers ?? configured,
      logger,
      clock,
      host: bus,
      health: () => this.#pausing.health,
      listen: (pool, deadline) => this.#subscribe(pool, deadline),
      onAbandon: (reason) => {
        for (const call of this.#watching) call.abort(reason)
      },
    })
    this.target = target
    this.#transport = transport
    this.#acknowledge = acknowledge as 'before' | 'after' | null
    this.#pausing = new Pausing({
      name: `RPC server ${String(target)}`,
      driver: transport.driverName,
      settings: options.pause === undefined ? null : readPause('pause', conf, options.pause),
      logger,
      clock,
    })
    this.#dispatcher = makeDispatcher(
      transport,
      Array.isArray(endpoints) ? (endpoints as readonly Endpoint[]) : [endpoints],
      options,
    )
    this.#replies = new ReplySender({
      server: String(target),
      logger,
      remoteErrors: bus.remoteErrors,
      workers: options.workers ?? configured(),
    })
  }

  /** What clients can call: each method with each namespace and version it is served under. */
  get methods(): readonly ServedMethod<MethodName<Api>>[] {
    return this.#dispatcher.methods as readonly ServedMethod<MethodName<Api>>[]
  }

  async #subscribe(pool: WorkerPool, deadline: Deadline): Promise<Listener> {
    const { clock } = this.#transport
    const pause = this.#pausing.begin(pool)
    const listener = await busOf(this.#transport).listen(this.target, {
      deadline,
      ...(this.#acknowledge === null ? {} : { acknowledge: this.#acknowledge }),
      prefetch: prefetchOf(pool),
      onMessage: (request) => {
        let hasWaited = false
        const receivedAt = request.expiresInMs === undefined ? 0 : clock.now()
        pool.run(
          () => {
            // The broker took it back while it waited for a worker, and delivers it again: running this copy would run
            // it twice.
            // Only then: drivers make the signal when it is asked for, which costs more than all the rest of a short
            // request.
            if (hasWaited && request.signal?.aborted === true) return request.finished?.()
            if (hasWaited && this.#isExpired(request, receivedAt)) return
            const done = pause?.begin()
            return request.finished === undefined
              ? this.#serve(request, receivedAt, done)
              : this.#serveToTheEnd(request, receivedAt, done)
          },
          undefined,
          request.isSettled === true ? undefined : () => request.requeue(),
        )
        hasWaited = true
      },
    })
    this.#tellMethods()
    return {
      closed: listener.closed,
      stop: async () => {
        try {
          await listener.stop()
        } finally {
          // Before the pause lets the pool go: what can be handed back must not start.
          pool.handBackWaiting()
          this.#pausing.end(pause)
        }
      },
      // Replies are on their way after the last method has returned; the subscription is what they may need to get out.
      close: async () => {
        await this.#replies.settled()
        await listener.close()
      },
    }
  }

  /** One line of the log, at the first start. */
  #tellMethods(): void {
    if (this.#hasToldMethods) return
    this.#hasToldMethods = true
    const { methods, notOffered } = this.#dispatcher
    const names = methods.map(
      ({ name, namespace, version }) => `${namespace === null ? '' : `${namespace}.`}${name} ${version}`,
    )
    this.#transport.logger.debug(`${String(this.target)} offers ${names.join(', ')}`, { methods, notOffered })
  }

  /** Whether the caller's time ended while the request waited for a worker; then it is settled without its method,
   *  because nobody waits for the result. */
  #isExpired(request: IncomingRequest, receivedAt: number): boolean {
    const { clock, driverName } = this.#transport
    const { expiresInMs, uniqueId } = request
    if (expiresInMs === undefined || clock.now() - receivedAt < expiresInMs) return false
    request.acknowledge()
    request.finished?.()
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: driverName,
      source: `RPC server ${String(this.target)}`,
      reason: 'expired',
      ...(uniqueId === undefined ? {} : { uniqueId }),
    }))
    return true
  }

  /** One request, from the worker that took it to its reply. Resolves in every case. */
  async #serve(request: IncomingRequest, receivedAt: number, done: Done): Promise<void> {
    request.acknowledge()
    const { clock } = this.#transport
    let checked: CheckedRequest
    try {
      checked = this.#dispatcher.check(request.message)
    } catch (error) {
      done?.()
      const busy = this.#replies.fail(request, error)
      this.#reportUnreadable(request, error)
      return await busy
    }
    const observed = this.#observe(checked)
    const call = new IncomingCall(request, this.#watching, clock, receivedAt)
    let endHeartbeats: (() => void) | undefined
    let result: unknown
    try {
      const found = this.#dispatcher.find(checked)
      endHeartbeats = startHeartbeats(request, this.#transport.clock, this.#transport.logger)
      const { serve } = busOf(this.#transport).interceptors
      result =
        serve === undefined
          ? this.#dispatcher.invoke(found, checked, request.context, call)
          : this.#intercept(serve, found, checked, request, call)
      if (isPromiseLike(result)) result = await result
      endHeartbeats?.()
      call.end()
    } catch (error) {
      endHeartbeats?.()
      call.end()
      // The client first: a logger that fails must not leave it waiting.
      done?.(isExpected(error) || call.hasGone ? undefined : { error })
      // Whoever gave up because nobody waits any more has nobody to tell: the failure would only race the caller's own timeout.
      const busy = call.hasGone ? undefined : this.#replies.fail(request, error)
      observed?.(error)
      this.#log(checked, error)
      return await busy
    }
    done?.()
    observed?.()
    // Nothing to wait for is the rule, and an await of it would cost every request a turn.
    const busy = this.#replies.succeed(request, result)
    if (busy !== undefined) await busy
  }

  /** Runs the method inside the interceptors. */
  async #intercept(
    interceptions: NonNullable<Interceptors['serve']>,
    found: FoundMethod,
    checked: CheckedRequest,
    request: IncomingRequest,
    call: IncomingCall,
  ): Promise<unknown> {
    const { method, namespace, version, args } = checked
    const operation: ServeOperation = {
      kind: 'serve',
      driver: this.#transport.driverName,
      target: this.target,
      method,
      namespace,
      version,
      args,
      context: request.context,
      headers: call.headers,
      redelivered: call.redelivered,
      get remainingMs() {
        return call.remainingMs
      },
      get signal() {
        return call.signal
      },
    }
    return await intercept(
      interceptions,
      operation,
      async () => await this.#dispatcher.invoke(found, checked, operation.context, call),
    )
  }

  async #serveToTheEnd(request: IncomingRequest, receivedAt: number, done: Done): Promise<void> {
    try {
      await this.#serve(request, receivedAt, done)
    } finally {
      request.finished?.()
    }
  }

  /** Expected failures are the client's business; the others are worth a line with the error. */
  #log({ method }: CheckedRequest, error: unknown): void {
    const { logger } = this.#transport
    const quiet =
      error instanceof ExpectedException || (error instanceof NoSuchMethod && error.method.endsWith('_ignore_errors'))
    const cause = error instanceof ExpectedException ? error.cause : error
    const hidden = error instanceof NoSuchMethod ? this.#dispatcher.whyNotOffered(method) : undefined
    const hint = hidden === undefined ? '' : ` (${method} is not offered because ${hidden})`
    const text = `${method} of ${String(this.target)} failed: ${errorText(cause)}${hint}`
    if (quiet) logger.debug(text, { error: cause })
    else logger.error(text, { error: cause })
  }

  #reportUnreadable(request: IncomingRequest, error: unknown): void {
    const { logger, driverName } = this.#transport
    logger.warn(`${String(this.target)}: ${errorText(error)}`, { error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: driverName,
      source: `RPC server ${String(this.target)}`,
      reason: 'unreadable',
      error,
      ...(request.uniqueId === undefined ? {} : { uniqueId: request.uniqueId }),
    }))
  }

  /** Tells the diagnostics channels of the request, if anyone listens; the function ends it. */
  #observe({ method }: CheckedRequest): ((error?: unknown) => void) | undefined {
    if (!CHANNELS.some(hasDiagnosticSubscribers)) return undefined
    const facts = { id: (lastId += 1), target: String(this.target), method }
    emitDiagnostic('oslo-messaging:rpc-server:start', () => facts)
    return observe(this.#transport.clock, (ending) =>
      emitDiagnostic('oslo-messaging:rpc-server:end', () => ({ ...facts, ...ending })),
    )
  }
}

/** What says nothing about whether this server can work: the caller's mistakes, and what methods raise on purpose. */
function isExpected(error: unknown): boolean {
  return error instanceof ExpectedException || error instanceof NoSuchMethod || error instanceof UnsupportedVersion
}

/** A server for `target.topic` and `target.server` with the methods of one endpoint, or of several. Listens after
 *  `start()`.
 *  With the interface that its clients know, `getRpcServer<Api, Ctx>(...)`, the compiler sees that each method is there
 *  and fits, and parameters need no annotation.
 *  Throws InvalidTarget without topic or server name, UnsupportedCapability when the driver is notify-only,
 *  ExecutorLoadFailure, TypeError for endpoints that offer nothing and for other bad values. Source: get_rpc_server. */
export function getRpcServer<Server extends object>(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options: GetRPCServerOptions<AnyMethods, Server> & { readonly serverClass: RPCServerClass<Server> },
): Server
export function getRpcServer(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options?: GetRPCServerOptions,
): RPCServer
export function getRpcServer<Api extends object, Ctx extends object = MessageContext>(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: EndpointsFor<Api, Ctx>,
  options?: GetRPCServerOptions<Api>,
): RPCServer<Api>
export function getRpcServer(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options: GetRPCServerOptions<AnyMethods, unknown> = {},
): unknown {
  const { serverClass: ServerClass = RPCServer } = options
  return new ServerClass(transport, target, endpoints, options)
}

function checkExecutor(executor: string | null | undefined): void {
  if (executor === undefined || executor === null || EXECUTORS.includes(executor)) return
  throw new ExecutorLoadFailure(
    executor,
    `There is no executor ${executor}: leave it out; ${EXECUTORS.join(' and ')} are accepted and mean the event loop`,
  )
}

function makeDispatcher(
  transport: Transport,
  endpoints: readonly Endpoint[],
  options: RPCServerOptions,
): RPCDispatcher {
  const serializer = options.serializer ?? new NoOpSerializer()
  const { conf, logger } = transport
  const dispatcher = new RPCDispatcher(endpoints, serializer, options)
  if (dispatcher.emptiness !== undefined) logger.warn(dispatcher.emptiness, ADVICE)
  if (!conf.get('DEFAULT', 'rpc_ping_enabled')) return dispatcher
  if (dispatcher.methods.some(({ name }) => name === PING_METHOD)) {
    logger.warn(`An endpoint has a method ${PING_METHOD} already: the ping endpoint is not added`, ADVICE)
    return dispatcher
  }
  const exposes = options.exposes === undefined ? undefined : { ...options.exposes, [PING_METHOD]: true as const }
  return new RPCDispatcher([...endpoints, createPingEndpoint()], serializer, { ...options, exposes })
}
