import { randomBytes } from 'node:crypto'

/** Where the length of a request stands, which does not count itself. */
const LENGTH_BYTES = 4
/** Of a mark: what no other bytes begin with, and a number. */
const OWN_BYTES = 12
const MARK_BYTES = OWN_BYTES + 4
/** Smaller memory is left to the engine, which is quick with it; larger is not kept. */
const LEAST_KEPT_BYTES = 64 * 1024
const MOST_KEPT_BYTES = 5 * 1024 * 1024
/** Kept memory has a multiple of this. */
const STEP = 256 * 1024

/** Bodies that are not copied behind the heads of their requests. The library copies a body twice, into fresh memory of
 *  the next power of two, which takes longer than writing it did; so it gets a mark of a few bytes instead, which is
 *  exchanged for the body where the request is written. */
export class RequestBodies {
  readonly #own = randomBytes(OWN_BYTES)
  readonly #bodies = new Map<number, Buffer>()
  #last = 0
  /** Memory of an earlier body: fresh memory of a megabyte costs as much as a fifth of what is written into it. */
  #spare: Buffer | undefined

  /** Bodies that are kept and neither written nor forgotten. */
  get size(): number {
    return this.#bodies.size
  }

  /** Memory for a body. */
  readonly allocate = (bytes: number): Buffer => {
    if (!isKept(bytes)) return Buffer.allocUnsafe(bytes)
    const spare = this.#spare
    if (spare === undefined || spare.length < bytes)
      return Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP) * STEP).subarray(0, bytes)
    this.#spare = undefined
    return spare.subarray(0, bytes)
  }

  /** Nobody reads the memory of a body from `allocate` any more. */
  release({ length, buffer }: Buffer): void {
    if (!isKept(length)) return
    if (this.#spare === undefined || this.#spare.length < buffer.byteLength) this.#spare = Buffer.from(buffer)
  }

  keep(body: Buffer): KeptBody {
    this.#last = (this.#last + 1) >>> 0
    const mark = Buffer.allocUnsafe(MARK_BYTES)
    this.#own.copy(mark)
    mark.writeUInt32BE(this.#last, OWN_BYTES)
    this.#bodies.set(this.#last, body)
    return { mark, number: this.#last }
  }

  /** It will not be written any more. */
  forget(number: number): void {
    this.#bodies.delete(number)
  }

  /** What is written instead of a request that ends in a mark. `forgotten`: the body of that mark is not kept any more,
   *  and nothing can be written for it; undefined: it ends in none. */
  take(request: Buffer): { readonly head: Buffer; readonly body: Buffer } | 'forgotten' | undefined {
    const end = request.length - MARK_BYTES
    if (end < LENGTH_BYTES || !request.subarray(end, end + OWN_BYTES).equals(this.#own)) return undefined
    const number = request.readUInt32BE(end + OWN_BYTES)
    const body = this.#bodies.get(number)
    if (body === undefined) return 'forgotten'
    this.#bodies.delete(number)
    const head = request.subarray(0, end)
    head.writeUInt32BE(end - LENGTH_BYTES + body.length)
    return { head, body }
  }
}

export interface KeptBody {
  /** What stands for the body until it is written. */
  readonly mark: Buffer
  readonly number: number
}

function isKept(bytes: number): boolean {
  return bytes >= LEAST_KEPT_BYTES && bytes <= MOST_KEPT_BYTES
}
