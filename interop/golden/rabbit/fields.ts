/** Reads the fields of AMQP 0-9-1, so that frames are judged by other code than the client library under test. */
export class FieldReader {
  readonly #bytes: Buffer
  #at = 0
  /** Booleans that share an octet. */
  #bits = 0
  #nextBit = 8

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get #done(): boolean {
    return this.#at >= this.#bytes.length
  }

  bit(): boolean {
    if (this.#nextBit === 8) {
      this.#bits = this.#bytes.readUInt8(this.#at)
      this.#at += 1
      this.#nextBit = 0
    }
    const value = ((this.#bits >> this.#nextBit) & 1) === 1
    this.#nextBit += 1
    return value
  }

  octet(): number {
    return this.#take(1).readUInt8()
  }

  short(): number {
    return this.#take(2).readUInt16BE()
  }

  long(): number {
    return this.#take(4).readUInt32BE()
  }

  longlong(): number {
    return Number(this.#take(8).readBigUInt64BE())
  }

  shortstr(): string {
    return this.#take(this.octet()).toString('utf8')
  }

  longstr(): string {
    return this.#take(this.long()).toString('utf8')
  }

  table(): Table {
    const inner = new FieldReader(this.#take(this.long()))
    const [values, types]: [Record<string, unknown>, Record<string, string>] = [{}, {}]
    while (!inner.#done) {
      const name = inner.shortstr()
      const type = String.fromCharCode(inner.octet())
      types[name] = type
      values[name] = inner.#value(type)
    }
    return { values, types }
  }

  #value(type: string): unknown {
    switch (type) {
      case 't':
        return this.octet() === 1
      case 'b':
        return this.#take(1).readInt8()
      case 'B':
        return this.octet()
      case 's':
        return this.#take(2).readInt16BE()
      case 'u':
        return this.short()
      case 'I':
        return this.#take(4).readInt32BE()
      case 'i':
        return this.long()
      case 'l':
        return Number(this.#take(8).readBigInt64BE())
      case 'd':
        return this.#take(8).readDoubleBE()
      case 'f':
        return this.#take(4).readFloatBE()
      case 'T':
        return this.longlong()
      case 'S':
        return this.longstr()
      case 'x':
        return this.#take(this.long()).toString('hex')
      case 'F':
        return this.table().values
      case 'A':
        return this.#list()
      case 'V':
        return null
      default:
        throw new Error(`AMQP 0-9-1 has no field type ${JSON.stringify(type)}`)
    }
  }

  #list(): readonly unknown[] {
    const inner = new FieldReader(this.#take(this.long()))
    const items: unknown[] = []
    while (!inner.#done) items.push(inner.#value(String.fromCharCode(inner.octet())))
    return items
  }

  #take(count: number): Buffer {
    this.#nextBit = 8
    const part = this.#bytes.subarray(this.#at, this.#at + count)
    if (part.length < count) throw new Error(`a frame ends ${count - part.length} bytes too early`)
    this.#at += count
    return part
  }
}

/** A table's values and, because peers compare them, the type letters that were used. */
export interface Table {
  readonly values: Readonly<Record<string, unknown>>
  readonly types: Readonly<Record<string, string>>
}
