import type { HeaderValue, OutgoingRecord } from '../port/client-port.ts'
import { crc32c } from './crc32c.ts'

/** What all batches of a produce request share. */
export interface ProduceFacts {
  readonly acks: number
  readonly timeoutMs: number
  /** -1: the batches are not numbered. */
  readonly producerId: bigint
  /** Milliseconds since 1970, for all records. */
  readonly timestamp: number
  /** Absent: the records are not compressed. */
  readonly codec?: BatchCodec
}

/** How records are compressed, and what the batch says of it. */
export interface BatchCodec {
  /** The lowest three bits of the batch's attributes. */
  readonly attribute: number
  readonly compress: (records: Buffer) => Promise<Buffer>
}

/** The records of one partition. Each topic has one batch in a request. */
export interface BatchToSend {
  readonly topic: string
  readonly partition: number
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly records: readonly OutgoingRecord[]
}

interface MeasuredBatch extends BatchToSend {
  /** Of each record without its length and its offset delta. */
  readonly sizes: readonly number[]
  readonly headers: readonly (readonly Header[])[]
  readonly recordBytes: number
  readonly compressed?: Buffer
}

type Header = readonly [name: string, value: HeaderValue]

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
/** Length -1, as varint: no key, no value. */
const NOTHING = 1
const NO_HEADERS: readonly Header[] = []

/** Body of a produce request (versions 3 to 7, which are alike) with one record batch for each topic.
 *  Shape: transactional_id=null acks timeout [topic [partition record_set]]; record_set is one batch of format 2.
 *  Written in one pass into one buffer: the library's own encoder copies each record seven times.
 *  Rejects with what the codec rejects with. Source: Kafka protocol guide, Produce API and RecordBatch. */
export async function encodeProduceRequest(
  facts: ProduceFacts,
  batches: readonly BatchToSend[],
  allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
): Promise<Buffer> {
  const { codec } = facts
  const measured = batches.map(measure)
  if (codec === undefined) return writeRequest(facts, measured, allocate)
  return writeRequest(
    facts,
    await Promise.all(
      measured.map(async (batch) => {
        const records = Buffer.allocUnsafe(batch.recordBytes)
        writeRecords(records, 0, batch)
        return { ...batch, compressed: await codec.compress(records) }
      }),
    ),
    allocate,
  )
}

function measure(batch: BatchToSend): MeasuredBatch {
  let recordBytes = 0
  const headers: (readonly Header[])[] = []
  const sizes = batch.records.map((record, index) => {
    const own = headersOf(record)
    headers.push(own)
    const size = bodySize(record, own)
    const counted = size + varintSize(index)
    recordBytes += varintSize(counted) + counted
    return size
  })
  return { ...batch, sizes, headers, recordBytes }
}

function batchBytes({ compressed, recordBytes }: MeasuredBatch): number {
  return BATCH_HEADER_BYTES + (compressed === undefined ? recordBytes : compressed.length)
}

function writeRequest(
  facts: ProduceFacts,
  batches: readonly MeasuredBatch[],
  allocate: (bytes: number) => Buffer,
): Buffer {
  let bytes = 2 + 2 + 4 + 4
  for (const batch of batches) bytes += 2 + Buffer.byteLength(batch.topic) + 4 + 4 + 4 + batchBytes(batch)
  const body = allocate(bytes)
  let at = body.writeInt16BE(-1, 0)
  at = body.writeInt16BE(facts.acks, at)
  at = body.writeInt32BE(facts.timeoutMs, at)
  at = body.writeInt32BE(batches.length, at)
  for (const batch of batches) {
    at = body.writeInt16BE(Buffer.byteLength(batch.topic), at)
    at += body.write(batch.topic, at)
    at = body.writeInt32BE(1, at)
    at = body.writeInt32BE(batch.partition, at)
    at = body.writeInt32BE(batchBytes(batch), at)
    at = writeBatch(body, at, facts, batch)
  }
  return body
}

