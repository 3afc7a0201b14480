import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ClientFault, type FetchedRecord } from '../../port/client-port.ts'
import { decompressedSize } from '../../wire/decompressed-size.ts'
import { isAbort, isIntact, readBatches, readRecords, type StoredBatch } from '../../wire/record-batch.ts'
import { codecOf } from '../compression.ts'
import { API_KEYS, type ClientPatches, type RequestFields } from './client-patches.ts'

/** What a fetch brought of one partition. It stands in kafkajs's list of messages as the only one: kafkajs looks at its offset, and hands it through. */
export interface FetchedPart {
  readonly records: readonly FetchedRecord[]
  /** Where the next fetch goes on: behind everything in this one, also what is nobody's to read. */
  readonly next: number
  /** Where the partition ended. */
  readonly end: number
  /** What the records keep in memory. */
  readonly bytes: number
}

interface Carrier {
  readonly offset: string
  readonly isControlRecord: false
  readonly part: FetchedPart
}

export interface FetchRules {
  /** Whether the checksums of batches are compared. */
  readonly checksCrc: boolean
  /** Most bytes that a batch may become when it is decompressed. */
  readonly maxBatchBytes: number
}

interface FetchFields {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[]
  }[]
}

/** The one whose layout is known here; all brokers since Kafka 2.3 have it. */
const VERSION = 11
const GZIP = 1
const unzip = promisify(gunzip)

/** Reads fetched batches here. kafkajs makes a decoder, a 64-bit number and copies of key and value for each record, checks no checksum, bounds nothing,
 *  loses repeated headers, and does not tell how far a batch reaches whose last records are nobody's to read. */
export function readFetches(patches: ClientPatches, rules: FetchRules): void {
  patches.request(API_KEYS.fetch, (make) => (fields) => {
    const made = make(fields)
    if (made.request.apiVersion !== VERSION) return made
    const decode = async (data: Buffer): Promise<unknown> =>
      // Batches from before Kafka 0.11 are left to kafkajs.
      (await decodeAnswer(data, fields, rules)) ?? (await made.response.decode(data))
    return { ...made, response: { ...made.response, decode } }
  })
}

/** The part in a list of kafkajs's messages, if it was read here. */
export function partOf(messages: readonly object[]): FetchedPart | undefined {
  const [first] = messages
  return first !== undefined && 'part' in first ? (first as Carrier).part : undefined
}

interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** Undefined: there is a batch that cannot be read here. Source: Kafka protocol guide, Fetch API. */
async function decodeAnswer(data: Buffer, fields: RequestFields, rules: FetchRules): Promise<object | undefined> {
  const reader = new Reader(data)
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const responses: object[] = []
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topicName = reader.text()
    const partitions: object[] = []
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
      const set = reader.bytes()
      const from = offsetAsked(fields as object as FetchFields, topicName, partition)
      const part = await readPart(set, from, end, aborted, rules)
      if (part === undefined) return undefined
      const carrier: Carrier = { offset: String(part.next - 1), isControlRecord: false, part }
      partitions.push({
        partition,
        errorCode: partitionError,
        highWatermark: String(end),
        lastStableOffset: String(lastStableOffset),
        lastStartOffset: String(lastStartOffset),
        // Done with here.
        abortedTransactions: [],
        preferredReadReplica,
        messages: part.next > from ? [carrier] : [],
      })
    }
    responses.push({ topicName, partitions })
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

function offsetAsked({ topics }: FetchFields, topic: string, partition: number): number {
  for (const asked of topics) {
    const found = asked.topic === topic && asked.partitions.find((each) => each.partition === partition)
    if (found) return Number(found.fetchOffset)
  }
  return 0
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
    const data = batch.codec === 0 ? batch.data : await decompress(batch, rules.maxBatchBytes)
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

/** Tells the batches that are nobody's to read: the marks at the ends of transactions, and what was taken back by one. */
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

async function decompress(batch: StoredBatch, maxBytes: number): Promise<Buffer> {
  const { codec, data } = batch
  const size = decompressedSize(codec, data)
  if (size !== undefined && size > maxBytes)
    throw unreadable(batch, `it would take ${size} bytes, more than the ${maxBytes} this process allows`)
  try {
    if (codec === GZIP) return await unzip(data, { maxOutputLength: maxBytes })
    return await codecOf(codec).decompress(data)
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

class Reader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
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

  text(): string {
    const length = this.int16()
    this.#at += length
    return this.#data.toString('utf8', this.#at - length, this.#at)
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    this.#at += length
    return this.#data.subarray(this.#at - length, this.#at)
  }
}
