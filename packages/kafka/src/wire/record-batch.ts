import type { BatchRange, FetchedRecord } from '../port/client-port.ts'
import { crc32c } from './crc32c.ts'

/** Where the parts of a batch stand. Source: Kafka protocol guide, RecordBatch. */
const LENGTH_AT = 8
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_DELTA_AT = 23
const TIMESTAMP_AT = 27
const PRODUCER_AT = 43
const COUNT_AT = 57
const RECORDS_AT = 61
/** Base offset and length, which the length does not count. */
const UNCOUNTED_BYTES = 12
const MAGIC = 2

const CODEC_BITS = 0x07
const TRANSACTIONAL_BIT = 0x10
const CONTROL_BIT = 0x20
/** The second half of a control record's key: the transaction is aborted. */
const ABORT = 0

/** One batch of format 2, of which only the head has been looked at. */
export interface StoredBatch extends BatchRange {
  /** 0: not compressed. */
  readonly codec: number
  readonly isControl: boolean
  readonly isTransactional: boolean
  readonly producerId: bigint
  readonly timestamp: number
  readonly count: number
  /** The records, compressed perhaps; a view of the bytes given. */
  readonly data: Buffer
  /** Where the batch begins and ends in the bytes given. */
  readonly start: number
  readonly end: number
}

/** The complete batches of a record set; a broker cuts the last one off where its limit is. Undefined: there is one in
 *  a format from before Kafka 0.11. Throws RangeError for a batch that says it is shorter than its own head, which
 *  would be read for ever. */
export function readBatches(set: Buffer): readonly StoredBatch[] | undefined {
  const batches: StoredBatch[] = []
  for (let start = 0; start + RECORDS_AT <= set.length;) {
    if (set.readInt8(start + MAGIC_AT) !== MAGIC) return undefined
    const end = start + UNCOUNTED_BYTES + set.readInt32BE(start + LENGTH_AT)
    if (end < start + RECORDS_AT) throw new RangeError('A batch is shorter than its head')
    if (end > set.length) break
    const attributes = set.readInt16BE(start + ATTRIBUTES_AT)
    const first = readOffset(set, start)
    batches.push({
      first,
      last: first + set.readInt32BE(start + LAST_DELTA_AT),
      codec: attributes & CODEC_BITS,
      isControl: (attributes & CONTROL_BIT) !== 0,
      isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
      producerId: set.readBigInt64BE(start + PRODUCER_AT),
      timestamp: readOffset(set, start + TIMESTAMP_AT),
      count: set.readInt32BE(start + COUNT_AT),
      data: set.subarray(start + RECORDS_AT, end),
      start,
      end,
    })
    start = end
  }
  return batches
}

/** Whether the bytes of the batch are those that were stored. */
export function isIntact(set: Buffer, { start, end }: StoredBatch): boolean {
  return crc32c(set, start + ATTRIBUTES_AT, end) === set.readUInt32BE(start + CRC_AT)
}

/** Whether this control batch ends its producer's transaction by taking everything back. */
export function isAbort({ data }: StoredBatch): boolean {
  const record = new RecordReader(data)
  const { key } = record.read(0, 0)
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT
}

/** Appends the records of a batch from an offset on; `data` is what its records are without compression. Values and
 *  keys are views of it. Throws RangeError when the bytes are none. */
export function readRecords(
  { first, timestamp, count }: StoredBatch,
  data: Buffer,
  from: number,
  into: FetchedRecord[],
): void {
  const reader = new RecordReader(data)
  for (let left = count; left > 0; left -= 1) {
    const record = reader.read(first, timestamp)
    if (record.offset >= from) into.push(record)
  }
}

/** Two halves are faster than a BigInt, and exact up to 2^53. */
function readOffset(data: Buffer, at: number): number {
  return data.readInt32BE(at) * 0x1_0000_0000 + data.readUInt32BE(at + 4)
}

/** Reads records one after the other. */
class RecordReader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  read(firstOffset: number, firstTimestamp: number): FetchedRecord {
    const length = this.#varint()
    const end = this.#at + length
    if (length < 0 || end > this.#data.length) throw new RangeError('A record is longer than its batch')
    // Attributes, of which none is in use.
    this.#at += 1
    const timestamp = firstTimestamp + this.#varint()
    const offset = firstOffset + this.#varint()
    const key = this.#bytes()
    const value = this.#bytes()
    const count = this.#varint()
    if (count === 0) {
      this.#at = end
      return { offset, timestamp, key, value, headers: undefined }
    }
    const rawHeaders: (readonly [string, Buffer])[] = []
    const headers: Record<string, string> = {}
    for (let left = count; left > 0; left -= 1) {
      const name = this.#bytes()?.toString() ?? ''
      const data = this.#bytes()
      if (data === null) continue
      rawHeaders.push([name, data])
      if (!Object.hasOwn(headers, name)) headers[name] = data.toString()
    }
    this.#at = end
    return { offset, timestamp, key, value, headers, rawHeaders }
  }

  #bytes(): Buffer | null {
    const length = this.#varint()
    if (length < 0) return null
    const from = this.#at
    this.#at += length
    if (this.#at > this.#data.length) throw new RangeError('A field is longer than its batch')
    return this.#data.subarray(from, this.#at)
  }

  /** A zigzag number in groups of seven bits. */
  #varint(): number {
    const data = this.#data
    let byte = data[this.#at++]
    if (byte === undefined) throw new RangeError('A batch ends in the middle of a record')
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let scale = 0x80; ; scale *= 0x80) {
      byte = data[this.#at++]
      if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw new RangeError('A number has no end')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
