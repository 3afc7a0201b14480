import { emitDiagnostic } from '../../diagnostics/channels.ts'
import type { Listener } from '../../driver/driver.ts'
import type { IncomingRequest } from '../../driver/messages.ts'
import { Once } from '../../idempotency/once.ts'
import { checkSerializer } from '../../serializer/serializer.ts'
import { HeldMessages } from '../../server/held-messages.ts'
import { MessageServer } from '../../server/message-server.ts'
import { readPause } from '../../server/pause-settings.ts'
import type { PauseSwitch } from '../../server/pause-switch.ts'
import { Pausing } from '../../server/pausing.ts'
import { prefetchOf } from '../../server/prefetch.ts'
import type { WorkerPool } from '../../server/worker-pool.ts'
import type { Target, TargetFields } from '../../target.ts'
import { readTarget, requireServerTarget, requireTransport } from '../../transport/check-target.ts'
import { busOf } from '../../transport/bus.ts'
import { interceptRequest } from '../../transport/settling.ts'
import type { Transport } from '../../transport/transport.ts'
import { checkChoice, checkOptions } from '../../util/check.ts'
import type { Deadline } from '../../util/deadline.ts'
import type { AnyMethods, MethodName } from '../contract.ts'
import type { Endpoint } from './endpoint.ts'
import { makeDispatcher } from './make-dispatcher.ts'
import { ReplySender } from './reply-sender.ts'
import { RequestHandler } from './request-handler.ts'
import type { RPCDispatcher, ServedMethod } from './rpc-dispatcher.ts'
import { checkExecutor, type RPCServerOptions, SERVER_OPTIONS } from './server-options.ts'

/** What one start of a server has of its own. */
interface Cycle {
  readonly pool: WorkerPool
  readonly pause: PauseSwitch | undefined
  /** Requests that another process holds. */
  readonly held: HeldMessages
}

/** Serves the requests of a topic with endpoints. Each request is acknowledged when a worker takes it, just before its
 *  method runs: at most once, and what is not taken stays with the broker for other servers. Make it with
 *  `getRpcServer`. */
