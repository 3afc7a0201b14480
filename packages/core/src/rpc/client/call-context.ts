import type { MessageContext, OutgoingRequest, RPCReply, RPCRequestMessage } from '../../driver/messages.ts'
import type { SendOptions } from '../../driver/driver.ts'
import { InvalidTarget, isMessagingError, RPCVersionCapError, TransportDriverError } from '../../errors.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import { mapValues, type Serializer } from '../../serializer/serializer.ts'
import { isPromiseLike } from '../../util/promise.ts'
import type { Target, TargetFields } from '../../target.ts'
import { checkHeaders, type MessageHeaders } from '../../transport/check-headers.ts'
import { readTarget } from '../../transport/check-target.ts'
import { intercept, type SendOperation } from '../../transport/interceptor.ts'
import { type Bus, busOf } from '../../transport/bus.ts'
import type { Transport } from '../../transport/transport.ts'
import { Deadline } from '../../util/deadline.ts'
import { checkOptions, checkSignal, checkTimeout, kindOf, type OptionNames, checkRetry } from '../../util/check.ts'
import { ADVICE, type Logger } from '../../diagnostics/logger.ts'
import { beginAtCaller } from '../../util/stack.ts'
import { decodeFailure } from '../../wire/remote-failure.ts'
import { CALL_OPTIONS, CALL_TRANSPORT_OPTIONS, type CallOptions, type CallTransportOptions } from './call-options.ts'
import type { AnyMethods, CallArguments, CallContextArgument, CallResult, MethodName } from '../contract.ts'
import { explainFailure } from './explain-failure.ts'
import { observeSending } from './observe-sending.ts'
import { remainingOf } from '../call-of-context.ts'
import { isVersion, isVersionCompatible } from '../version.ts'

/** What every call and cast of a client has in common. */
export interface CallSettings {
  /** null: no limit. Casts do not use it. */
  readonly timeoutMs: number | null
  /** Highest version that may be asked for; null: any. */
  readonly versionCap: string | null
  /** Attempts after the first; null: no limit but the deadline. */
  readonly retry: number | null
  /** null: not monitored. */
  readonly callMonitorTimeoutMs: number | null
  readonly atLeastOnce: boolean
  readonly serializer: Serializer
  readonly defaultTimeoutMs: number
}

/** What `prepare` may replace: leaving out keeps, null clears a field and lifts a limit. */
export interface PrepareOptions extends Omit<TargetFields, 'legacyNamespaces'> {
  /** null: no limit. */
  readonly timeoutMs?: number | null | undefined
  readonly versionCap?: string | null | undefined
  /** null or -1: no limit but the deadline; 0: one attempt; N: so many more. */
  readonly retry?: number | null | undefined
  /** Reject with ServerLost when neither a reply nor a sign of life comes for so long; servers send one at half of it,
   *  from 2000 up. */
  readonly callMonitorTimeoutMs?: number | null | undefined
  readonly transportOptions?: CallTransportOptions | undefined
}

const PREPARE_OPTIONS: OptionNames<PrepareOptions> = {
  exchange: true,
  topic: true,
  namespace: true,
  version: true,
  server: true,
  fanout: true,
  timeoutMs: true,
  versionCap: true,
  retry: true,
  callMonitorTimeoutMs: true,
  transportOptions: true,
}

/** Arguments by name. */
type Args = Readonly<Record<string, unknown>>

const NO_ARGUMENTS: Args = Object.freeze({})
const NO_OPTIONS: CallOptions = Object.freeze({})

/** Calls and casts to one target with fixed settings. Immutable; `prepare` gives a changed copy. Any number of calls
 *  may be under way. */
export class CallContext<Methods extends object = AnyMethods, Ctx extends object = object> {
  readonly target: Target
  readonly transport: Transport
  readonly #bus: Bus
  readonly #settings: CallSettings
  /** Nothing to serialize: arguments and results pass as they are. */
  readonly #isPlain: boolean

  constructor(transport: Transport, given: Target | TargetFields, settings: CallSettings) {
    const target = readTarget(given, 'An RPC client')
    checkVersion(target, target.version)
    if (settings.versionCap !== null) checkVersion(target, settings.versionCap)
    const bus = busOf(transport)
    if (target.fanout === true) bus.require('rpcFanout')
    if (settings.callMonitorTimeoutMs !== null) bus.require('rpcCallMonitoring')
    if (settings.atLeastOnce) bus.require('rpcAtLeastOnce')
    this.transport = transport
    this.#bus = bus
    this.target = target
    this.#settings = settings
    this.#isPlain = settings.serializer.constructor === NoOpSerializer
  }

