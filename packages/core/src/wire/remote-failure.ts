import { ExpectedException, isMessagingError, RemoteError, SerializationError } from '../errors.ts'
import { errorText } from '../util/text.ts'
import { decodeJson, encodeJson } from './json.ts'
import { isPythonBuiltin, PythonError } from './python-errors.ts'
import {
  DISPATCHER_MODULE,
  EXCEPTIONS_MODULE,
  type NativeError,
  type RemoteErrorTable,
  type RemoteFailure,
} from './remote-error-table.ts'
import { formatTraceback } from './traceback.ts'

/** Module of errors that Python has no name for; a class says another one with a static `module`. */
const DEFAULT_ERROR_MODULE = 'node'

/** JavaScript's own errors, in Python's words. */
const JAVASCRIPT: ReadonlyMap<string, string> = new Map([
  ['Error', 'Exception'],
  ['RangeError', 'ValueError'],
  // Data that does not parse; Python keeps its SyntaxError for programs.
  ['SyntaxError', 'ValueError'],
  ['URIError', 'ValueError'],
  ['EvalError', 'Exception'],
  ['AggregateError', 'Exception'],
])

/** Ending that Python gives to the names of rebuilt errors; it is taken off when one is raised again. */
const REMOTE_ENDING = /_Remote$/

/** The JSON text that carries an error in a reply.
 *  Shape: { "class", "module", "message", "tb": [text], "args": [value], "kwargs": {name: value} }, and for
 *  JavaScript's own errors and those with a `code` { "javascript": { "class", "code" } }, which Python passes over.
 *  Whatever was thrown has one, values that are no errors included; arguments that JSON cannot hold travel as their
 *  text. */
export function encodeFailure(thrown: unknown, table?: RemoteErrorTable): string {
  const error = thrown instanceof ExpectedException ? thrown.cause : thrown
  let failure: RemoteFailure
  try {
    failure = describe(error, table)
  } catch (indescribable) {
    // A message or a name that throws when it is read: the caller still learns that the method failed.
    failure = describe(
      new Error(`The method failed with something that cannot be shown: ${errorText(indescribable)}`),
      table,
    )
  }
  try {
    return encodeJson(failure)
  } catch (unwritable) {
    // An argument is to blame. The error itself still has to reach the caller, with a note of what was lost.
    const args = failure.args.map(String)
    return encodeJson({
      ...failure,
      args,
      kwargs: {},
      tb: [...failure.tb, `(arguments as text: ${errorText(unwritable)})\n`],
    })
  }
}

/** The error that a failure text stands for. Gives SerializationError for a text that cannot be read; never throws. */
export function decodeFailure(text: string, table: RemoteErrorTable): Error {
  let parsed: unknown
  try {
    parsed = decodeJson(text)
  } catch (error) {
    return new SerializationError(`The server failed, and its failure is not JSON: ${text.slice(0, 200)}`, {
      cause: error,
      phase: 'reply',
      delivery: 'confirmed',
    })
  }
  const fields: Record<string, unknown> = typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
  const { tb, args, kwargs } = fields
  const module = textOf(fields['module'])
  return table.rebuild({
    class: textOf(fields['class']),
    // Python 2 named its builtins so.
    module: module === 'exceptions' ? 'builtins' : module,
    message: textOf(fields['message']),
    tb: Array.isArray(tb) ? tb.map(textOf) : [],
    args: Array.isArray(args) ? args : [],
    kwargs: typeof kwargs === 'object' && kwargs !== null && !Array.isArray(kwargs) ? { ...kwargs } : {},
    javascript: nativeFrom(fields['javascript']),
  })
}

function nativeFrom(value: unknown): NativeError | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { class: name, code } = value as Readonly<Record<string, unknown>>
  return { ...(typeof name === 'string' ? { class: name } : {}), ...(isCode(code) ? { code } : {}) }
}

/** What a `code` may be, so that it crosses: those of Node and of applications, never those of this library. */
function isCode(code: unknown): code is string | number {
  if (typeof code === 'number') return Number.isFinite(code)
  return typeof code === 'string' && code.length <= LONGEST_CODE && !code.startsWith('OSLO_MESSAGING_')
}

