/** Tells whoever waits for room in the queues of a listener that there may be some. */
export class Room {
  readonly #waiting = new Set<() => void>()

  /** Calls back each time there may be room, until the returned function is called. */
  onSignal(look: () => void): () => void {
    this.#waiting.add(look)
    return () => this.#waiting.delete(look)
  }

  signal(): void {
    for (const look of this.#waiting) look()
  }
}