  /** A copy with some fields of the target or some settings replaced; the original stays as it is.
   *  Throws InvalidTarget for a version that is not `major.minor`, UnsupportedCapability for what the driver cannot do,
   *  TypeError for other bad values. */
  prepare(changes: PrepareOptions): CallContext<Methods, Ctx> {
    if (typeof changes !== 'object' || changes === null)
      throw new TypeError(`prepare takes what changes in an object such as { server: 'node1' }, not ${kindOf(changes)}`)
    const { timeoutMs, versionCap, retry, callMonitorTimeoutMs, transportOptions, ...fields } = changes
    checkOptions('prepare', changes, PREPARE_OPTIONS)
    checkOptions('transportOptions', transportOptions, CALL_TRANSPORT_OPTIONS)
    const before = this.#settings
    return new CallContext<Methods, Ctx>(this.transport, this.target.with(withoutUndefined(fields)), {
      ...before,
      timeoutMs: timeoutMs === undefined ? before.timeoutMs : checkTimeout('timeoutMs', timeoutMs),
      versionCap: versionCap === undefined ? before.versionCap : versionCap,
      retry: retry === undefined ? before.retry : checkRetry(retry),
      callMonitorTimeoutMs:
        callMonitorTimeoutMs === undefined
          ? before.callMonitorTimeoutMs
          : checkMonitor(callMonitorTimeoutMs, this.transport.logger),
      atLeastOnce: transportOptions?.atLeastOnce ?? before.atLeastOnce,
    })
  }

