/** The whole taxonomy. Codes are stable and meant for programs; messages are for people and may improve.
 *  `docs/errors.md` lists every code; a test compares the two. Source of names: oslo_messaging/exceptions.py. */

import { setInspection } from './util/inspect.ts'

/** Which part of an operation was under way. */
export type OperationPhase = 'connect' | 'declare' | 'publish' | 'confirm' | 'reply'

/** What is known about the message: it never left (`not-sent`), it may or may not have arrived (`unknown`), or the
 *  broker owns it (`confirmed`).
 *  Only `not-sent` can be repeated without risk of a second copy. */
export type DeliveryState = 'not-sent' | 'unknown' | 'confirmed'

const PREFIX = 'OSLO_MESSAGING_'

/** What every error may carry; see the fields of MessagingError. */
export interface MessagingErrorOptions {
  readonly cause?: unknown
  readonly retryable?: boolean | undefined
  readonly phase?: OperationPhase | undefined
  readonly delivery?: DeliveryState | undefined
}

/** Root of everything this library throws, except `TypeError` for misuse by the programmer (MessagingException in
 *  oslo). */
export class MessagingError extends Error {
  /** Stable, upper case, begins with `OSLO_MESSAGING_`. Match on this: two copies of the library in one process agree
   *  on it. */
  readonly code: string
  /** Whether trying the same again may succeed without anybody changing anything. `delivery` says whether it may then
   *  be done twice. */
  readonly retryable: boolean
  /** Set when the failure happened inside a send. */
  readonly phase: OperationPhase | undefined
  /** Set when the failure happened inside a send. */
  readonly delivery: DeliveryState | undefined

  constructor(code: string, message: string, options: MessagingErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = PREFIX + code
    this.retryable = options.retryable ?? false
    this.phase = options.phase
    this.delivery = options.delivery
  }
}

/** True for an error of this library with that code, whichever copy of the library made it. The prefix may be left out.
 *  With a code the compiler knows the class, and with it the fields: `isMessagingError(error, 'TIMEOUT')` has
 *  `error.timeoutMs`. */
export function isMessagingError(error: unknown): error is MessagingError
export function isMessagingError<Code extends MessagingErrorCode>(
  error: unknown,
  code: Code,
): error is MessagingErrorOf<Code>
export function isMessagingError(error: unknown, code?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false
  if (!error.code.startsWith(PREFIX)) return false
  return code === undefined || error.code === code || error.code === PREFIX + code
}

/** Code, without its prefix, to the class that has it. */
export interface MessagingErrors {
  readonly INVALID_URL: InvalidTransportURL
  readonly INVALID_TARGET: InvalidTarget
  readonly CONFIGURATION: ConfigurationError
  readonly DRIVER_LOAD: DriverLoadFailure
  readonly UNSUPPORTED: UnsupportedCapability
  readonly DRIVER: TransportDriverError
  readonly AUTHENTICATION: AuthenticationError
  readonly SEND: ClientSendError
  readonly DELIVERY: MessageDeliveryFailure
  readonly UNDELIVERABLE: MessageUndeliverable
  readonly TIMEOUT: MessagingTimeout
  readonly BACKPRESSURE: BackpressureError
  readonly REPLY_PATH_LOST: ReplyPathLost
  readonly SERVER_LOST: ServerLost
  readonly CLOSED: ClosedError
  readonly SERIALIZATION: SerializationError
  readonly LISTEN: ServerListenError
  readonly EXECUTOR_LOAD: ExecutorLoadFailure
  readonly TASK_TIMEOUT: TaskTimeout
  readonly NO_SUCH_METHOD: NoSuchMethod
  readonly UNSUPPORTED_VERSION: UnsupportedVersion
  readonly REMOTE: RemoteError
  readonly VERSION_CAP: RPCVersionCapError
  readonly EXPECTED: ExpectedException
}

/** A code of this library, with or without its prefix. */
export type MessagingErrorCode = keyof MessagingErrors | `${typeof PREFIX}${keyof MessagingErrors}`

/** The error with that code: its class, and the code itself, so that the compiler keeps apart classes without fields of
 *  their own. */
export type MessagingErrorOf<Code extends MessagingErrorCode> = {
  [Bare in keyof MessagingErrors]: Code extends Bare | `${typeof PREFIX}${Bare}`
    ? MessagingErrors[Bare] & { readonly code: `${typeof PREFIX}${Bare}` }
    : never
}[keyof MessagingErrors]

// --- input that cannot be used -------------------------------------------------------------------------------------

/** The text is no transport URL. `url` has its credentials masked. */
export class InvalidTransportURL extends MessagingError {
  readonly url: string
  constructor(url: string, message: string, options: MessagingErrorOptions = {}) {
    super('INVALID_URL', message, options)
    this.url = url
  }
}

/** The target lacks what this use of it needs; `target` is its text. */
export class InvalidTarget extends MessagingError {
  readonly target: string
  constructor(message: string, target: { toString(): string }, options: MessagingErrorOptions = {}) {
    super('INVALID_TARGET', `${message}:${String(target)}`, options)
    this.target = String(target)
  }
}

