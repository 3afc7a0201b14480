/** A function of an endpoint, whatever it takes. */
export type AnyFunction = (...args: never[]) => unknown

/** Kept on the function itself under registered symbols, so that every copy of the library in a process sees the marks
 *  of the others. */
const EXPOSED: unique symbol = Symbol.for('oslo-messaging.exposed')
const ARGUMENT_NAMES: unique symbol = Symbol.for('oslo-messaging.argument-names')

/** The arguments that a method takes by name. */
export interface ArgumentNames {
  readonly required: readonly string[]
  readonly all: ReadonlySet<string>
}

interface Marks {
  readonly [EXPOSED]?: true
  readonly [ARGUMENT_NAMES]?: ArgumentNames
}

export function markExposed(method: AnyFunction): void {
  if (!isExposed(method)) define(method, EXPOSED, true)
}

export function isExposed(method: AnyFunction): boolean {
  return (method as Marks)[EXPOSED] === true
}

export function markArguments(method: AnyFunction, names: ArgumentNames): void {
  define(method, ARGUMENT_NAMES, names)
}

export function argumentNamesOf(method: AnyFunction): ArgumentNames | undefined {
  return (method as Marks)[ARGUMENT_NAMES]
}

/** Gives a function that stands in for another the other's marks. */
export function inheritMarks(wrapper: AnyFunction, wrapped: AnyFunction): void {
  if (isExposed(wrapped)) markExposed(wrapper)
  const names = argumentNamesOf(wrapped)
  if (names !== undefined) markArguments(wrapper, names)
}

/** Out of sight of everything that lists the properties of a function. */
function define(method: AnyFunction, symbol: symbol, value: unknown): void {
  Object.defineProperty(method, symbol, { value, configurable: true })
}
