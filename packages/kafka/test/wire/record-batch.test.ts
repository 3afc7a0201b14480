import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadCodec } from '../../src/port/codecs.ts'
import type { FetchedRecord, OutgoingRecord } from '../../src/port/client-port.ts'
import { decompressedSize } from '../../src/wire/decompressed-size.ts'
import { encodeProduceRequest } from '../../src/wire/produce-request.ts'
import { isIntact, readBatches, readRecords } from '../../src/wire/record-batch.ts'

/** What a request for topic `t` has before its batch. */
const BATCH_AT = 27
const NOW = 1_795_000_000_123

/** A batch as a broker stores it. */
async function stored(records: readonly OutgoingRecord[], firstOffset: number): Promise<Buffer> {
  const facts = { acks: -1, timeoutMs: 1, producerId: 4711n, timestamp: NOW }
  const batch = { topic: 't', partition: 0, producerEpoch: 0, firstSequence: 0, records }
  const set = (await encodeProduceRequest(facts, [batch])).subarray(BATCH_AT)
  set.writeBigInt64BE(BigInt(firstOffset))
  return set
}

function read(set: Buffer, from = 0): FetchedRecord[] {
  const records: FetchedRecord[] = []
  for (const batch of readBatches(set) ?? []) readRecords(batch, batch.data, from, records)
  return records
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((data) => Buffer.from(data))
const record = fc.record({
  key: fc.option(bytes(20)),
  value: fc.option(bytes(300), { freq: 10 }),
  headers: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 8 }),
    fc.array(bytes(30), { minLength: 1, maxLength: 3 }),
  ),
})

describe('stored batches', () => {
  it('what was written is read - keys, values, times, and every header in its order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 2 ** 52 }),
        async (records, first) => {
          const found = read(await stored(records, first))
          expect(found.map(({ key, value }) => ({ key, value }))).toEqual(
            records.map(({ key, value }) => ({ key, value })),
          )
          expect(found.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(
            records.map((_, index) => [first + index, NOW]),
          )
          expect(found.map(({ rawHeaders = [] }) => rawHeaders)).toEqual(
            records.map(({ headers }) =>
              Object.entries(headers).flatMap(([name, values]) => values.map((each) => [name, each])),
            ),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a fetch that begins in the middle of a batch, and one whose last batch is cut off', async () => {
    const [one, two] = [
      await stored([{ value: Buffer.from('a') }, { value: Buffer.from('b') }], 10),
      await stored([{ value: Buffer.from('c') }], 12),
    ]
    const set = Buffer.concat([one, two])
    expect(read(set, 11).map(({ offset, value }) => [offset, String(value)])).toEqual([
      [11, 'b'],
      [12, 'c'],
    ])
    expect(read(set.subarray(0, -1)).map(({ offset }) => offset)).toEqual([10, 11])
  })

  it('bytes that were changed are found by their checksum, and those that are no record by reading them', async () => {
    const set = await stored([{ value: Buffer.from('whole') }], 0)
    const [batch] = readBatches(set) ?? []
    if (batch === undefined) throw new Error('There is no batch')
    expect(isIntact(set, batch)).toBe(true)
    set.writeUInt8(0xff, 61)
    expect(isIntact(set, batch)).toBe(false)
    expect(() => read(set)).toThrow(RangeError)
  })

  it.each([-12, -100, 0, 48])(
    'a batch that says it has %i bytes is refused instead of being read for ever',
    async (length) => {
      const set = await stored([{ value: Buffer.from('short') }], 0)
      set.writeInt32BE(length, 8)
      expect(() => readBatches(set)).toThrow(RangeError)
    },
  )

  it('a batch in an older format is left to others', async () => {
    const set = await stored([{ value: Buffer.from('old') }], 0)
    set.writeInt8(1, 16)
    expect(readBatches(set)).toBeUndefined()
  })
})

describe('size of compressed records', () => {
  const MIB = 1024 * 1024
  const BOMB = Buffer.alloc(200 * MIB)

  it.each([
    { name: 'snappy', codec: 2 },
    { name: 'lz4', codec: 3 },
    { name: 'zstd', codec: 4 },
  ] as const)(
    '$name - a bomb is known before it goes off, and what is honest is not taken for one',
    async ({ name, codec }) => {
      const real = await loadCodec(name)
      expect(decompressedSize(codec, await real.compress(BOMB))).toBeGreaterThanOrEqual(BOMB.length)
      const honest = Buffer.from(Array.from({ length: MIB }, (_, n) => (n * 2_654_435_761) >>> 24))
      const size = decompressedSize(codec, await real.compress(honest)) ?? 0
      expect(size).toBeGreaterThanOrEqual(honest.length)
      expect(size).toBeLessThan(8 * MIB)
      // What is no such thing is for the codec to complain about.
      expect(() => decompressedSize(codec, Buffer.from('no'))).not.toThrow()
    },
  )

  it('blocks of Java snappy that lead back to their own beginning have an end', async () => {
    const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    const data = Buffer.from([...magic, 0xff, 0xff, 0xff, 0xfc, 1, 2, 3, 4])
    // Read for ever before, when the length of a block took the reader back.
    expect(decompressedSize(2, data)).toBe(1)
    await expect((await loadCodec('snappy')).decompress(data)).rejects.toThrow()
  })

  it('gzip does not say', () => {
    expect(decompressedSize(1, gzipSync('x'))).toBeUndefined()
  })
})