/** A configuration value or key cannot be used; `option` is `[group] name` where one is to blame. */
export class ConfigurationError extends MessagingError {
  readonly option: string | undefined
  constructor(message: string, options: MessagingErrorOptions & { readonly option?: string } = {}) {
    super('CONFIGURATION', message, options)
    this.option = options.option
  }
}

/** No driver for the scheme, or its client library is missing. */
export class DriverLoadFailure extends MessagingError {
  readonly driver: string
  constructor(driver: string, message: string, options: MessagingErrorOptions = {}) {
    super('DRIVER_LOAD', message, options)
    this.driver = driver
  }
}

/** The driver does not declare what was asked for; `capability` names it. Raised while things are built, never at first
 *  use. */
export class UnsupportedCapability extends MessagingError {
  readonly capability: string
  constructor(capability: string, message: string, options: MessagingErrorOptions = {}) {
    super('UNSUPPORTED', message, options)
    this.capability = capability
  }
}

// --- broker and network --------------------------------------------------------------------------------------------

/** What errors about a broker may carry besides. */
export interface DriverErrorOptions extends MessagingErrorOptions {
  /** `host:port` of the broker, never credentials. */
  readonly host?: string | undefined
  /** The broker's own code, e.g. 406 or `amqp:not-found`. */
  readonly brokerCode?: string | number | undefined
}

/** A broker or network fault, from a driver's `map-error.ts`. */
export class TransportDriverError extends MessagingError {
  readonly host: string | undefined
  readonly brokerCode: string | number | undefined
  constructor(message: string, options: DriverErrorOptions = {}) {
    super('DRIVER', message, options)
    this.host = options.host
    this.brokerCode = options.brokerCode
  }
}

/** The broker refused the credentials or a permission. Nothing but a changed configuration helps. */
export class AuthenticationError extends MessagingError {
  readonly host: string | undefined
  readonly brokerCode: string | number | undefined
  constructor(message: string, options: DriverErrorOptions = {}) {
    super('AUTHENTICATION', message, options)
    this.host = options.host
    this.brokerCode = options.brokerCode
  }
}

/** A request could not be sent; `cause` is the driver's error. */
export class ClientSendError extends MessagingError {
  readonly target: string
  constructor(target: { toString(): string }, message: string, options: MessagingErrorOptions = {}) {
    super('SEND', message, options)
    this.target = String(target)
  }
}

/** Retries are spent. */
export class MessageDeliveryFailure extends MessagingError {
  readonly attempts: number | undefined
  readonly elapsedMs: number | undefined
  constructor(
    message: string,
    options: MessagingErrorOptions & { readonly attempts?: number; readonly elapsedMs?: number } = {},
  ) {
    super('DELIVERY', message, options)
    this.attempts = options.attempts
    this.elapsedMs = options.elapsedMs
  }
}

/** The broker handed the message back because no queue takes it (at-least-once sends only). */
export class MessageUndeliverable extends MessagingError {
  readonly exchange: string | undefined
  readonly routingKey: string | undefined
  constructor(
    message: string,
    options: MessagingErrorOptions & { readonly exchange?: string; readonly routingKey?: string } = {},
  ) {
    super('UNDELIVERABLE', message, { delivery: 'not-sent', ...options })
    this.exchange = options.exchange
    this.routingKey = options.routingKey
  }
}

/** The deadline passed; `phase` says in what and `delivery` what is known. The stack begins at the caller. */
export class MessagingTimeout extends MessagingError {
  readonly timeoutMs: number | undefined
  constructor(message: string, options: MessagingErrorOptions & { readonly timeoutMs?: number | undefined } = {}) {
    super('TIMEOUT', message, { retryable: true, ...options })
    this.timeoutMs = options.timeoutMs
  }
}

/** More is outstanding than the transport may hold, and no room came up before the deadline. */
export class BackpressureError extends MessagingError {
  constructor(message: string, options: MessagingErrorOptions = {}) {
    super('BACKPRESSURE', message, { retryable: true, phase: 'publish', delivery: 'not-sent', ...options })
  }
}

/** The way back for replies was lost while the call waited; its reply can no longer arrive. The method may have run. */
export class ReplyPathLost extends MessagingError {
  constructor(message: string, options: MessagingErrorOptions = {}) {
    super('REPLY_PATH_LOST', message, { retryable: true, phase: 'reply', delivery: 'unknown', ...options })
  }
}

/** A monitored call heard nothing from its server for the monitor timeout: the server is gone, or cannot answer. */
export class ServerLost extends MessagingError {
  readonly monitorTimeoutMs: number | undefined
  constructor(message: string, options: MessagingErrorOptions & { readonly monitorTimeoutMs?: number } = {}) {
    super('SERVER_LOST', message, { retryable: true, phase: 'reply', delivery: 'confirmed', ...options })
    this.monitorTimeoutMs = options.monitorTimeoutMs
  }
}

