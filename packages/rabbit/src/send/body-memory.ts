/** Smaller bodies are left to the engine, which is quick with them. */
const LEAST_BYTES = 16 * 1024
const MOST_BYTES = 1024 * 1024
/** Memory is handed out in multiples of this. */
const STEP = 16 * 1024
/** Kept for later at most. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024

/** Memory of large bodies, which is used again when the broker has them: fresh memory of that size costs more than what
 *  is written into it, and its collection a fifth of the time. What is not released goes the way of all memory. */
export class BodyMemory {
  /** By how many steps long they are. */
  readonly #free: Buffer[][] = []
  readonly #lent = new WeakMap<Buffer, Buffer>()
  #keptBytes = 0

  readonly allocate = (bytes: number): Buffer => {
    if (bytes < LEAST_BYTES || bytes > MOST_BYTES) return Buffer.allocUnsafe(bytes)
    const steps = Math.ceil(bytes / STEP)
    const kept = this.#free[steps]?.pop()
    if (kept !== undefined) this.#keptBytes -= kept.length
    const memory = kept ?? Buffer.allocUnsafeSlow(steps * STEP)
    const body = memory.subarray(0, bytes)
    this.#lent.set(body, memory)
    return body
  }

  /** An earlier connection may still be sending that body: its memory is not used again, whatever becomes of the next
   *  attempt. */
  forget(body: Buffer): void {
    this.#lent.delete(body)
  }

  /** Nobody reads that body any more. Bodies from elsewhere are left alone. */
  release(body: Buffer): void {
    if (body.length < LEAST_BYTES) return
    const memory = this.#lent.get(body)
    if (memory === undefined || !this.#lent.delete(body) || this.#keptBytes + memory.length > MOST_KEPT_BYTES) return
    const steps = memory.length / STEP
    this.#free[steps] ??= []
    this.#free[steps].push(memory)
    this.#keptBytes += memory.length
  }
}
