type Inspect = (value: unknown, options: object) => string

/** Decides what `util.inspect` (and so `console.log`) shows of a class's instances; `show` prints something inside with
 *  the caller's options.
 *  A function because a computed method name cannot be declared under `isolatedDeclarations`. */
export function setInspection<T extends object>(
  prototype: T,
  text: (value: T, show: (inner: unknown) => string) => string,
): void {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: T, _depth: number, options: object, inspect: Inspect) {
      return text(this, (inner) => inspect(inner, options))
    },
  })
}
