import { createDeferred } from '../util/deferred.ts'

/** A place in a lane. */
export interface Turn {
  /** Resolves when all that came earlier have left. */
  readonly before: Promise<void>
  /** Lets those go that come later, once it is their turn. May be called before `before` resolves, and again. */
  readonly leave: () => void
}

/** Messages leave in the order in which they were given, whatever each has to wait for first. */
export class Lane {
  #last: Promise<void> = Promise.resolve()

  /** Takes the next place, at once: before the first `await` of whoever sends, so that nobody who comes later overtakes
   *  it. Whoever has one leaves, whatever happens. */
  enter(): Turn {
    const before = this.#last
    const { promise, resolve } = createDeferred<void>()
    this.#last = before.then(() => promise)
    return { before, leave: resolve }
  }
}
