import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ClientFault, type FetchedRecord, type PartitionOffset, type TopicPartition } from '../port/client-port.ts'
import { AnswerReader } from './answer-reader.ts'
import { decompressedSize } from './decompressed-size.ts'
import { isAbort, isIntact, readBatches, readRecords, type StoredBatch } from './record-batch.ts'

/** What a fetch brought of one partition. */
export interface FetchedPart {
  readonly records: readonly FetchedRecord[]
  /** Where the next fetch goes on: behind everything in this one, also what is nobody's to read. */
  readonly next: number
  /** Where the partition ended. */
  readonly end: number
  /** What the records keep in memory. */
  readonly bytes: number
}

/** One partition of an answer. */
export interface FetchedPartition extends TopicPartition {
  readonly errorCode: number
  readonly lastStableOffset: number
  readonly lastStartOffset: number
  readonly preferredReadReplica: number
  readonly part: FetchedPart
}

export interface FetchAnswer {
  readonly throttleMs: number
  readonly errorCode: number
  readonly sessionId: number
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchRules {
  /** Whether the checksums of batches are compared. */
  readonly checksCrc: boolean
  /** Most bytes that a batch may become when it is decompressed. */
  readonly maxBatchBytes: number
  /** Undoes a codec other than gzip, by its number. */
  readonly decompress: (codec: number, data: Buffer) => Promise<Buffer>
}

export interface FetchFacts {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
  readonly positions: readonly PartitionOffset[]
}

const GZIP = 1
const unzip = promisify(gunzip)
const CONSUMER = -1
const NO_SESSION = -1
const UNKNOWN = -1
const READ_COMMITTED = 1

/** Body of a fetch request, version 11, outside a fetch session. Source: Kafka protocol guide, Fetch API. */
export function encodeFetchRequest({ maxWaitMs, maxBytes, maxBytesPerPartition, positions }: FetchFacts): Buffer {
  const topics = [...new Set(positions.map(({ topic }) => topic))]
  const head = Buffer.alloc(29)
  let at = head.writeInt32BE(CONSUMER, 0)
  at = head.writeInt32BE(maxWaitMs, at)
  at = head.writeInt32BE(1, at)
  at = head.writeInt32BE(maxBytes, at)
  at = head.writeInt8(READ_COMMITTED, at)
  at = head.writeInt32BE(0, at)
  at = head.writeInt32BE(NO_SESSION, at)
  head.writeInt32BE(topics.length, at)
  const parts = topics.flatMap((topic) => {
    const own = positions.filter((position) => position.topic === topic)
    const name = Buffer.from(topic)
    const start = Buffer.alloc(2 + name.length + 4)
    start.writeInt16BE(name.length, 0)
    name.copy(start, 2)
    start.writeInt32BE(own.length, 2 + name.length)
    return [start, ...own.map(({ partition, offset }) => encodePosition(partition, offset, maxBytesPerPartition))]
  })
  // No topics to forget, and an empty rack.
  return Buffer.concat([head, ...parts, Buffer.alloc(6)])
}

function encodePosition(partition: number, offset: number, maxBytes: number): Buffer {
  const position = Buffer.alloc(28)
  let at = position.writeInt32BE(partition, 0)
  at = position.writeInt32BE(UNKNOWN, at)
  at = position.writeBigInt64BE(BigInt(offset), at)
  at = position.writeBigInt64BE(BigInt(UNKNOWN), at)
  position.writeInt32BE(maxBytes, at)
  return position
}

interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** Reads the answer to a fetch of version 11. `from`: the offset that was asked for. Undefined: it holds a batch from
 *  before Kafka 0.11.
 *  Rejects with ClientFault BatchUnreadable. Source: Kafka protocol guide, Fetch API. */
export async function readFetchAnswer(
  data: Buffer,
  from: (topic: string, partition: number) => number,
  rules: FetchRules,
): Promise<FetchAnswer | undefined> {
  const reader = new AnswerReader(data)
  const throttleMs = reader.int32()
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const partitions: FetchedPartition[] = []
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topic = reader.text()
    for (let left = reader.int32(); left > 0; left -= 1) {
      const partition = reader.int32()
      const partitionError = reader.int16()
      const end = reader.int64()
      const lastStableOffset = reader.int64()
      const lastStartOffset = reader.int64()
      const aborted: AbortedTransaction[] = []
      for (let each = reader.int32(); each > 0; each -= 1)
        aborted.push({ producerId: BigInt(reader.int64()), firstOffset: reader.int64() })
      const preferredReadReplica = reader.int32()
      const part = await readPart(reader.bytes(), from(topic, partition), end, aborted, rules)
      if (part === undefined) return undefined
      partitions.push({
        topic,
        partition,
        errorCode: partitionError,
        lastStableOffset,
        lastStartOffset,
        preferredReadReplica,
        part,
      })
    }
  }
  return { throttleMs, errorCode, sessionId, partitions }
}

async function readPart(
  set: Buffer,
  from: number,
  end: number,
  aborted: readonly AbortedTransaction[],
  rules: FetchRules,
): Promise<FetchedPart | undefined> {
  const batches = readBatches(set)
  if (batches === undefined) return undefined
  const records: FetchedRecord[] = []
  const isTakenBack = abortedFilter(aborted)
  let next = from
  let bytes = 0
  for (const batch of batches) {
    if (rules.checksCrc && !isIntact(set, batch)) throw unreadable(batch, 'its checksum is wrong')
    next = Math.max(next, batch.last + 1)
    if (reading(batch, () => isTakenBack(batch)) || batch.last < from) continue
    const data = batch.codec === 0 ? batch.data : await decompress(batch, rules)
    bytes += data.length
    reading(batch, () => readRecords(batch, data, from, records))
  }
  return { records, next, end, bytes }
}

function reading<T>(batch: StoredBatch, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw unreadable(batch, error instanceof Error ? error.message : String(error), error)
  }
}

/** Tells the batches that are nobody's to read: the marks at the ends of transactions, and what was taken back by
 *  one. */
function abortedFilter(transactions: readonly AbortedTransaction[]): (batch: StoredBatch) => boolean {
  const coming = [...transactions].toSorted((one, other) => one.firstOffset - other.firstOffset)
  const open = new Set<bigint>()
  return (batch) => {
    while (coming[0] !== undefined && coming[0].firstOffset <= batch.last) open.add(coming.shift()?.producerId ?? 0n)
    if (!batch.isControl) return batch.isTransactional && open.has(batch.producerId)
    if (isAbort(batch)) open.delete(batch.producerId)
    return true
  }
}

async function decompress(
  batch: StoredBatch,
  { maxBatchBytes: maxBytes, decompress: undo }: FetchRules,
): Promise<Buffer> {
  const { codec, data } = batch
  const size = decompressedSize(codec, data)
  if (size !== undefined && size > maxBytes)
    throw unreadable(batch, `it would take ${size} bytes, more than the ${maxBytes} this process allows`)
  try {
    if (codec === GZIP) return await unzip(data, { maxOutputLength: maxBytes })
    return await undo(codec, data)
  } catch (error) {
    if (error instanceof ClientFault) throw error
    throw unreadable(batch, error instanceof Error ? error.message : String(error), error)
  }
}

const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

function unreadable({ first, last, codec }: StoredBatch, reason: string, cause?: unknown): ClientFault {
  const how = codec === 0 ? 'read' : `decompressed (${NAMES[codec] ?? codec})`
  return new ClientFault('BatchUnreadable', `The batch of offsets ${first} to ${last} cannot be ${how}: ${reason}`, {
    cause,
    batch: { first, last },
  })
}