  /** Whether the version, by default the target's, is within the cap. Without a cap: true. */
  canSendVersion(version: string | null = this.target.version): boolean {
    checkVersion(this.target, version)
    return isVersionCompatible(this.#settings.versionCap, version)
  }

  /** Calls a method and resolves to its result, null where it gives nothing.
   *  Rejects: before anything is sent with TypeError, InvalidTarget (fanout, no topic), RPCVersionCapError or
   *  SerializationError; else with ClientSendError, MessageDeliveryFailure,
   *  MessageUndeliverable, MessagingTimeout, ServerLost, ReplyPathLost (each with `phase` and `delivery`), the reason
   *  of `signal`, or what the method raised: an error of
   *  Python's builtins or an allowed class as itself, RemoteError otherwise. The stack of each begins at the caller. */
  async call<K extends MethodName<Methods>>(
    context: CallContextArgument<Ctx>,
    method: K,
    ...rest: CallArguments<Methods[K], CallOptions>
  ): Promise<CallResult<Methods[K]>> {
    const observed = observeSending('call', this.target, method, this.transport.clock)
    try {
      const [args, options = NO_OPTIONS] = rest
      // Before the options: two arguments by position would look like one and wrong options.
      const named = checkArguments(method, args)
      checkOptions(method, options, CALL_OPTIONS)
      if (this.target.fanout === true) throw cannotCallAll(this.target)
      const { timeoutMs, callMonitorTimeoutMs, retry, atLeastOnce } = this.#settings
      const ownMs = options.timeoutMs === undefined ? timeoutMs : checkTimeout('timeoutMs', options.timeoutMs)
      const ctxt = checkContext(context)
      // On behalf of a caller that has gone nobody needs an answer.
      const inheritedMs = options.inheritDeadline === false ? undefined : remainingOf(ctxt)
      const patienceMs = inheritedMs === undefined ? ownMs : Math.min(ownMs ?? Infinity, inheritedMs)
      const headers = checkHeaders(options.headers)
      const send: SendOptions = {
        waitForReply: true,
        deadline: this.#deadline(patienceMs, options),
        expiresInMs: patienceMs,
        callMonitorTimeoutMs,
        retries: retry,
        atLeastOnce,
      }
      const { call: interceptions } = this.#bus.interceptors
      let result: unknown
      if (interceptions === undefined) {
        const reply = await this.#transmit(ctxt, method, named, headers, send)
        const opened = this.#open(ctxt, reply)
        result = isPromiseLike(opened) ? await opened : opened
      } else {
        const operation = this.#operation('call', ctxt, method, named, headers, send.deadline)
        result = await intercept(interceptions, operation, async () => {
          const reply = await this.#transmitIntercepted(operation, send)
          return await this.#open(operation.context, reply)
        })
      }
      observed?.()
      return result as CallResult<Methods[K]>
    } catch (error) {
      const failure = explainFailure(error, method, this.#namedTarget())
      observed?.(failure)
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw isOurs(failure) ? beginAtCaller(failure, this.call) : failure
    }
  }

  /** Sends a request that nobody answers; with `fanout` in the target every server gets it. Resolves when the broker
   *  has it. Rejects like `call`. */
  async cast<K extends MethodName<Methods>>(
    context: CallContextArgument<Ctx>,
    method: K,
    ...rest: CallArguments<Methods[K], CallOptions>
  ): Promise<void> {
    const observed = observeSending('cast', this.target, method, this.transport.clock)
    try {
      const [args, options = NO_OPTIONS] = rest
      // Before the options: two arguments by position would look like one and wrong options.
      const named = checkArguments(method, args)
      checkOptions(method, options, CALL_OPTIONS)
      const { defaultTimeoutMs, retry, atLeastOnce } = this.#settings
      const patienceMs =
        options.timeoutMs === undefined ? defaultTimeoutMs : checkTimeout('timeoutMs', options.timeoutMs)
      const ctxt = checkContext(context)
      const headers = checkHeaders(options.headers)
      const send: SendOptions = {
        waitForReply: false,
        deadline: this.#deadline(patienceMs, options),
        expiresInMs: null,
        callMonitorTimeoutMs: null,
        retries: retry,
        atLeastOnce,
      }
      const { cast: interceptions } = this.#bus.interceptors
      if (interceptions === undefined) await this.#transmit(ctxt, method, named, headers, send)
      else {
        const operation = this.#operation('cast', ctxt, method, named, headers, send.deadline)
        await intercept(interceptions, operation, async () => {
          await this.#transmitIntercepted(operation, send)
        })
      }
      observed?.()
    } catch (error) {
      const failure = explainFailure(error, method, this.#namedTarget())
      observed?.(failure)
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw isOurs(failure) ? beginAtCaller(failure, this.cast) : failure
    }
  }

  /** For messages: the exchange is named even where it is the default. */
  #namedTarget(): Target {
    const { target, transport } = this
    return target.exchange === null
      ? target.with({ exchange: transport.conf.get('DEFAULT', 'control_exchange') })
      : target
  }

  #operation(
    kind: 'call' | 'cast',
    context: object,
    method: string,
    args: unknown,
    headers: MessageHeaders | undefined,
    deadline: Deadline,
  ): SendOperation {
    const { target } = this
    return { kind, driver: this.transport.driverName, target, method, args, context, headers: { ...headers }, deadline }
  }

  async #transmitIntercepted(operation: SendOperation, options: SendOptions): Promise<RPCReply | undefined> {
    const { method, args, headers } = operation
    return await this.#transmit(
      checkContext(operation.context),
      method,
      checkArguments(method, args),
      checkHeaders(headers),
      options,
    )
  }

  #deadline(timeoutMs: number | null, options: CallOptions): Deadline {
    checkSignal(options.signal)
    return Deadline.after(timeoutMs, { signal: options.signal, clock: this.transport.clock })
  }

  /** Checks, serializes and sends one request. Not `async`, so that a plain one costs no turns of its own. */
  #transmit(
    ctxt: object,
    method: string,
    named: Args,
    headers: MessageHeaders | undefined,
    options: SendOptions,
  ): Promise<RPCReply | undefined> {
    const { target } = this
    const { versionCap, serializer } = this.#settings
    if (versionCap !== null && !isVersionCompatible(versionCap, target.version))
      throw new RPCVersionCapError(target.version, versionCap)
    const entities = this.#isPlain ? named : this.#serialize(ctxt, named)
    if (isPromiseLike(entities)) return this.#transmitLater(ctxt, method, entities, headers, options)
    const context = serializer.serializeContext(ctxt)
    if (isPromiseLike(context)) return this.#transmitLater(ctxt, method, entities, headers, options, context)
    return this.#bus.send(target, withHeaders(context, this.#message(method, entities), headers), options)
  }

  /** For serializers that take their time. */
  async #transmitLater(
    ctxt: object,
    method: string,
    entities: Args | PromiseLike<Args>,
    headers: MessageHeaders | undefined,
    options: SendOptions,
    serialized?: PromiseLike<MessageContext>,
  ): Promise<RPCReply | undefined> {
    const message = this.#message(method, await entities)
    const context = await (serialized ?? this.#settings.serializer.serializeContext(ctxt))
    return await this.#bus.send(this.target, withHeaders(context, message, headers), options)
  }

  /** Keys in the order Python writes them. */
  #message(method: string, args: Args): RPCRequestMessage {
    const { namespace, version } = this.target
    if (namespace === null) return version === null ? { method, args } : { method, args, version }
    return version === null ? { method, args, namespace } : { method, args, namespace, version }
  }

  /** The arguments, serialized; a promise only where the serializer gives one, so that casts keep their order. */
  #serialize(ctxt: object, args: Args): Args | Promise<Args> {
    const { serializer } = this.#settings
    return mapValues(args, (value) => serializer.serializeEntity(ctxt, value))
  }

  /** The value in a reply. Not `async`, so that a plain result costs no turn. */
  #open(ctxt: object, reply: RPCReply | undefined): unknown {
    if (reply === undefined)
      throw new TransportDriverError(`${this.transport.driverName}: a call resolved without its reply`, {
        phase: 'reply',
        delivery: 'confirmed',
      })
    if (reply.failure !== null) throw decodeFailure(reply.failure, this.#bus.remoteErrors)
    return this.#isPlain ? reply.result : this.#settings.serializer.deserializeEntity(ctxt, reply.result)
  }
}