const LONGEST_CODE = 200

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : encodeJson(value)
}

function describe(error: unknown, table: RemoteErrorTable | undefined): RemoteFailure {
  if (!(error instanceof Error)) {
    const message = String(error)
    return { ...titled('Exception', 'builtins', message, error), args: [message], kwargs: {} }
  }
  const again = remoteOrigin(error)
  if (again !== undefined) {
    const name = again.excType.replace(REMOTE_ENDING, '')
    const module = (again.module ?? DEFAULT_ERROR_MODULE).replace(REMOTE_ENDING, '')
    const { args, kwargs } = again
    return { class: name, module, message: again.value, tb: again.traceback, args, kwargs, ...nativeOf(error, module) }
  }
  const { name, module } = wireName(error, table)
  const title = titled(name, module, error.message, error)
  const entry = table?.entryOf(error.constructor)
  if (entry?.encode !== undefined) {
    try {
      const { args = [], kwargs = {} } = entry.encode(error)
      return { ...title, args, kwargs }
    } catch (refusal) {
      const tb = [...title.tb, `(arguments left out: ${errorText(refusal)})\n`]
      return { ...title, tb, args: [error.message], kwargs: {} }
    }
  }
  const args = error instanceof PythonError ? error.args : [error.message]
  return { ...title, args, kwargs: kwargsOf(error), ...nativeOf(error, module) }
}

/** The part of a failure that only JavaScript understands, where there is one to tell. */
function nativeOf(error: Error, module: string): { readonly javascript?: NativeError } {
  if (module !== 'builtins') return {}
  const { code } = error as { readonly code?: unknown }
  const known = isCode(code) ? { code } : {}
  const { name } = error
  const isOther = JAVASCRIPT.has(name) && (name !== 'Error' || isCode(code))
  if (!isOther) return isCode(code) ? { javascript: known } : {}
  return { javascript: { class: name, ...known } }
}

function titled(name: string, module: string, message: string, error: unknown): Omit<RemoteFailure, 'args' | 'kwargs'> {
  const title = `${module === 'builtins' ? '' : `${module}.`}${name}: ${message}`
  return { class: name, module, message, tb: formatTraceback(error, title) }
}

/** For an error that came from another server and is raised again: what it was there. */
function remoteOrigin(error: Error): RemoteError | undefined {
  if (error instanceof RemoteError) return error
  const { cause } = error
  if (!(cause instanceof RemoteError)) return undefined
  // A rebuilt error has its origin as cause and says the same; one that an endpoint made because of it does not.
  const name = error.name.replace(REMOTE_ENDING, '')
  const isSame = cause.excType === name || cause.excType === JAVASCRIPT.get(name)
  return isSame && cause.value === error.message ? cause : undefined
}

function wireName(error: Error, table: RemoteErrorTable | undefined): { name: string; module: string } {
  const Class: unknown = error.constructor
  const entered = table?.entryOf(Class)
  if (entered !== undefined) return entered
  if (isMessagingError(error))
    return {
      name: error.name,
      module:
        isMessagingError(error, 'NO_SUCH_METHOD') || isMessagingError(error, 'UNSUPPORTED_VERSION')
          ? DISPATCHER_MODULE
          : EXCEPTIONS_MODULE,
    }
  const name = (error.name === 'Error' && typeof Class === 'function' ? Class.name : error.name).replace(
    REMOTE_ENDING,
    '',
  )
  const declared: unknown = typeof Class === 'function' && 'module' in Class ? Class.module : undefined
  if (typeof declared === 'string') return { name, module: declared }
  const python = JAVASCRIPT.get(name) ?? name
  return isPythonBuiltin(python) ? { name: python, module: 'builtins' } : { name, module: DEFAULT_ERROR_MODULE }
}

function kwargsOf(error: Error): Readonly<Record<string, unknown>> {
  if (!('kwargs' in error) || typeof error.kwargs !== 'object' || error.kwargs === null) return {}
  return { ...error.kwargs }
}
