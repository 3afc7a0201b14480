/** Makes the stack of an error that came from a timer or a socket begin where the application called: behind `from`, along the awaits that wait for it.
 *  Costs nothing until there is an error. When nobody awaits yet, the stack stays as it is. Gives the error back; what is no Error is left alone. */
export function beginAtCaller(error: unknown, from: (...args: never[]) => unknown): unknown {
  if (!(error instanceof Error) || !Object.isExtensible(error)) return error
  const before = error.stack
  Error.captureStackTrace(error, from)
  if (error.stack?.includes('\n    at ') !== true && before !== undefined) error.stack = before
  return error
}
