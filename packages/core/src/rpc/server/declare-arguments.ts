import { kindOf } from '../../util/check.ts'
import { type AnyFunction, argumentNamesOf, markArguments } from './marks.ts'

/** Says which named arguments a method takes, so that a call with others fails with TypeError, as Python's would,
 *  before the method runs. A name that ends in `?` may be left out.
 *  In a plain object: `go: declareArguments(['name', 'count?'], (context, { name, count = 1 }) => ...)`. Without the
 *  method: a decorator, `@declareArguments(['name'])`. */
export function declareArguments<F extends AnyFunction>(names: readonly string[], method: F): F
export function declareArguments(
  names: readonly string[],
): <F extends AnyFunction>(method: F, decorated?: ClassMethodDecoratorContext) => F
export function declareArguments<F extends AnyFunction>(
  names: readonly string[],
  ...given: readonly [] | readonly [F]
): F | (<G extends AnyFunction>(method: G) => G) {
  const required = names.filter((name) => !name.endsWith('?'))
  const all = new Set(names.map((name) => name.replace(/\?$/, '')))
  const declare = <G extends AnyFunction>(method: G): G => {
    if (typeof method !== 'function')
      throw new TypeError(`declareArguments describes a function, not ${kindOf(method)}`)
    markArguments(method, { required, all })
    return method
  }
  return given.length === 0 ? declare : declare(given[0])
}

/** What is wrong with the arguments, in Python's words; undefined when nothing is, or nothing was declared. */
export function findArgumentMismatch(method: AnyFunction, args: Readonly<Record<string, unknown>>): string | undefined {
  const names = argumentNamesOf(method)
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
