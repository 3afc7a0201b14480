import { createDeferred, type Deferred } from '../../util/deferred.ts'

/** Sends that began between two flushes: how many of them are under way. */
export class SendGroup {
  #open = 0
  #empty: Deferred<void> | undefined
  readonly #rethrow: (error: unknown) => never

  /** `rethrow` throws the error that senders see. */
  constructor(rethrow: (error: unknown) => never) {
    this.#rethrow = rethrow
  }

  get open(): number {
    return this.#open
  }

  /** The send, counted until it settles. `rethrow` instead of the group's own; without it all share one handler,
   *  because thousands may be under way. */
  track<T>(send: Promise<T>, rethrow?: (error: unknown) => never): Promise<T> {
    this.#open += 1
    if (rethrow === undefined) return send.then(this.#pass, this.#fail)
    return send.then(this.#pass, (error: unknown) => {
      this.#end()
      return rethrow(error)
    })
  }

  /** Resolves when none of them is under way; none may begin any more. */
  async ended(): Promise<void> {
    if (this.#open === 0) return
    this.#empty ??= createDeferred<void>()
    await this.#empty.promise
  }

  readonly #pass = <T>(value: T): T => {
    this.#end()
    return value
  }

  readonly #fail = (error: unknown): never => {
    this.#end()
    return this.#rethrow(error)
  }

  #end(): void {
    this.#open -= 1
    if (this.#open === 0) this.#empty?.resolve()
  }
}
