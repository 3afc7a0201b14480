/** Reads the old, plain encoding: integers, texts with a length in two bytes, lists and bytes with a count in four;
 *  of the compact one counts and tags. */
export class AnswerReader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    this.#at += 2
    return this.#data.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#data.readInt32BE(this.#at - 4)
  }

  int64(): number {
    this.#at += 8
    return Number(this.#data.readBigInt64BE(this.#at - 8))
  }

  /** How many items of a compact list, or bytes of a compact text, come next; -1: there is none. */
  count(): number {
    return this.#varint() - 1
  }

  /** Passes over tagged fields. */
  tags(): void {
    for (let left = this.#varint(); left > 0; left -= 1) {
      this.#varint()
      this.skip(this.#varint())
    }
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#data.readUInt8(this.#at)
      this.#at += 1
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  text(): string {
    const length = this.int16()
    this.#at += length
    return this.#data.toString('utf8', this.#at - length, this.#at)
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    this.#at += length
    return this.#data.subarray(this.#at - length, this.#at)
  }
}
