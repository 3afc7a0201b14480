/** Promises that reject together when what they stand on is lost. (`Promise.race` with one promise for the loss would keep
 *  a reaction for each, as long as the connection lives.) */
export class Pending {
  readonly #rejections = new Set<(reason: unknown) => void>()
  #loss: { readonly reason: unknown } | undefined

  /** Settles as `promise` does, or rejects with the loss. */
  orLost<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#loss !== undefined) reject(this.#loss.reason)
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

  /** Rejects all, and those to come. */
  lose(reason: unknown): void {
    this.#loss ??= { reason }
    for (const reject of this.#rejections) reject(reason)
    this.#rejections.clear()
  }
}
