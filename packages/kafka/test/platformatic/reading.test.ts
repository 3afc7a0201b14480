import { createDeferred, type Deferred } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { FetchedBatch, TopicPartition } from '../../src/port/client-port.ts'
import { Reading, type ReadingOptions } from '../../src/platformatic/reading.ts'
import { encodeProduceRequest } from '../../src/wire/produce-request.ts'
import { eventually } from '../support/open-driver.ts'

/** What a request for topic `t` has before its batch. */
const BATCH_AT = 27
const HERE: TopicPartition = { topic: 't', partition: 0 }

/** The answer to a fetch of the partition that brings these records. */
async function answerWith(from: number, to: number): Promise<Buffer> {
  const records = Array.from({ length: to - from }, (_, n) => ({ key: null, value: Buffer.from(`${from + n}`) }))
  const facts = { acks: -1, timeoutMs: 1, producerId: 4711n, timestamp: 0 }
  const batch = { ...HERE, producerEpoch: 0, firstSequence: 0, records }
  const set = (await encodeProduceRequest(facts, [batch])).subarray(BATCH_AT)
  set.writeBigInt64BE(BigInt(from))
  const head = Buffer.alloc(63)
  head.writeInt32BE(1, 10)
  head.writeInt16BE(HERE.topic.length, 14)
  head.write(HERE.topic, 16)
  head.writeInt32BE(1, 17)
  head.writeBigInt64BE(BigInt(to), 27)
  head.writeBigInt64BE(BigInt(to), 35)
  head.writeInt32BE(-1, 55)
  head.writeInt32BE(set.length, 59)
  return Buffer.concat([head, set])
}

/** One partition, whose leader moves and whose brokers answer when the test says so. */
class Cluster {
  leader = 1
  readonly asked: { readonly node: number; readonly answer: (answer: Buffer) => void }[] = []
  leaderOf = (): number => this.leader
  errorName = (code: number): string => String(code)
  refresh = async (): Promise<void> => await Promise.resolve()
  offsets = async () => await Promise.resolve([{ ...HERE, offset: 0 }])
  send = async (): Promise<Buffer> => await Promise.reject(new Error('Nothing is sent'))
  async ask<T>(node: number): Promise<T> {
    const { promise, resolve } = createDeferred<Buffer>()
    this.asked.push({ node, answer: resolve })
    return (await promise) as T
  }
}

interface Reader {
  readonly cluster: Cluster
  readonly reading: Reading
  /** Batches that were handed over and not taken yet, oldest first. */
  readonly handed: { readonly batch: FetchedBatch; readonly taken: Deferred<void> }[]
  /** Resolves to the next question to that broker. */
  readonly question: (node: number) => Promise<(answer: Buffer) => void>
}

function read(): Reader {
  const cluster = new Cluster()
  const handed: Reader['handed'] = []
  const options: ReadingOptions = {
    checksCrc: true,
    maxBytes: 1_000_000,
    maxBytesPerPartition: 1_000_000,
    maxWaitMs: 10,
    topics: [HERE.topic],
    cluster,
    codecs: () => {
      throw new Error('Nothing is compressed')
    },
    membership: {
      committed: async () => await Promise.resolve([]),
      check: () => {},
      commit: async () => await Promise.resolve(),
    },
    onBatch: async (batch) => {
      const taken = createDeferred<void>()
      handed.push({ batch, taken })
      await taken.promise
    },
    onFault: (fault) => {
      throw fault
    },
  }
  const reading = new Reading(options)
  reading.begin([HERE], () => {})
  const question = async (node: number): Promise<(answer: Buffer) => void> => {
    await eventually(() => cluster.asked.length > 0, `a fetch from broker ${node}`)
    const [first] = cluster.asked.splice(0, 1)
    expect(first?.node).toBe(node)
    return first?.answer ?? (() => {})
  }
  return { cluster, reading, handed, question }
}

describe('a partition whose leader moves, over the second client', () => {
  it('while its old leader owes the answer to a fetch - what both answer is handed over once', async () => {
    const { cluster, reading, handed, question } = read()
    const late = await question(1)
    cluster.leader = 2
    reading.look()
    ;(await question(2))(await answerWith(0, 3))
    await eventually(() => handed.length === 1, 'the batch of the new leader')
    handed[0]?.batch.resolve(2)
    handed[0]?.taken.resolve()
    late(await answerWith(0, 3))
    ;(await question(2))(await answerWith(3, 4))
    await eventually(() => handed.length >= 2, 'the next batch')
    expect(handed.map(({ batch }) => batch.records.map(({ offset }) => offset))).toEqual([[0, 1, 2], [3]])
    reading.stop()
  })

  it('while a batch of it waits for slow handlers - the next one is fetched when that is taken over, from behind it', async () => {
    const { cluster, reading, handed, question } = read()
    ;(await question(1))(await answerWith(0, 4))
    await eventually(() => handed.length === 1, 'the first batch')
    handed[0]?.batch.resolve(1)
    cluster.leader = 2
    reading.look()
    // A reader that may fetch asks at once.
    expect([cluster.asked.length, handed[0]?.batch.isStale()]).toEqual([0, false])
    handed[0]?.batch.resolve(3)
    handed[0]?.taken.resolve()
    ;(await question(2))(await answerWith(4, 5))
    await eventually(() => handed.length === 2, 'the batch of the new leader')
    expect([handed[1]?.batch.records.map(({ offset }) => offset), cluster.asked]).toEqual([[4], []])
    reading.stop()
  })
})