/** Not a spread: most requests have no headers, and this is on the way of each. */
function withHeaders(
  context: MessageContext,
  message: RPCRequestMessage,
  headers: MessageHeaders | undefined,
): OutgoingRequest {
  return headers === undefined ? { context, message } : { context, message, headers }
}

function checkContext(context: unknown): object {
  if (context === null || context === undefined) return {}
  // A list or a map would be sent without what is in it.
  if (typeof context === 'object' && !(Symbol.iterator in context)) return context
  throw new TypeError(`The request context must be an object or null, not ${kindOf(context)}`)
}

function checkArguments(method: unknown, args: unknown): Args {
  if (typeof method !== 'string' || method === '')
    throw new TypeError(`The method must be a name, not ${method === '' ? 'an empty text' : kindOf(method)}`)
  if (args === undefined) return NO_ARGUMENTS
  // Lists, maps and dates are values of one argument, not arguments by name.
  if (typeof args === 'object' && args !== null && !(Symbol.iterator in args) && !(args instanceof Date))
    return args as Record<string, unknown>
  throw new TypeError(`Arguments of ${method} go by name, in one object such as { name: value }`)
}

/** Whether the error was made here or below, from something that has no stack worth keeping: a timer, a frame, a
 *  failure text.
 *  The reason of a signal and what a serializer throws belong to the application, and their stacks say where. */
function isOurs(error: unknown): boolean {
  if (isMessagingError(error)) return !isMessagingError(error, 'SERIALIZATION')
  return error instanceof Error && isMessagingError(error.cause, 'REMOTE')
}

function cannotCallAll(target: Target): InvalidTarget {
  return new InvalidTarget('A call needs one answer, so it cannot go to every server: use cast for fanout', target)
}

function checkVersion(target: Target, version: unknown): void {
  if (version !== null && (typeof version !== 'string' || !isVersion(version)))
    throw new InvalidTarget(
      `Version must contain a major and minor integer. Got ${typeof version === 'string' ? version : typeof version}`,
      target,
    )
}

/** Shorter than servers send signs of life: every call that takes longer is given up. Allowed, because oslo allows
 *  it. */
export function checkMonitor(value: unknown, logger: Logger): number | null {
  const timeoutMs = checkTimeout('callMonitorTimeoutMs', value)
  if (timeoutMs !== null && timeoutMs < LEAST_MONITOR_MS)
    logger.warn(
      `callMonitorTimeoutMs ${timeoutMs} is below ${LEAST_MONITOR_MS}, from which on servers send signs of life: a call that takes longer fails`,
      ADVICE,
    )
  return timeoutMs
}

const LEAST_MONITOR_MS = 2000

/** `prepare({ server: undefined })` keeps the server, as leaving it out does. */
function withoutUndefined(fields: TargetFields): TargetFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
