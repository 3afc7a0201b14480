/** Decides what `util.inspect` (and so `console.log`) shows of a class's instances.
 *  A function because a computed method name cannot be declared under `isolatedDeclarations`. */
export function setInspection<T extends object>(prototype: T, text: (value: T) => string): void {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: T) {
      return text(this)
    },
  })
}
