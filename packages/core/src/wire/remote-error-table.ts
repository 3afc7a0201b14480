import {
  InvalidTarget,
  MessageDeliveryFailure,
  MessagingTimeout,
  NoSuchMethod,
  RemoteError,
  UnsupportedVersion,
} from '../errors.ts'
import { checkOptions, kindOf } from '../util/check.ts'
import { buildPythonError } from './python-errors.ts'

/** A class the application lets the far side raise here. It is constructed with the positional arguments the far side
 *  used, and its keyword arguments, if any, as one last object. */
export type RemoteErrorClass = new (...args: never[]) => Error

/** What an error is constructed with on the far side. */
export interface ErrorArguments {
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
}

/** A class, and how its errors travel. Python's side constructs its own class with the same arguments. */
export interface RemoteErrorCodec<E extends Error = Error> {
  readonly class: new (...args: never[]) => E
  /** What the error's arguments are: values that JSON can hold. Default: its message. */
  encode?(error: E): ErrorArguments
  /** The error of a failure. Default: `new class(...args, kwargs)`. */
  decode?(failure: {
    readonly message: string
    readonly args: readonly unknown[]
    readonly kwargs: Readonly<Record<string, unknown>>
  }): E
}

/** Errors that servers send and clients rebuild: by module and class name, as the far side knows them. One map for both
 *  directions; give it to both sides. */
export type RemoteErrors = Readonly<Record<string, Readonly<Record<string, RemoteErrorClass | RemoteErrorCodec>>>>

/** What a transport's client may rebuild besides Python's own errors: modules by exact name.
 *  An object gives the classes of each module; a list of names only marks them: their errors arrive as RemoteError with
 *  the name `<Class>_Remote`. */
export type AllowedRemoteErrors =
  | readonly string[]
  | Readonly<Record<string, Readonly<Record<string, RemoteErrorClass>>>>

/** The parts of a failure, every one present. */
export interface RemoteFailure {
  readonly class: string
  readonly module: string
  readonly message: string
  readonly tb: readonly string[]
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** What the error was in JavaScript, where Python's words say less; Python passes over it. */
  readonly javascript?: NativeError | undefined
}

/** The class of JavaScript's own errors, and the `code` that Node and applications give to errors. */
export interface NativeError {
  readonly class?: string
  readonly code?: string | number
}

export const DISPATCHER_MODULE = 'oslo_messaging.rpc.dispatcher'
export const EXCEPTIONS_MODULE = 'oslo_messaging.exceptions'

type Build = (failure: RemoteFailure, cause: RemoteError) => Error

/** Text after the last of `words`, which is where oslo's own messages carry their one field. */
const after = (text: string, words: string): string => text.slice(text.lastIndexOf(words) + words.length)

/** The library's own errors, which need no permission: their classes are here already. */
const OWN: ReadonlyMap<string, Build> = new Map<string, Build>([
  [
    `${DISPATCHER_MODULE} NoSuchMethod`,
    ({ message }, cause) => new NoSuchMethod(after(message, 'RPC method '), { cause, delivery: 'confirmed' }),
  ],
  [
    `${DISPATCHER_MODULE} UnsupportedVersion`,
    ({ message }, cause) => {
      const [version = '', method] = after(message, 'RPC version ').split('. Attempted method: ')
      return new UnsupportedVersion(version, method, { cause, delivery: 'confirmed' })
    },
  ],
  [
    `${EXCEPTIONS_MODULE} MessagingTimeout`,
    ({ message }, cause) => new MessagingTimeout(message, { cause, delivery: 'confirmed' }),
  ],
  [
    `${EXCEPTIONS_MODULE} MessageDeliveryFailure`,
    ({ message }, cause) => new MessageDeliveryFailure(message, { cause, delivery: 'confirmed' }),
  ],
  [
    `${EXCEPTIONS_MODULE} InvalidTarget`,
    ({ message }, cause) => new InvalidTarget(message, '', { cause, delivery: 'confirmed' }),
  ],
])

interface Entry extends Omit<RemoteErrorCodec, 'class'> {
  readonly module: string
  readonly name: string
  readonly Class: RemoteErrorClass
  readonly isCodec: boolean
}

/** Rebuilds remote errors from a table of allowed classes; nothing named on the wire is ever looked up, imported or
 *  run. */
