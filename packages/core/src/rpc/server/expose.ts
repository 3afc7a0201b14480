import { kindOf } from '../../util/check.ts'
import { isCalledByFrameworks } from './called-by-others.ts'
import { type AnyFunction, markExposed } from './marks.ts'

type AnyClass = abstract new (...args: never[]) => object

/** Says that clients may call a method, and gives it back: `expose((context, args) => ...)` in a plain object,
 *  `expose(Endpoint.prototype.go)`, or `@expose` above it, with decorators of either kind. A class stands for each of
 *  its own methods but those that frameworks call by themselves.
 *  Needed for what a base class offers, and for every method where the server has `accessPolicy:
 *  ExplicitRPCAccessPolicy`. Throws TypeError for what is no function. */
export function expose<F extends AnyFunction>(method: F, decorated?: ClassMethodDecoratorContext): F
export function expose<C extends AnyClass>(Class: C, decorated?: ClassDecoratorContext): C
export function expose(owner: object, name: string | symbol, descriptor: PropertyDescriptor): void
export function expose(marked: unknown, _decorated?: unknown, descriptor?: PropertyDescriptor): unknown {
  const method: unknown = descriptor === undefined ? marked : descriptor.value
  if (typeof method !== 'function') throw new TypeError(`expose marks a method or a class, not ${kindOf(method)}`)
  for (const each of methodsOf(method)) markExposed(each)
  return descriptor === undefined ? marked : undefined
}

/** Those of a class, or the function itself. */
function methodsOf(marked: Function): readonly AnyFunction[] {
  const prototype: unknown = marked.prototype
  const isClass =
    typeof prototype === 'object' && prototype !== null && Object.getOwnPropertyNames(prototype).length > 1
  if (!isClass) return [marked as AnyFunction]
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor' && !isCalledByFrameworks(name) ? [value as AnyFunction] : [],
  )
}
