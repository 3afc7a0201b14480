import { Partitioners } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { partitionOfKey } from '../../src/send/partition-of-key.ts'

const PARTITIONS = 2 ** 30
/** From the tests of Kafka's own client: org.apache.kafka.common.utils.UtilsTest. */
const HASHES: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

describe('partition of a key', () => {
  it.each(HASHES)('%s - where the Java client puts it', (key, hash) => {
    expect(partitionOfKey(Buffer.from(key), PARTITIONS)).toBe((hash & 0x7fffffff) % PARTITIONS)
  })

  it('10,000 keys of all lengths and bytes - as kafkajs says, which agrees with Java', () => {
    const partition = Partitioners.DefaultPartitioner()
    for (let n = 0; n < 10_000; n += 1) {
      const key = Buffer.from(Array.from({ length: n % 37 }, (_, index) => (n * 31 + index * 97) & 0xff))
      const partitions = 1 + (n % 50)
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 0,
        replicas: [0],
        isr: [0],
      }))
      expect(partitionOfKey(key, partitions)).toBe(
        partition({ topic: 't', partitionMetadata, message: { key, value: null } }),
      )
    }
  })
})