export class RemoteErrorTable {
  /** Modules of which only the names were given. */
  readonly #named: ReadonlySet<string>
  /** `module class` to what was entered. */
  readonly #byName = new Map<string, Entry>()
  readonly #byClass = new Map<unknown, Entry>()

  /** Throws TypeError when an entry is no class. */
  constructor(allowed: AllowedRemoteErrors = [], errors: RemoteErrors = {}) {
    if (typeof allowed !== 'object' || allowed === null)
      throw new TypeError(
        `allowedRemoteExmods must be a list of modules such as ['nova.exception'], or classes by module, not ${kindOf(allowed)}`,
      )
    checkOptions('remoteErrors', errors)
    this.#named = new Set(isList(allowed) ? allowed : [])
    if (isList(allowed)) {
      for (const name of allowed)
        if (typeof name !== 'string') throw new TypeError('allowedRemoteExmods: a list holds names of modules')
    } else this.#enter('allowedRemoteExmods', allowed)
    this.#enter('remoteErrors', errors)
  }

  /** What the application has entered for a class: its name on the wire, and how it travels; undefined for others. */
  entryOf(Class: unknown): Entry | undefined {
    return this.#byClass.get(Class)
  }

  /** The error a caller gets. Every rebuilt one has the RemoteError with module, traceback and arguments as `cause`. */
  rebuild(failure: RemoteFailure): Error {
    const cause = asRemoteError(failure)
    if (failure.module === 'builtins') return buildBuiltin(failure, cause)
    const key = `${failure.module} ${failure.class}`
    const entry = this.#byName.get(key)
    const built = (entry && buildEntered(entry, failure, cause)) ?? OWN.get(key)?.(failure, cause)
    if (built === undefined) {
      if (this.#named.has(failure.module)) cause.name = `${failure.class}_Remote`
      return cause
    }
    // The text of the far side, which a constructor here may have put into other words.
    Object.defineProperty(built, 'message', { value: failure.message, writable: true, configurable: true })
    return built
  }

  #enter(option: string, errors: RemoteErrors): void {
    for (const [module, classes] of Object.entries(errors)) {
      for (const [name, given] of Object.entries(classes)) {
        const isCodec = typeof given === 'object' && given !== null
        const Class = isCodec ? given.class : given
        if (typeof Class !== 'function')
          throw new TypeError(`${option}: ${module} ${name} is no class; give the class itself`)
        const entry: Entry = { ...(isCodec ? given : {}), module, name, Class, isCodec }
        this.#byName.set(`${module} ${name}`, entry)
        this.#byClass.set(Class, entry)
      }
    }
  }
}

/** JavaScript's own errors, which need no permission either. */
const NATIVE: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, SyntaxError, URIError].map((Class) => [Class.name, Class]),
)

function buildBuiltin(failure: RemoteFailure, cause: RemoteError): Error {
  const { message, args, javascript } = failure
  const Native = NATIVE.get(javascript?.class ?? '')
  const error = Native ? new Native(message, { cause }) : buildPythonError(failure.class, message, args, cause)
  if (error === undefined) return cause
  const code = javascript?.code
  return code === undefined ? error : Object.assign(error, { code })
}

/** Undefined when it cannot be made as the far side had it; the RemoteError then says why. */
function buildEntered(entry: Entry, failure: RemoteFailure, cause: RemoteError): Error | undefined {
  const { Class, name, isCodec } = entry
  const args = Object.keys(failure.kwargs).length === 0 ? failure.args : [...failure.args, failure.kwargs]
  try {
    const error = entry.decode?.(failure) ?? new Class(...(args as never[]))
    if (!(error instanceof Error)) return undefined
    // The fields of such an error would be wrong: what it was made from here is not what it was made from there.
    if (entry.decode === undefined && error.message !== failure.message && Class.length > args.length)
      throw new TypeError(
        `${name} takes ${Class.length} arguments and the failure has ${args.length}: give encode and decode in remoteErrors`,
      )
    if (!isCodec) error.name = `${failure.class}_Remote`
    error.cause = cause
    return error
  } catch (refusal) {
    cause.cause = refusal
    return undefined
  }
}

function isList(allowed: AllowedRemoteErrors): allowed is readonly string[] {
  return Array.isArray(allowed)
}

function asRemoteError(failure: RemoteFailure): RemoteError {
  const { module, args, kwargs } = failure
  return new RemoteError(failure.class, failure.message, failure.tb, { module, args, kwargs })
}
