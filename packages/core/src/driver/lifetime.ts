/** Promises that reject together when what they stand on ends: questions asked over one connection. (`Promise.race`
 *  with one promise for the end would keep a reaction for each, as long as the connection lives.) */
export class Lifetime {
  readonly #rejections = new Set<(reason: unknown) => void>()
  #end: { readonly reason: unknown } | undefined

  /** Settles as `promise` does, or rejects with the reason of the end. What `promise` rejects with later is swallowed,
   *  because whoever waited has heard of the end. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#end !== undefined) reject(this.#end.reason)
      else this.#rejections.add(reject)
      promise.then(
        (value) => {
          this.#rejections.delete(reject)
          resolve(value)
        },
        (error: unknown) => {
          this.#rejections.delete(reject)
          reject(error)
        },
      )
    })
  }

  /** Rejects all, and those to come. The first reason counts. */
  end(reason: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { reason }
    for (const reject of this.#rejections) reject(reason)
    this.#rejections.clear()
  }
}
