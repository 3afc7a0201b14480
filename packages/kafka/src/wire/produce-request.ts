import type { OutgoingRecord } from '../port/client-port.ts'
import { crc32c } from './crc32c.ts'

/** Everything of one record batch but its records. */
export interface BatchFacts {
  readonly topic: string
  readonly partition: number
  readonly acks: number
  readonly timeoutMs: number
  /** -1: the batch is not numbered. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  /** Milliseconds since 1970, for all of its records. */
  readonly timestamp: number
}

/** Bytes of a record batch before its first record, from the base offset to the count. */
const BATCH_HEADER_BYTES = 61
/** Of these, what the batch's length does not count: base offset and the length itself. */
const UNCOUNTED_BYTES = 12
/** Where the checksum stands, and where the bytes begin that it covers. */
const CRC_AT = 17
const CHECKED_FROM = 21
const MAGIC = 2
/** Every timestamp is the first one's. */
const TIMESTAMP_DELTA = 0
/** Length -1: no key. */
const NO_KEY = 1

/** Body of a produce request (versions 3 to 7, which are alike) with one uncompressed record batch for one partition.
 *  Shape: transactional_id=null acks timeout [topic [partition record_set]]; record_set is one batch of format 2.
 *  Written in one pass into one buffer: the library's own encoder copies each record seven times.
 *  Source: Kafka protocol guide, Produce API and RecordBatch. */
export function encodeProduceRequest(facts: BatchFacts, records: readonly OutgoingRecord[]): Buffer {
  const topicBytes = Buffer.byteLength(facts.topic)
  const sizes = records.map(bodySize)
  let batchBytes = BATCH_HEADER_BYTES
  for (const [index, size] of sizes.entries())
    batchBytes += varintSize(size + varintSize(index)) + size + varintSize(index)
  const body = Buffer.allocUnsafe(2 + 2 + 4 + 4 + 2 + topicBytes + 4 + 4 + 4 + batchBytes)
  let at = body.writeInt16BE(-1, 0)
  at = body.writeInt16BE(facts.acks, at)
  at = body.writeInt32BE(facts.timeoutMs, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt16BE(topicBytes, at)
  at += body.write(facts.topic, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt32BE(facts.partition, at)
  at = body.writeInt32BE(batchBytes, at)
  writeBatch(body, at, batchBytes, facts, records, sizes)
  return body
}

function writeBatch(
  body: Buffer,
  start: number,
  batchBytes: number,
  facts: BatchFacts,
  records: readonly OutgoingRecord[],
  sizes: readonly number[],
): void {
  const timestamp = BigInt(facts.timestamp)
  let at = body.writeBigInt64BE(0n, start)
  at = body.writeInt32BE(batchBytes - UNCOUNTED_BYTES, at)
  // The leader's epoch is the broker's to fill in.
  at = body.writeInt32BE(0, at)
  at = body.writeInt8(MAGIC, at)
  at += 4
  at = body.writeInt16BE(0, at)
  at = body.writeInt32BE(records.length - 1, at)
  at = body.writeBigInt64BE(timestamp, at)
  at = body.writeBigInt64BE(timestamp, at)
  at = body.writeBigInt64BE(facts.producerId, at)
  at = body.writeInt16BE(facts.producerEpoch, at)
  at = body.writeInt32BE(facts.firstSequence, at)
  at = body.writeInt32BE(records.length, at)
  for (const [index, record] of records.entries()) {
    at = writeVarint(body, at, (sizes[index] ?? 0) + varintSize(index))
    at = writeRecord(body, at, index, record)
  }
  body.writeUInt32BE(crc32c(body, start + CHECKED_FROM, start + batchBytes), start + CRC_AT)
}

/** Bytes of a record without its length and its offset delta. */
function bodySize({ value, headers }: OutgoingRecord): number {
  // Attributes, timestamp delta, no key.
  let size = 3 + varintSize(value.length) + value.length
  let count = 0
  for (const name in headers) {
    count += 1
    for (const text of [name, headers[name] ?? '']) {
      const bytes = Buffer.byteLength(text)
      size += varintSize(bytes) + bytes
    }
  }
  return size + varintSize(count)
}

function writeRecord(body: Buffer, start: number, offsetDelta: number, { value, headers }: OutgoingRecord): number {
  let at = body.writeInt8(0, start)
  at = body.writeInt8(TIMESTAMP_DELTA, at)
  at = writeVarint(body, at, offsetDelta)
  at = body.writeInt8(NO_KEY, at)
  at = writeVarint(body, at, value.length)
  body.set(value, at)
  at += value.length
  if (headers === undefined) return body.writeInt8(0, at)
  const entries = Object.entries(headers)
  at = writeVarint(body, at, entries.length)
  for (const text of entries.flat()) {
    at = writeVarint(body, at, Buffer.byteLength(text))
    at += body.write(text, at)
  }
  return at
}

/** Bytes of a number that is not negative, in zigzag and groups of seven bits. */
function varintSize(value: number): number {
  let size = 1
  for (let rest = value * 2; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1
  return size
}

function writeVarint(body: Buffer, start: number, value: number): number {
  let at = start
  let rest = value * 2
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    body[at] = (rest % 0x80) | 0x80
    at += 1
  }
  body[at] = rest
  return at + 1
}
