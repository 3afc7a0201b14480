type Method = (...args: never[]) => unknown

const exposed = new WeakSet<Method>()

/** Marks a method for ExplicitRPCAccessPolicy and gives it back: `go = expose((context, args) => ...)`, `expose(Endpoint.prototype.go)`, or `@expose` above it. */
export function expose<F extends Method>(method: F, _decorated?: ClassMethodDecoratorContext): F {
  if (typeof method !== 'function') throw new TypeError(`expose marks a function, not ${typeof method}`)
  exposed.add(method)
  return method
}

export function isExposed(method: Method): boolean {
  return exposed.has(method)
}

/** Gives a function that stands in for another the other's marks. */
export function inheritMarks(wrapper: Method, wrapped: Method): void {
  if (exposed.has(wrapped)) exposed.add(wrapper)
  const names = argumentNames.get(wrapped)
  if (names !== undefined) argumentNames.set(wrapper, names)
}

interface ArgumentNames {
  readonly required: readonly string[]
  readonly all: ReadonlySet<string>
}

const argumentNames = new WeakMap<Method, ArgumentNames>()

/** Says which named arguments a method takes, so that a call with others fails with TypeError, as Python's would, before the method runs. A name that ends in `?` may be left out:
 *  `go = declareArguments(['name', 'count?'], (context, { name, count = 1 }) => ...)`. */
export function declareArguments<F extends Method>(names: readonly string[], method: F): F {
  if (typeof method !== 'function') throw new TypeError(`declareArguments describes a function, not ${typeof method}`)
  const required = names.filter((name) => !name.endsWith('?'))
  const all = new Set(names.map((name) => name.replace(/\?$/, '')))
  argumentNames.set(method, { required, all })
  return method
}

/** What is wrong with the arguments, in Python's words; undefined when nothing is, or nothing was declared. */
export function findArgumentMismatch(method: Method, args: Readonly<Record<string, unknown>>): string | undefined {
  const names = argumentNames.get(method)
  if (names === undefined) return undefined
  const unexpected = Object.keys(args).find((name) => !names.all.has(name))
  if (unexpected !== undefined) return `got an unexpected keyword argument '${unexpected}'`
  const missing = names.required.filter((name) => !Object.hasOwn(args, name))
  if (missing.length === 0) return undefined
  const quoted = missing.map((name) => `'${name}'`)
  const last = quoted.pop() ?? ''
  const list = quoted.length === 0 ? last : `${quoted.join(', ')}${quoted.length > 1 ? ',' : ''} and ${last}`
  return `missing ${missing.length} required positional argument${missing.length === 1 ? '' : 's'}: ${list}`
}
