import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OutgoingRecord } from '../../src/port/client-port.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { markPackable, packProduceRequests } from '../../src/kafkajs/packed-produce.ts'

interface Made {
  readonly request: { readonly encode: () => Promise<{ readonly buffer: Buffer }> }
}
interface Definitions {
  readonly versions: readonly string[]
  protocol(wanted: { readonly version: number }): (options: object) => Made
}

const require = createRequire(import.meta.url)
const definitions = require('kafkajs/src/protocol/requests/produce') as Definitions

interface Numbering {
  readonly producerId?: string | number
  readonly producerEpoch?: number
  readonly firstSequence?: number
  readonly partition?: number
  readonly compression?: number
}

/** The body of the request that kafkajs would send for these records, marked as ours or not. */
async function encoded(records: readonly OutgoingRecord[], mark: boolean, version = 7, numbering: Numbering = {}) {
  const { producerId = '4711', producerEpoch = 2, firstSequence = 0, partition = 3, compression = 0 } = numbering
  const messages = [...records]
  if (mark) markPackable(messages, records)
  const made = definitions.protocol({ version })({
    acks: -1,
    timeout: 10_000,
    compression,
    producerId,
    producerEpoch,
    topicData: [{ topic: 'notifications.info', partitions: [{ partition, firstSequence, messages }] }],
  })
  return (await made.request.encode()).buffer
}

const record = fc.record(
  {
    value: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), fc.string({ maxLength: 100, unit: 'binary' })),
  },
  { requiredKeys: ['value'] },
)

describe('packed produce requests', () => {
  beforeEach(() => {
    packProduceRequests()
    vi.spyOn(Date, 'now').mockReturnValue(1_795_000_000_123)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each(['3', '4', '5', '6', '7'])('version %s - the same bytes as the library writes', async (version) => {
    expect(definitions.versions).toContain(version)
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 150 }),
        fc.record({
          producerId: fc.oneof(fc.constant(-1), fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String)),
          producerEpoch: fc.nat(0x7fff),
          firstSequence: fc.nat(0x7fffffff),
          partition: fc.nat(10_000),
        }),
        async (records, numbering) => {
          const theirs = await encoded(records, false, Number(version), numbering)
          const ours = await encoded(records, true, Number(version), numbering)
          expect(ours.equals(theirs)).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('only what is marked is packed', async () => {
    const messages = [{ value: Buffer.from('the library reads this') }]
    const make = definitions.protocol({ version: 7 })
    const topicData = [{ topic: 't', partitions: [{ partition: 0, messages }] }]
    const options = { acks: -1, timeout: 1, compression: 0, topicData }
    expect(String((await make(options).request.encode()).buffer)).toContain('the library reads this')
    markPackable(messages, [{ value: Buffer.from('marked') }])
    expect(String((await make(options).request.encode()).buffer)).toContain('marked')
    const transaction = { ...options, transactionalId: 'somebody' }
    expect(String((await make(transaction).request.encode()).buffer)).toContain('the library reads this')
  })

  it('large values and many records - the same bytes', async () => {
    const records = Array.from({ length: 9000 }, (_, n) => ({ value: Buffer.alloc(n % 17 === 0 ? 20_000 : 3, n) }))
    expect((await encoded(records, true)).equals(await encoded(records, false))).toBe(true)
  })

  it('what is compressed stays with the library', async () => {
    const records = [{ value: Buffer.from('x'.repeat(1000)) }]
    const gzip = { compression: 1 }
    const packed = await encoded(records, true, 7, gzip)
    expect(packed.equals(await encoded(records, false, 7, gzip))).toBe(true)
    expect(packed.length).toBeLessThan(300)
  })

  it('the check value of CRC-32C, and the same in pieces of any place', () => {
    const bytes = Buffer.from('xx123456789yyy')
    expect(crc32c(bytes, 2, 11)).toBe(0xe3069283)
    expect(crc32c(bytes, 2, 2)).toBe(0)
  })
})