function writeBatch(body: Buffer, start: number, facts: ProduceFacts, batch: MeasuredBatch): number {
  const { compressed, records } = batch
  const timestamp = BigInt(facts.timestamp)
  const end = start + batchBytes(batch)
  let at = body.writeBigInt64BE(0n, start)
  at = body.writeInt32BE(end - start - UNCOUNTED_BYTES, at)
  // The leader's epoch is the broker's to fill in.
  at = body.writeInt32BE(0, at)
  at = body.writeInt8(MAGIC, at)
  at += 4
  at = body.writeInt16BE(facts.codec?.attribute ?? 0, at)
  at = body.writeInt32BE(records.length - 1, at)
  at = body.writeBigInt64BE(timestamp, at)
  at = body.writeBigInt64BE(timestamp, at)
  at = body.writeBigInt64BE(facts.producerId, at)
  at = body.writeInt16BE(batch.producerEpoch, at)
  at = body.writeInt32BE(batch.firstSequence, at)
  at = body.writeInt32BE(records.length, at)
  if (compressed === undefined) writeRecords(body, at, batch)
  else body.set(compressed, at)
  body.writeUInt32BE(crc32c(body, start + CHECKED_FROM, end), start + CRC_AT)
  return end
}

function writeRecords(body: Buffer, start: number, { records, sizes, headers }: MeasuredBatch): void {
  let at = start
  for (const [index, record] of records.entries()) {
    at = writeVarint(body, at, (sizes[index] ?? 0) + varintSize(index))
    at = writeRecord(body, at, index, record, headers[index] ?? NO_HEADERS)
  }
}

/** A name with several values is written once for each. */
function headersOf({ headers }: OutgoingRecord): readonly Header[] {
  if (headers === undefined) return NO_HEADERS
  return Object.keys(headers).flatMap((name): readonly Header[] => {
    const value = headers[name]
    if (value === undefined) return NO_HEADERS
    return isSingle(value) ? [[name, value]] : value.map((each) => [name, each] as const)
  })
}

function isSingle(value: HeaderValue | readonly HeaderValue[]): value is HeaderValue {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

/** Bytes of a record without its length and its offset delta. */
function bodySize({ key, value }: OutgoingRecord, headers: readonly Header[]): number {
  // Attributes and timestamp delta.
  let size = 2 + bytesSize(key) + bytesSize(value) + varintSize(headers.length)
  for (const [name, text] of headers) size += bytesSize(name) + bytesSize(text)
  return size
}

function writeRecord(
  body: Buffer,
  start: number,
  offsetDelta: number,
  { key, value }: OutgoingRecord,
  headers: readonly Header[],
): number {
  let at = body.writeInt8(0, start)
  at = body.writeInt8(TIMESTAMP_DELTA, at)
  at = writeVarint(body, at, offsetDelta)
  at = writeBytes(body, at, key)
  at = writeBytes(body, at, value)
  at = writeVarint(body, at, headers.length)
  for (const [name, text] of headers) at = writeBytes(body, writeBytes(body, at, name), text)
  return at
}

function bytesSize(data: Buffer | string | null | undefined): number {
  if (data === null || data === undefined) return 1
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  return varintSize(bytes) + bytes
}

function writeBytes(body: Buffer, start: number, data: Buffer | string | null | undefined): number {
  if (data === null || data === undefined) return body.writeInt8(NOTHING, start)
  if (typeof data === 'string') {
    const at = writeVarint(body, start, Buffer.byteLength(data))
    return at + body.write(data, at)
  }
  const at = writeVarint(body, start, data.length)
  body.set(data, at)
  return at + data.length
}

/** Bytes of a number that is not negative, in zigzag and groups of seven bits. */
function varintSize(value: number): number {
  if (value < 0x40) return 1
  if (value < 0x2000) return 2
  let size = 3
  for (let rest = value >>> 20; rest > 0; rest >>>= 7) size += 1
  return size
}

/** Lengths of what fits into a request are below 2^31, so that twice as much is a number of 32 bits. */
function writeVarint(body: Buffer, start: number, value: number): number {
  let at = start
  let rest = (value << 1) >>> 0
  for (; rest >= 0x80; rest >>>= 7) {
    body[at] = (rest & 0x7f) | 0x80
    at += 1
  }
  body[at] = rest
  return at + 1
}
