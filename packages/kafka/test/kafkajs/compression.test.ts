import { expect, it } from 'vitest'
import { rangeOf } from '../../src/kafkajs/compression.ts'
import { encodeProduceRequest } from '../../src/wire/produce-request.ts'

/** What a request for topic `t` has before its batch. */
const BATCH_AT = 27
const RECORDS_AT = 61

/** The head and the records of a batch of three, as they stand in an answer of the broker. */
function storedBatch(firstOffset: number): Buffer {
  const facts = {
    topic: 't',
    partition: 0,
    acks: -1,
    timeoutMs: 1,
    producerId: -1n,
    producerEpoch: 0,
    firstSequence: 0,
  }
  const records = ['a', 'b', 'c'].map((text) => ({ value: Buffer.from(text) }))
  const request = encodeProduceRequest({ ...facts, timestamp: 0 }, records)
  const batch = request.subarray(BATCH_AT)
  batch.writeBigInt64BE(BigInt(firstOffset))
  return batch
}

it('rangeOf - reads the offsets of a batch from the head before its records', () => {
  expect(rangeOf(storedBatch(1000).subarray(RECORDS_AT))).toEqual({ first: 1000, last: 1002 })
})

it('rangeOf - takes bytes that were copied, or something else before them, for no batch', () => {
  expect(rangeOf(Uint8Array.prototype.slice.call(storedBatch(1000), RECORDS_AT) as Buffer)).toBeUndefined()
  expect(rangeOf(storedBatch(1000).subarray(RECORDS_AT + 1))).toBeUndefined()
  expect(rangeOf(storedBatch(1000).subarray(RECORDS_AT, -1))).toBeUndefined()
})