/** Use after `close()`; `cause` is why it closed, where there is a reason. */
export class ClosedError extends MessagingError {
  constructor(message: string, options: MessagingErrorOptions = {}) {
    super('CLOSED', message, options)
  }
}

// --- content -------------------------------------------------------------------------------------------------------

/** A body, context, argument or result cannot be encoded or decoded. */
export class SerializationError extends MessagingError {
  constructor(message: string, options: MessagingErrorOptions = {}) {
    super('SERIALIZATION', message, options)
  }
}

// --- servers (MessagingServerError and RPCDispatcherError keep their place in oslo's tree) --------------------------

/** Base of what a server raises. */
export class MessagingServerError extends MessagingError {}

/** A server or listener cannot begin to listen; `cause` is the driver's error. */
export class ServerListenError extends MessagingServerError {
  readonly target: string
  constructor(target: { toString(): string }, message: string, options: MessagingErrorOptions = {}) {
    super('LISTEN', message, options)
    this.target = String(target)
  }
}

/** The named executor does not exist here. */
export class ExecutorLoadFailure extends MessagingServerError {
  readonly executor: string
  constructor(executor: string, message: string, options: MessagingErrorOptions = {}) {
    super('EXECUTOR_LOAD', message, options)
    this.executor = executor
  }
}

/** `start`, `stop` or `wait` did not finish in the time it was given. */
export class TaskTimeout extends MessagingServerError {
  constructor(message: string, options: MessagingErrorOptions = {}) {
    super('TASK_TIMEOUT', message, options)
  }
}

/** Base of what dispatching a request raises. */
export class RPCDispatcherError extends MessagingServerError {}

/** An endpoint takes the namespace and version, but has no such method, or its access policy hides it. */
export class NoSuchMethod extends RPCDispatcherError {
  readonly method: string
  constructor(method: string, options: MessagingErrorOptions = {}) {
    super('NO_SUCH_METHOD', `Endpoint does not support RPC method ${method}`, options)
    this.method = method
  }
}

/** No endpoint takes the namespace and version of the request. */
export class UnsupportedVersion extends RPCDispatcherError {
  readonly version: string
  readonly method: string | undefined
  constructor(version: string, method?: string, options: MessagingErrorOptions = {}) {
    const attempted = method === undefined ? '' : `. Attempted method: ${method}`
    super('UNSUPPORTED_VERSION', `Endpoint does not support RPC version ${version}${attempted}`, options)
    this.version = version
    this.method = method
  }
}

// --- clients -------------------------------------------------------------------------------------------------------

/** The far side failed with an exception that no allow-list entry rebuilds. */
export class RemoteError extends MessagingError {
  /** Class name of the exception on the far side. */
  readonly excType: string
  /** Its module, `builtins` for Python's own; undefined when the far side did not say. */
  readonly module: string | undefined
  /** Its text. */
  readonly value: string
  /** Its traceback, line groups as the far side formatted them. */
  readonly traceback: readonly string[]
  /** What it was constructed with on the far side. */
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  constructor(excType: string, value: string, traceback: readonly string[], options: RemoteErrorOptions = {}) {
    super('REMOTE', `Remote error: ${excType} ${value}`, { delivery: 'confirmed', ...options })
    this.excType = excType
    this.module = options.module
    this.value = value
    this.traceback = traceback
    this.args = options.args ?? []
    this.kwargs = options.kwargs ?? {}
  }
}

// The far side's traceback line by line, below everything else, instead of a list of escaped texts.
setInspection(RemoteError.prototype, (error, show) => {
  const { name: _inStack, traceback, ...fields } = error
  const cause = error.cause === undefined ? {} : { cause: error.cause }
  const text = `${error.stack ?? `${error.name}: ${error.message}`} ${show({ ...fields, ...cause })}`
  const lines = traceback.join('').trimEnd().split('\n')
  return lines.join('') === '' ? text : [text, 'On the far side:', ...lines.map((line) => `  ${line}`)].join('\n')
})

/** What is known of the exception on the far side besides its class and text; see the fields of RemoteError. */
export interface RemoteErrorOptions extends MessagingErrorOptions {
  readonly module?: string | undefined
  readonly args?: readonly unknown[] | undefined
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined
}

/** The request's version is above the client's cap; nothing was sent. */
export class RPCVersionCapError extends MessagingError {
  readonly version: string | null
  readonly versionCap: string
  constructor(version: string | null, versionCap: string, options: MessagingErrorOptions = {}) {
    super(
      'VERSION_CAP',
      `Version ${version ?? 'null'} is not allowed by the version cap ${versionCap}: same major and no higher minor is needed`,
      { delivery: 'not-sent', ...options },
    )
    this.version = version
    this.versionCap = versionCap
  }
}

/** Wraps an exception an endpoint expects to raise, so that the server does not log it as a fault (ExpectedException in
 *  oslo). */
export class ExpectedException extends MessagingError {
  constructor(cause: unknown) {
    super('EXPECTED', 'Expected exception', { cause })
  }
}
