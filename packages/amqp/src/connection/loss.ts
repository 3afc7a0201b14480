/** The one end of something that others depend on: told once to everybody who asked, and at once to who asks later. */
export class Loss {
  readonly #handlers = new Set<(error: Error) => void>()
  #error: Error | undefined

  get error(): Error | undefined {
    return this.#error
  }

  /** Returns the function that calls it off. */
  on(handler: (error: Error) => void): () => void {
    if (this.#error !== undefined) handler(this.#error)
    else this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  /** The first call counts. */
  signal(error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    const handlers = [...this.#handlers]
    this.#handlers.clear()
    for (const handler of handlers) handler(error)
  }

  /** Settles as the promise does, or rejects with the loss. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const callOff = this.on(reject)
      promise.then(
        (value) => {
          callOff()
          resolve(value)
        },
        (error: unknown) => {
          callOff()
          reject(error)
        },
      )
    })
  }
}