export class RPCServer<Api extends object = AnyMethods> extends MessageServer {
  readonly target: Target
  readonly #transport: Transport
  readonly #dispatcher: RPCDispatcher
  readonly #replies: ReplySender
  readonly #handler: RequestHandler
  readonly #pausing: Pausing
  readonly #acknowledge: 'before' | 'after' | null
  readonly #once: Once | undefined
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
    checkOptions('An RPC server', options, new.target === RPCServer ? SERVER_OPTIONS : undefined)
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
        for (const call of this.#handler.watching) call.abort(reason)
      },
    })
    this.target = target
    this.#transport = transport
    this.#acknowledge = acknowledge as 'before' | 'after' | null
    const name = `RPC server ${String(target)}`
    this.#once = makeOnce(name, target, transport, acknowledge, options)
    this.#pausing = new Pausing({
      name,
      driver: transport.driverName,
      settings: options.pause === undefined ? null : readPause('pause', conf, options.pause),
      logger,
      clock,
    })
    const list = Array.isArray(endpoints) ? (endpoints as readonly Endpoint[]) : [endpoints]
    this.#dispatcher = makeDispatcher(transport, list, options)
    this.#replies = new ReplySender({
      server: String(target),
      logger,
      remoteErrors: bus.remoteErrors,
      workers: options.workers ?? configured(),
    })
    this.#handler = new RequestHandler(transport, target, this.#dispatcher, this.#replies)
  }

  /** What clients can call: each method with each namespace and version it is served under. */
  get methods(): readonly ServedMethod<MethodName<Api>>[] {
    return this.#dispatcher.methods as readonly ServedMethod<MethodName<Api>>[]
  }

  async #subscribe(pool: WorkerPool, deadline: Deadline): Promise<Listener> {
    const { clock } = this.#transport
    const pause = this.#pausing.begin(pool)
    const cycle: Cycle = { pool, pause, held: new HeldMessages(clock) }
    const listener = await busOf(this.#transport).listen(this.target, {
      deadline,
      ...(this.#acknowledge === null ? {} : { acknowledge: this.#acknowledge }),
      prefetch: prefetchOf(pool),
      onMessage: (request) =>
        this.#take(this.#watched(request), request.expiresInMs === undefined ? 0 : clock.now(), cycle, false),
    })
    this.#tellMethods()
    return {
      closed: listener.closed,
      stop: async () => {
        try {
          await listener.stop()
        } finally {
          // Before the pause lets the pool go: what can be handed back must not start.
          cycle.held.stop()
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

  /** With the interceptors around its settling, where that is late and there are any. */
  #watched(request: IncomingRequest): IncomingRequest {
    const { settle } = busOf(this.#transport).interceptors
    if (settle === undefined || this.#acknowledge !== 'after') return request
    const receiver = `RPC server ${String(this.target)}`
    return interceptRequest(request, settle, { driver: this.#transport.driverName, receiver })
  }

  /** Has a worker handle a request. `wasHeld`: it has waited already, because another process held it. */
  #take(request: IncomingRequest, receivedAt: number, cycle: Cycle, wasHeld: boolean): void {
    let hasWaited = wasHeld
    cycle.pool.run(
      () => {
        // The broker took it back while it waited for a worker, and delivers it again: running this copy would run it
        // twice.
        // Only then: drivers make the signal when it is asked for, which costs more than all the rest of a short
        // request.
        if (hasWaited && request.signal?.aborted === true) return request.finished?.()
        if (hasWaited && this.#isExpired(request, receivedAt)) return
        if (this.#once !== undefined && request.uniqueId !== undefined)
          return this.#serveOnce(this.#once, request, request.uniqueId, receivedAt, cycle)
        const taken = { receivedAt, report: cycle.pause?.begin() }
        return request.finished === undefined
          ? this.#handler.serve(request, taken)
          : this.#handler.serveToTheEnd(request, taken)
      },
      undefined,
      request.isSettled === true ? undefined : () => request.requeue(),
    )
    hasWaited = true
  }

  /** Serves a request unless another process has it, or has served it. */
  async #serveOnce(
    once: Once,
    request: IncomingRequest,
    uniqueId: string,
    receivedAt: number,
    cycle: Cycle,
  ): Promise<void> {
    // Each server of a topic has its own copy of a fanout.
    const claim = await once.claim(request.isFanout === true ? `${String(this.target.server)}:${uniqueId}` : uniqueId)
    if (claim === 'held') {
      const again = (): void => this.#take(request, receivedAt, cycle, true)
      return cycle.held.hold(once.retryAfterMs, again, () => request.requeue())
    }
    if (claim === 'done') return this.#settle(request, 'duplicate')
    await this.#handler.serveToTheEnd(request, { receivedAt, report: cycle.pause?.begin(), claim })
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
    const { expiresInMs } = request
    if (expiresInMs === undefined || this.#transport.clock.now() - receivedAt < expiresInMs) return false
    this.#settle(request, 'expired')
    return true
  }

  /** Settles a request without its method, and says why. */
  #settle(request: IncomingRequest, reason: 'duplicate' | 'expired'): void {
    const { uniqueId } = request
    request.acknowledge()
    request.finished?.()
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: this.#transport.driverName,
      source: `RPC server ${String(this.target)}`,
      reason,
      ...(uniqueId === undefined ? {} : { uniqueId }),
    }))
  }
}

/** Throws TypeError for an option that cannot be used, also for one that would promise what it cannot keep. */
function makeOnce(
  name: string,
  { exchange, topic }: Target,
  { clock, logger }: Transport,
  acknowledge: string | null,
  { idempotency }: Pick<RPCServerOptions, 'idempotency'>,
): Once | undefined {
  if (idempotency === undefined) return undefined
  if (acknowledge !== 'after')
    throw new TypeError(
      "idempotency of an RPC server needs acknowledge: 'after': a request that is settled before its method runs is never delivered again",
    )
  const scope = `rpc ${exchange === null ? '' : `${exchange}/`}${String(topic)}`
  return new Once(idempotency, { name, scope, clock, logger })
}
