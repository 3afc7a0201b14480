import type { KafkaMessage } from 'kafkajs'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { failureFacts, isMessagingError } from '@oslo-messaging/core/driver'
import { encodeRecord } from '../src/wire/record.ts'
import { plainClient, readAll, sharedKafka, store, unique, withAdmin } from './support/broker.ts'
import { eventually, listen, notification, openReal, recordingLogger, send } from './support/open-driver.ts'

const broker = await sharedKafka()
const warnings: Error[] = []
const onWarning = (warning: Error): void => {
  warnings.push(warning)
}
process.on('warning', onWarning)

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  afterAll(() => {
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('no first record lost - on a topic that did not exist, with auto_offset_reset latest', async () => {
    const driver = await openReal(broker.url)
    for (let round = 0; round < 5; round += 1) {
      const topic = unique('first')
      const received = await listen(driver, topic, { pool: unique('pool') })
      await send(driver, `${topic}.info`, round)
      await received.until(1)
      expect(received.payloads).toEqual([round])
      await received.listener.close()
    }
    await driver.close()
  })

  it('P13 notify resolves when the broker owns the record, in envelope 2.0 without key', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('owned')
    await send(driver, `${topic}.info`, 'é')
    const [value] = await readAll(broker, `${topic}.info`, 1)
    const envelope = JSON.parse(value ?? '') as Record<string, string>
    expect(Object.keys(envelope)).toEqual(['oslo.version', 'oslo.message'])
    expect(JSON.parse(envelope['oslo.message'] ?? '')).toMatchObject({
      payload: 'é',
      _context: { request_id: 'req-1' },
    })
    await driver.close()
  })

  it('5,000 at once - all stored once, in order, in few requests', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('many')
    const received = await listen(driver, topic, { pool: unique('pool') })
    const numbers = Array.from({ length: 5000 }, (_, n) => n)
    await Promise.all(numbers.map(async (n) => await send(driver, `${topic}.info`, n)))
    await received.until(5000)
    expect(received.payloads).toEqual(numbers)
    await received.listener.close()
    await driver.close()
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('N17 compression %s (P27) - written and read', async (codec) => {
    const driver = await openReal(broker.url, { options: { compression_codec: codec } })
    const topic = unique(codec)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const numbers = Array.from({ length: 200 }, (_, n) => n)
    await Promise.all(numbers.map(async (n) => await send(driver, `${topic}.info`, n)))
    await received.until(200)
    expect(received.payloads).toEqual(numbers)
    await driver.close()
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'P27 codec %s - batches compressed by the broker (Java) are read',
    async (codec) => {
      const topic = unique(`java-${codec}`)
      await broker.createTopics([`${topic}.info`], { config: { 'compression.type': codec } })
      const driver = await openReal(broker.url)
      const received = await listen(driver, topic, { pool: unique('pool') })
      await Promise.all(Array.from({ length: 50 }, async (_, n) => await send(driver, `${topic}.info`, `text ${n}`)))
      await received.until(50)
      await driver.close()
    },
  )

  it('services that share the default group and read different topics each get theirs', async () => {
    const driver = await openReal(broker.url, { options: { consumer_group: unique('group') } })
    const names = [unique('one'), unique('two'), unique('three')]
    const listeners = await Promise.all(names.map(async (topic) => await listen(driver, topic)))
    await Promise.all(names.map(async (topic) => await send(driver, `${topic}.info`, topic)))
    await Promise.all(listeners.map(async (received) => await received.until(1)))
    expect(listeners.map(({ payloads }) => payloads)).toEqual(names.map((name) => [name]))
    await driver.close()
  })

  it('P10 scaling 1, 3, 1 under load - nothing lost, nothing doubled', async () => {
    const topic = unique('scale')
    await broker.createTopics([`${topic}.info`], { partitions: 6 })
    const driver = await openReal(broker.url)
    const pool = unique('pool')
    const one = await listen(driver, topic, { pool })
    let sent = 0
    const stopping = new AbortController()
    const load = (async () => {
      while (!stopping.signal.aborted)
        await Promise.all(Array.from({ length: 20 }, async () => await send(driver, `${topic}.info`, sent++)))
    })()
    await one.until(100)
    const two = await listen(driver, topic, { pool })
    const three = await listen(driver, topic, { pool })
    await Promise.all([two.until(100), three.until(100)])
    await two.listener.close()
    await three.listener.close()
    await one.until(one.messages.length + 200)
    stopping.abort()
    await load
    const all = (): unknown[] => [one, two, three].flatMap(({ payloads }) => payloads)
    await eventually(() => all().length >= sent, 'the last notification', 20_000)
    expect(new Set(all()).size).toBe(sent)
    expect(all().length).toBe(sent)
    await driver.close()
  })

  it('an unreadable record says where it is, and the next one is handled', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('garbage')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await store(broker, `${topic}.info`, ['garbage', null])
    await send(driver, `${topic}.info`, 'fine')
    await received.until(3)
    const texts = received.messages.map(({ unreadable }) => (unreadable?.error as Error | undefined)?.message)
    expect(texts.filter((text) => text?.includes(`The record at ${topic}.info/`) === true)).toHaveLength(2)
    expect(received.payloads).toContain('fine')
    await driver.close()
  })

  it('error row: message over the limit - only that one is rejected, typed', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('large')
    await send(driver, `${topic}.info`, 0)
    const outcomes = await Promise.allSettled(
      [1, 'x'.repeat(1_100_000), 2].map(async (payload) => await send(driver, `${topic}.info`, payload)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({
      brokerCode: 'MESSAGE_TOO_LARGE',
      delivery: 'not-sent',
      retryable: false,
    })
    await driver.close()
  })

  it('error row: a limit of the topic below ours - small messages get through in smaller batches', async () => {
    const topic = unique('small-batches')
    await broker.createTopics([`${topic}.info`], { config: { 'max.message.bytes': '20000' } })
    const driver = await openReal(broker.url)
    await Promise.all(Array.from({ length: 100 }, async () => await send(driver, `${topic}.info`, 'x'.repeat(1000))))
    expect(await readAll(broker, `${topic}.info`, 100)).toHaveLength(100)
    await driver.close()
  })

  it('error row: nobody listens at the address - rejects at the deadline, phase connect', async () => {
    const driver = await openReal('kafka://127.0.0.1:1/')
    const since = performance.now()
    const error: unknown = await send(driver, 't.info', 1, { timeoutMs: 500 }).catch((reason: unknown) => reason)
    expect(isMessagingError(error, 'TIMEOUT')).toBe(true)
    expect(error).toMatchObject({ phase: 'connect', delivery: 'not-sent', cause: { brokerCode: 'ECONNREFUSED' } })
    expect(performance.now() - since).toBeLessThan(900)
    await expect(listen(driver, 't', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    await driver.close()
  })

  it('error row: the first of two addresses is down - connects to the second', async () => {
    const [host] = broker.hosts
    const driver = await openReal(`kafka://127.0.0.1:1,${host?.host}:${host?.port}/`)
    const topic = unique('second')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 1)
    await received.until(1)
    await driver.close()
  })

  it('trap 9, committed position below what the broker still has - says how much is gone and goes on', async () => {
    const logger = recordingLogger()
    const topic = unique('expired')
    const pool = unique('pool')
    const driver = await openReal(broker.url, { logger })
    const received = await listen(driver, topic, { pool })
    await received.listener.close()
    for (let n = 0; n < 5; n += 1) await send(driver, `${topic}.info`, n)
    await withAdmin(broker, async (admin) => {
      await admin.fetchTopicOffsets(`${topic}.info`)
      await admin.deleteTopicRecords({ topic: `${topic}.info`, partitions: [{ partition: 0, offset: '3' }] })
    })
    const again = await listen(driver, topic, { pool })
    await again.until(2)
    expect(again.payloads).toEqual([3, 4])
    expect(logger.lines.find(({ message }) => message.includes('were deleted'))?.fields).toMatchObject({ skipped: 3 })
    await driver.close()
  })

  it('a clock too far from the broker - refused at once, not stored, with the clock as the remedy', async () => {
    const topic = `${unique('clock')}.info`
    // As seen from a topic that takes nothing older than this millisecond, every clock is wrong.
    await broker.createTopics([topic], { config: { 'message.timestamp.before.max.ms': '0' } })
    const driver = await openReal(broker.url)
    const refusals: unknown[] = []
    const since = performance.now()
    for (let n = 0; n < 1000 && refusals.length === 0; n += 1)
      await send(driver, topic, n, { timeoutMs: 8000 }).catch((error: unknown) => refusals.push(error))
    expect(refusals[0]).toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER',
      brokerCode: 'INVALID_TIMESTAMP',
      delivery: 'not-sent',
      retryable: false,
      message: expect.stringContaining('check the clock') as string,
    })
    expect(performance.now() - since).toBeLessThan(6000)
    await driver.close()
  })

  it('vhost - appended by notifier and listener; two virtual hosts do not meet', async () => {
    const topic = unique('vhost')
    const one = await openReal(broker.urlFor({ vhost: 'one' }))
    const two = await openReal(broker.urlFor({ vhost: 'two' }))
    const atOne = await listen(one, topic, { pool: unique('pool') })
    const atTwo = await listen(two, topic, { pool: unique('pool') })
    await send(one, `${topic}.info`, 1)
    await send(two, `${topic}.info`, 2)
    await Promise.all([atOne.until(1), atTwo.until(1)])
    expect([atOne.payloads, atTwo.payloads]).toEqual([[1], [2]])
    expect(await readAll(broker, `${topic}.info.one`, 1)).toHaveLength(1)
    await one.close()
    await two.close()
  })

  it('a transactional writer beside us - the group ends where the topic ends, although its last records are marks', async () => {
    const topic = `${unique('exactly-once')}.info`
    const pool = unique('pool')
    const driver = await openReal(broker.url)
    const received = await listen(driver, topic.replace(/\.info$/, ''), { pool })
    const writer = plainClient(broker).producer({ transactionalId: unique('writer'), maxInFlightRequests: 1 })
    await writer.connect()
    for (const [n, ending] of (['commit', 'abort', 'commit', 'abort'] as const).entries()) {
      const transaction = await writer.transaction()
      const value = encodeRecord(notification(`${ending} ${n}`))
      await transaction.send({ topic, messages: [{ value, headers: { twice: ['a', 'b'] } }] })
      await transaction[ending]()
    }
    await writer.disconnect()
    await received.until(2)
    const lag = async (): Promise<number> =>
      await withAdmin(broker, async (admin) => {
        const [end] = await admin.fetchTopicOffsets(topic)
        const [group] = await admin.fetchOffsets({ groupId: pool, topics: [topic] })
        return Number(end?.high) - Number(group?.partitions[0]?.offset)
      })
    await vi.waitFor(async () => expect(await lag()).toBe(0), { timeout: 10_000, interval: 200 })
    expect(received.payloads).toEqual(['commit 0', 'commit 2'])
    expect(received.messages[0]?.headers).toEqual({ twice: 'a' })
    await driver.close()
  })

  it('a dead letter keeps key, time and every header of its record, in a topic of its virtual host', async () => {
    const topic = unique('buried')
    const dead = unique('dead')
    const options = {
      kafka_commit_mode: 'after',
      kafka_dead_letter_topic: dead,
      kafka_vhost_mode: 'append',
    }
    const url = broker.urlFor({ vhost: 'blue' })
    const driver = await openReal(url, { options })
    const received = await listen(driver, topic, { pool: unique('pool'), onMessage: () => {} })
    const [key, bytes] = [Buffer.from([1, 255]), Buffer.from([0xc3, 0x28])]
    const stored = {
      key,
      value: encodeRecord(notification('poison')),
      headers: { mine: ['a', bytes] },
      timestamp: '1700000000000',
    }
    const writer = plainClient(broker).producer()
    await writer.connect()
    await writer.send({ topic: `${topic}.info.blue`, messages: [stored] })
    await writer.disconnect()
    await received.until(1)
    await received.messages[0]?.bury?.(failureFacts(1, new Error('no')))
    const found: KafkaMessage[] = []
    const reader = plainClient(broker).consumer({ groupId: unique('reader'), maxWaitTimeInMs: 100 })
    await reader.connect()
    await vi.waitFor(async () => await reader.subscribe({ topics: [`${dead}.blue`], fromBeginning: true }), 10_000)
    await reader.run({
      eachMessage: async ({ message }) => {
        found.push(message)
        await Promise.resolve()
      },
    })
    await vi.waitFor(() => expect(found).toHaveLength(1), { timeout: 15_000 })
    await reader.disconnect()
    expect(found[0]).toMatchObject({ key, value: stored.value })
    expect(found[0]?.headers?.['mine']).toEqual([Buffer.from('a'), bytes])
    expect(String(found[0]?.headers?.['x-oslo-timestamp'])).toBe(stored.timestamp)
    await driver.close()
  })

  it('the first notification of a topic that did not exist does not wait for the end of a fetch, and close does neither', async () => {
    const driver = await openReal(broker.url, { options: { kafka_consumer_timeout: 10 } })
    const topic = unique('close')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 1)
    await received.until(1, 8000)
    const since = performance.now()
    await received.listener.close()
    expect(performance.now() - since).toBeLessThan(2000)
    await driver.close()
  })
})
