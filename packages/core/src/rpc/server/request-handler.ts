import { emitDiagnostic, watcherOf } from '../../diagnostics/channels.ts'
import { observe } from '../../diagnostics/observe.ts'
import type { IncomingRequest } from '../../driver/messages.ts'
import { ExpectedException, NoSuchMethod, UnsupportedVersion } from '../../errors.ts'
import type { Claim } from '../../idempotency/once.ts'
import type { PauseSwitch } from '../../server/pause-switch.ts'
import type { Target } from '../../target.ts'
import { busOf } from '../../transport/bus.ts'
import { intercept, type Interceptors, type ServeOperation } from '../../transport/interceptor.ts'
import type { Transport } from '../../transport/transport.ts'
import { isPromiseLike } from '../../util/promise.ts'
import { errorText } from '../../util/text.ts'
import { startHeartbeats } from './heartbeats.ts'
import { IncomingCall } from './incoming-call.ts'
import type { ReplySender } from './reply-sender.ts'
import type { CheckedRequest, FoundMethod, RPCDispatcher } from './rpc-dispatcher.ts'

const isWatched = watcherOf('oslo-messaging:rpc-server:start', 'oslo-messaging:rpc-server:end')
let lastId = 0

/** What a server knows of a request that a worker has taken. */
export interface Taken {
  /** On the `now` of the clock. */
  readonly receivedAt: number
  /** Tells the pause how it ended; undefined for a server that never pauses. */
  readonly report: ReturnType<PauseSwitch['begin']> | undefined
  /** Undefined: nobody asks whether it was handled before. */
  readonly claim?: Claim
}

/** One request whose method runs. */
interface Serving {
  readonly request: IncomingRequest
  readonly taken: Taken
  readonly checked: CheckedRequest
  readonly call: IncomingCall
  readonly observed: ((error?: unknown) => void) | undefined
  endHeartbeats: (() => void) | undefined
}

/** Runs the methods of one server and sends their replies. */
export class RequestHandler {
  /** Calls whose methods hold a signal. */
  readonly watching: Set<IncomingCall> = new Set<IncomingCall>()
  readonly #transport: Transport
  readonly #target: Target
  readonly #dispatcher: RPCDispatcher
  readonly #replies: ReplySender

  constructor(transport: Transport, target: Target, dispatcher: RPCDispatcher, replies: ReplySender) {
    this.#transport = transport
    this.#target = target
    this.#dispatcher = dispatcher
    this.#replies = replies
  }

  /** One request, from the worker that took it to its reply. Resolves in every case; undefined when there is nothing to
   *  wait for. Not `async`, because a method that returns at once would pay for promises that nobody needs. */
  serve(request: IncomingRequest, taken: Taken): Promise<void> | undefined {
    request.acknowledge()
    const { clock, logger } = this.#transport
    let checked: CheckedRequest
    try {
      checked = this.#dispatcher.check(request.message)
    } catch (error) {
      return this.#refuse(request, taken, error)
    }
    const call = new IncomingCall(request, this.watching, clock, taken.receivedAt)
    const serving: Serving = {
      request,
      taken,
      checked,
      call,
      observed: this.#observe(checked),
      endHeartbeats: undefined,
    }
    let result: unknown
    try {
      const found = this.#dispatcher.find(checked)
      serving.endHeartbeats = startHeartbeats(request, clock, logger)
      const { serve } = busOf(this.#transport).interceptors
      result =
        serve === undefined
          ? this.#dispatcher.invoke(found, checked, request.context, call)
          : this.#intercept(serve, found, checked, request, call)
      // Here, because a `then` of the application's may throw when it is looked at.
      if (isPromiseLike(result)) return this.#settleLater(serving, result)
    } catch (error) {
      return this.#fail(serving, error)
    }
    return this.#succeed(serving, result)
  }

  async #settleLater(serving: Serving, promise: PromiseLike<unknown>): Promise<void> {
    let result: unknown
    try {
      result = await promise
    } catch (error) {
      return await this.#fail(serving, error)
    }
    const busy = this.#succeed(serving, result)
    // An await of nothing would cost a turn.
    if (busy !== undefined) await busy
  }

  #succeed({ request, taken, call, observed, endHeartbeats }: Serving, result: unknown): Promise<void> | undefined {
    const { report, claim } = taken
    endHeartbeats?.()
    call.end()
    report?.()
    observed?.()
    if (claim === undefined) return this.#replies.succeed(request, result)
    // Before the reply: whoever dies in between leaves a caller without one, and not a method that runs again.
    return claim.done().then(() => this.#replies.succeed(request, result))
  }

  #fail(
    { request, taken, checked, call, observed, endHeartbeats }: Serving,
    error: unknown,
  ): Promise<void> | undefined {
    const { report, claim } = taken
    endHeartbeats?.()
    call.end()
    // The client first: a logger that fails must not leave it waiting.
    report?.(isExpected(error) || call.hasGone ? undefined : { error })
    // Whoever gave up because nobody waits any more has nobody to tell: the failure would only race the caller's own
    // timeout.
    const busy = call.hasGone ? undefined : this.#replies.fail(request, error)
    observed?.(error)
    this.#log(checked, error)
    return claim === undefined ? busy : claim.release().then(() => busy)
  }

  /** What cannot be read. */
  #refuse(request: IncomingRequest, { report, claim }: Taken, error: unknown): Promise<void> | undefined {
    report?.()
    const busy = this.#replies.fail(request, error)
    this.#reportUnreadable(request, error)
    return claim === undefined ? busy : claim.release().then(() => busy)
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
      target: this.#target,
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

  /** The same for a request that is settled when it is over. */
  async serveToTheEnd(request: IncomingRequest, taken: Taken): Promise<void> {
    try {
      await this.serve(request, taken)
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
    const text = `${method} of ${String(this.#target)} failed: ${errorText(cause)}${hint}`
    if (quiet) logger.debug(text, { error: cause })
    else logger.error(text, { error: cause })
  }

  #reportUnreadable(request: IncomingRequest, error: unknown): void {
    const { logger, driverName } = this.#transport
    logger.warn(`${String(this.#target)}: ${errorText(error)}`, { error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: driverName,
      source: `RPC server ${String(this.#target)}`,
      reason: 'unreadable',
      error,
      ...(request.uniqueId === undefined ? {} : { uniqueId: request.uniqueId }),
    }))
  }

  /** Tells the diagnostics channels of the request, if anyone listens; the function ends it. */
  #observe({ method }: CheckedRequest): ((error?: unknown) => void) | undefined {
    if (!isWatched()) return undefined
    const facts = { id: (lastId += 1), target: String(this.#target), method }
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
