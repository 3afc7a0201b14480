import { ExpectedException } from '../../errors.ts'
import { isPromiseLike } from '../../util/promise.ts'
import { inheritMarks } from './marks.ts'

type Method = (...args: never[]) => unknown
type ErrorClass = abstract new (...args: never[]) => Error

/** Says which errors of a method are part of its interface: they reach the client as they are, and the server does not
 *  log them as faults.
 *  With the method: `go = expectedExceptions([ValueError], (context, args) => ...)`. Without: a decorator,
 *  `@expectedExceptions([ValueError])`.
 *  Subclasses count. Source: expected_exceptions. */
export function expectedExceptions<F extends Method>(classes: readonly ErrorClass[], method: F): F
export function expectedExceptions(
  classes: readonly ErrorClass[],
): <F extends Method>(method: F, decorated?: ClassMethodDecoratorContext) => F
export function expectedExceptions<F extends Method>(
  classes: readonly ErrorClass[],
  method?: F,
): F | (<G extends Method>(method: G) => G) {
  for (const Class of classes)
    if (typeof Class !== 'function') throw new TypeError('expectedExceptions takes a list of error classes')
  return method === undefined ? <G extends Method>(decorated: G) => wrap(classes, decorated) : wrap(classes, method)
}

function wrap<F extends Method>(classes: readonly ErrorClass[], method: F): F {
  const mark = (error: unknown): unknown =>
    classes.some((Class) => error instanceof Class) ? new ExpectedException(error) : error
  function expecting(this: unknown, ...args: never[]): unknown {
    try {
      const result: unknown = Reflect.apply(method, this, args)
      if (!isPromiseLike(result)) return result
      return result.then(undefined, (error: unknown) => {
        throw mark(error)
      })
    } catch (error) {
      throw mark(error)
    }
  }
  Object.defineProperty(expecting, 'name', { value: method.name })
  inheritMarks(expecting, method)
  return expecting as F
}
