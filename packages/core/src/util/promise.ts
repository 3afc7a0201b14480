/** True for what has to be awaited. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Nothing is left to wait for. One for all, where a promise of its own for each message would cost. */
export const DONE: Promise<undefined> = Promise.resolve(undefined)
