import { createRequire } from 'node:module'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OutgoingRecord } from '../../src/port/client-port.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { encodeProduceRequest } from '../../src/wire/produce-request.ts'

interface Definitions {
  readonly versions: readonly string[]
  protocol(wanted: { readonly version: number }): (options: object) => {
    readonly request: { readonly encode: () => Promise<{ readonly buffer: Buffer }> }
  }
}

const require = createRequire(import.meta.url)
const definitions = require('kafkajs/src/protocol/requests/produce') as Definitions
const NOW = 1_795_000_000_123

interface Numbering {
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly firstSequence?: number
  readonly partition?: number
}

/** The body of the request that kafkajs would send for these records. */
async function theirs(
  topics: readonly string[],
  records: readonly OutgoingRecord[],
  version = 7,
  numbering: Numbering = {},
) {
  const { producerId = 4711n, producerEpoch = 2, firstSequence = 0, partition = 3 } = numbering
  const made = definitions.protocol({ version })({
    acks: -1,
    timeout: 10_000,
    compression: 0,
    producerId: String(producerId),
    producerEpoch,
    topicData: topics.map((topic) => ({ topic, partitions: [{ partition, firstSequence, messages: records }] })),
  })
  return (await made.request.encode()).buffer
}

async function ours(topics: readonly string[], records: readonly OutgoingRecord[], numbering: Numbering = {}) {
  const { producerId = 4711n, producerEpoch = 2, firstSequence = 0, partition = 3 } = numbering
  return await encodeProduceRequest(
    { acks: -1, timeoutMs: 10_000, producerId, timestamp: NOW },
    topics.map((topic) => ({ topic, partition, producerEpoch, firstSequence, records })),
  )
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((data) => Buffer.from(data))
const text = fc.string({ maxLength: 100, unit: 'binary' })
const record = fc.record(
  {
    key: fc.option(bytes(20)),
    value: fc.option(bytes(400), { freq: 10 }),
    headers: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 10 }),
      fc.oneof(text, bytes(30), fc.array(fc.oneof(text, bytes(30)), { minLength: 1, maxLength: 3 })),
    ),
  },
  { requiredKeys: ['value'] },
)

describe('produce requests', () => {
  beforeEach(() => {
    vi.spyOn(Date, 'now').mockReturnValue(NOW)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each(['3', '4', '5', '6', '7'])('version %s - the same bytes as the library writes', async (version) => {
    expect(definitions.versions).toContain(version)
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 150 }),
        fc.uniqueArray(fc.constantFrom('notifications.info', 'ü', 'a.error'), { minLength: 1 }),
        fc.record({
          producerId: fc.oneof(fc.constant(-1n), fc.bigInt({ min: 0n, max: 2n ** 62n })),
          producerEpoch: fc.nat(0x7fff),
          firstSequence: fc.nat(0x7fffffff),
          partition: fc.nat(10_000),
        }),
        async (records, topics, numbering) => {
          const expected = await theirs(topics, records, Number(version), numbering)
          expect((await ours(topics, records, numbering)).equals(expected)).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('headers that somebody has put into the prototype are not written', async () => {
    const headers = Object.create({ inherited: 'no' }) as Record<string, string>
    headers['own'] = 'yes'
    const records = [{ value: Buffer.from('x'), headers }]
    expect((await ours(['t'], records)).equals(await theirs(['t'], records))).toBe(true)
  })

  it('large values and many records - the same bytes', async () => {
    const records = Array.from({ length: 9000 }, (_, n) => ({ value: Buffer.alloc(n % 17 === 0 ? 20_000 : 3, n) }))
    expect((await ours(['t'], records)).equals(await theirs(['t'], records))).toBe(true)
  })

  it('lengths on both sides of where a number takes a byte more - the same bytes', async () => {
    const borders = [0x3f, 0x40, 0x1fff, 0x2000, 0xf_ffff, 0x10_0000]
    const lengths = borders.flatMap((border) => Array.from({ length: 24 }, (_, n) => Math.max(0, border - n)))
    const records = lengths.map((length) => ({ value: Buffer.alloc(length, 7) }))
    expect((await ours(['t'], records)).equals(await theirs(['t'], records))).toBe(true)
  })

  it('compressed - the codec gets the records and nothing else, and the batch names it', async () => {
    const records = [{ value: Buffer.from('x'.repeat(1000)), headers: { traceparent: 'put in by an agent' } }]
    const facts = { acks: -1, timeoutMs: 10_000, producerId: 4711n, timestamp: NOW }
    const batch = { topic: 't', partition: 3, producerEpoch: 2, firstSequence: 0, records }
    const codec = { attribute: 1, compress: async (data: Buffer) => await Promise.resolve(gzipSync(data)) }
    const packed = await encodeProduceRequest({ ...facts, codec }, [batch])
    const plain = await encodeProduceRequest(facts, [batch])
    const at = 27
    expect(packed.readInt16BE(at + 21)).toBe(1)
    expect(gunzipSync(packed.subarray(at + 61)).equals(plain.subarray(at + 61))).toBe(true)
    expect(packed.readUInt32BE(at + 17)).toBe(crc32c(packed, at + 21))
  })

  it('the check value of CRC-32C, and the same in pieces of any place', () => {
    const checked = Buffer.from('xx123456789yyy')
    expect(crc32c(checked, 2, 11)).toBe(0xe3069283)
    expect(crc32c(checked, 2, 2)).toBe(0)
  })
})
