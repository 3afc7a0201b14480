/** How a Python error is made here. */
export interface PythonErrorOptions extends ErrorOptions {
  /** What the Python class would be constructed with. Default: the message alone. */
  readonly args?: readonly unknown[] | undefined
}

/** Base of the errors that Python programs know by name. An endpoint raises one when a Python client must see that
 *  class; a client gets one when the far side raised it, with the RemoteError that tells the whole story as `cause`.
 *  The tree is flat: a KeyError is no LookupError here. */
export class PythonError extends Error {
  readonly args: readonly unknown[]

  constructor(message = '', options: PythonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Exception'
    this.args = options.args ?? (message === '' ? [] : [message])
  }
}

/** The argument has the right type and a value that will not do. */
export class ValueError extends PythonError {
  override readonly name = 'ValueError'
}

/** What fits no other class. */
export class RuntimeError extends PythonError {
  override readonly name = 'RuntimeError'
}

/** The method is not there yet, or not here. */
export class NotImplementedError extends PythonError {
  override readonly name = 'NotImplementedError'
}

/** The object lacks what was asked of it. */
export class AttributeError extends PythonError {
  override readonly name = 'AttributeError'
}

/** What was looked up is not there. */
export class LookupError extends PythonError {
  override readonly name = 'LookupError'
}

/** The list is not that long. */
export class IndexError extends PythonError {
  override readonly name = 'IndexError'
}

/** Its message is the key as Python shows it: `'missing'` for the text, `7` for the number. */
export class KeyError extends PythonError {
  override readonly name = 'KeyError'

  constructor(key: string | number, options: PythonErrorOptions = {}) {
    super(typeof key === 'string' ? `'${key}'` : String(key), { args: [key], ...options })
  }
}

/** Name as in Python, where it is the error of the operating system. */
export class OSError extends PythonError {
  override readonly name = 'OSError'
}

/** The operating system refused it. */
export class PermissionError extends PythonError {
  override readonly name = 'PermissionError'
}

/** Python's own, not the MessagingTimeout of a call. */
export class PythonTimeoutError extends PythonError {
  override readonly name = 'TimeoutError'
}

type PythonErrorClass = new (message: string, options?: PythonErrorOptions) => Error

/** Classes that are rebuilt as themselves. Python's TypeError is JavaScript's: both mean wrong arguments. */
const CLASSES: ReadonlyMap<string, PythonErrorClass> = new Map<string, PythonErrorClass>([
  ['Exception', PythonError],
  ['ValueError', ValueError],
  ['RuntimeError', RuntimeError],
  ['NotImplementedError', NotImplementedError],
  ['AttributeError', AttributeError],
  ['LookupError', LookupError],
  ['IndexError', IndexError],
  ['OSError', OSError],
  ['PermissionError', PermissionError],
  ['TimeoutError', PythonTimeoutError],
  ['TypeError', TypeError],
])

/** Every class of Python's `builtins` that derives from Exception; those without a class of their own here become
 *  PythonError with their name. */
const NAMES: ReadonlySet<string> = new Set(
  `ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError
  ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning
  EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning IOError ImportError
  ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError LookupError MemoryError ModuleNotFoundError
  NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError
  PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration
  SyntaxError SyntaxWarning SystemError TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError
  UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError`.split(/\s+/),
)

/** Whether Python has an exception of that name that a client may rebuild. */
export function isPythonBuiltin(name: string): boolean {
  return NAMES.has(name)
}

/** The error for a class of Python's `builtins`; undefined when there is none of that name. */
export function buildPythonError(
  name: string,
  message: string,
  args: readonly unknown[],
  cause: Error,
): Error | undefined {
  if (!NAMES.has(name)) return undefined
  if (name === 'KeyError') {
    const error = new KeyError('', { args, cause })
    error.message = message
    return error
  }
  const Class = CLASSES.get(name)
  if (Class !== undefined) return new Class(message, { args, cause })
  const error = new PythonError(message, { args, cause })
  error.name = name
  return error
}
