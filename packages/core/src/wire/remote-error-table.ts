import {
  InvalidTarget,
  MessageDeliveryFailure,
  MessagingTimeout,
  NoSuchMethod,
  RemoteError,
  UnsupportedVersion,
} from '../errors.ts'
import { kindOf } from '../util/check.ts'
import { buildPythonError } from './python-errors.ts'

/** A class the application lets the far side raise here. It is constructed with the positional arguments the far side used, and its keyword arguments, if any, as one last object. */
export type RemoteErrorClass = new (...args: never[]) => Error

/** What a transport's client may rebuild besides Python's own errors: modules by exact name.
 *  An object gives the classes of each module; a list of names only marks them: their errors arrive as RemoteError with the name `<Class>_Remote`. */
export type AllowedRemoteErrors =
  | readonly string[]
  | Readonly<Record<string, Readonly<Record<string, RemoteErrorClass>>>>

/** The parts of a failure (WIRE 3), every one present. */
export interface RemoteFailure {
  readonly class: string
  readonly module: string
  readonly message: string
  readonly tb: readonly string[]
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
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

/** Rebuilds remote errors from a table of allowed classes; nothing named on the wire is ever looked up, imported or run (DESIGN D11). */
export class RemoteErrorTable {
  readonly #named: ReadonlySet<string>
  readonly #classes = new Map<string, ReadonlyMap<string, RemoteErrorClass>>()
  readonly #modules = new Map<unknown, { readonly module: string; readonly class: string }>()

  /** Throws TypeError when an entry is no class. */
  constructor(allowed: AllowedRemoteErrors = []) {
    if (typeof allowed !== 'object' || allowed === null)
      throw new TypeError(
        `allowedRemoteExmods must be a list of modules such as ['nova.exception'], or classes by module, not ${kindOf(allowed)}`,
      )
    if (isList(allowed)) {
      for (const name of allowed)
        if (typeof name !== 'string') throw new TypeError('allowedRemoteExmods: a list holds names of modules')
      this.#named = new Set(allowed)
      return
    }
    this.#named = new Set(Object.keys(allowed))
    for (const [module, classes] of Object.entries(allowed)) {
      for (const [name, Class] of Object.entries(classes)) {
        if (typeof Class !== 'function')
          throw new TypeError(`allowedRemoteExmods: ${module} ${name} is no class; give the class itself`)
        this.#modules.set(Class, { module, class: name })
      }
      this.#classes.set(module, new Map(Object.entries(classes)))
    }
  }

  /** The wire name of a local class the application has entered here; undefined for others. */
  wireNameOf(Class: unknown): { readonly module: string; readonly class: string } | undefined {
    return this.#modules.get(Class)
  }

  /** The error a caller gets. Every rebuilt one has the RemoteError with module, traceback and arguments as `cause`. */
  rebuild(failure: RemoteFailure): Error {
    const cause = asRemoteError(failure)
    if (failure.module === 'builtins')
      return buildPythonError(failure.class, failure.message, failure.args, cause) ?? cause
    const built = this.#buildAllowed(failure, cause) ?? OWN.get(`${failure.module} ${failure.class}`)?.(failure, cause)
    if (built === undefined) {
      if (this.#named.has(failure.module) && !this.#classes.has(failure.module)) cause.name = `${failure.class}_Remote`
      return cause
    }
    // The text of the far side, which a constructor here may have put into other words.
    Object.defineProperty(built, 'message', { value: failure.message, writable: true, configurable: true })
    return built
  }

  #buildAllowed(failure: RemoteFailure, cause: RemoteError): Error | undefined {
    const Class = this.#classes.get(failure.module)?.get(failure.class)
    if (Class === undefined) return undefined
    const args = Object.keys(failure.kwargs).length === 0 ? failure.args : [...failure.args, failure.kwargs]
    try {
      const error = new Class(...(args as never[]))
      if (!(error instanceof Error)) return undefined
      error.name = `${failure.class}_Remote`
      error.cause = cause
      return error
    } catch (refusal) {
      // Its constructor does not take these arguments: the caller gets the RemoteError, which says why.
      cause.cause = refusal
      return undefined
    }
  }
}

function isList(allowed: AllowedRemoteErrors): allowed is readonly string[] {
  return Array.isArray(allowed)
}

function asRemoteError(failure: RemoteFailure): RemoteError {
  const { module, args, kwargs } = failure
  return new RemoteError(failure.class, failure.message, failure.tb, { module, args, kwargs })
}
