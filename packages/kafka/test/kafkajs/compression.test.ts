import { expect, it } from 'vitest'
import { rangeOf } from '../../src/kafkajs/compression.ts'
import { encodeProduceRequest } from '../../src/wire/produce-request.ts'

/** What a request for topic `t` has before its batch. */
const BATCH_AT = 27
const RECORDS_AT = 61

/** The head and the records of a batch of three, as they stand in an answer of the broker. */
async function storedBatch(firstOffset: number): Promise<Buffer> {
  const facts = { acks: -1, timeoutMs: 1, producerId: -1n, timestamp: 0 }
  const records = ['a', 'b', 'c'].map((text) => ({ value: Buffer.from(text) }))
  const batches = [{ topic: 't', partition: 0, producerEpoch: 0, firstSequence: 0, records }]
  const batch = (await encodeProduceRequest(facts, batches)).subarray(BATCH_AT)
  batch.writeBigInt64BE(BigInt(firstOffset))
  return batch
}

it('rangeOf - reads the offsets of a batch from the head before its records', async () => {
  expect(rangeOf((await storedBatch(1000)).subarray(RECORDS_AT))).toEqual({ first: 1000, last: 1002 })
})

it('rangeOf - takes bytes that were copied, or something else before them, for no batch', async () => {
  const batch = await storedBatch(1000)
  expect(rangeOf(Uint8Array.prototype.slice.call(batch, RECORDS_AT) as Buffer)).toBeUndefined()
  expect(rangeOf(batch.subarray(RECORDS_AT + 1))).toBeUndefined()
  expect(rangeOf(batch.subarray(RECORDS_AT, -1))).toBeUndefined()
})
