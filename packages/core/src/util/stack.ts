/** Errors whose stack begins at a caller already. */
const begun = new WeakSet<Error>()

/** Makes the stack of an error that came from a timer or a socket begin where the application called: behind `from`,
 *  along the awaits that wait for it.
 *  Costs nothing until there is an error. When nobody awaits yet, the stack stays as it is. Gives the error back, or,
 *  when an earlier caller has it already, a copy; what is no Error is left alone. */
export function beginAtCaller(given: unknown, from: (...args: never[]) => unknown): unknown {
  if (!(given instanceof Error) || !Object.isExtensible(given)) return given
  const error = begun.has(given) ? copyOf(given) : given
  begun.add(error)
  const before = error.stack
  Error.captureStackTrace(error, from)
  const { stack } = error
  const start = stack?.indexOf('\n    at ') ?? -1
  if (stack === undefined || start < 0) {
    if (before !== undefined) error.stack = before
    return error
  }
  // Where awaits go on from Node's queue of ticks, Node's own frames stand before those of the caller.
  const frames = stack.slice(start + 1).split('\n')
  const first = frames.findIndex((frame) => !frame.includes('(node:internal/'))
  if (first > 0) error.stack = [stack.slice(0, start), ...frames.slice(first)].join('\n')
  return error
}

function copyOf(error: Error): Error {
  return Object.create(Object.getPrototypeOf(error) as object, Object.getOwnPropertyDescriptors(error)) as Error
}
