import { runDriverConformance } from '@oslo-messaging/conformance'
import { afterAll, describe, expect, it } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { createKafkaDriver, kafkaDriver } from '../src/index.ts'
import { sharedKafka, store, unique } from './support/broker.ts'
import { listen, openReal, recordingLogger, send } from './support/open-driver.ts'

// The everyday tests run on 3.9; this is the newest Kafka the driver promises.
const available = (await sharedKafka()) !== undefined
const broker: KafkaBroker | undefined = available
  ? await skipOrFail(startBroker('kafka', { version: '4.4' }))
  : undefined
const proxy = await broker?.proxy()
const warnings: Error[] = []
const onWarning = (warning: Error): void => {
  warnings.push(warning)
}

describe.skipIf(broker === undefined)('kafka 4.4', () => {
  if (broker === undefined || proxy === undefined) return
  process.on('warning', onWarning)

  afterAll(async () => {
    await broker.close()
    process.off('warning', onWarning)
    // P28: the client library of older days has nothing to complain about.
    expect(warnings).toEqual([])
  })

  runDriverConformance({
    describe,
    it,
    capabilities: kafkaDriver.capabilities,
    createDriver: async ({ vhost = '' }) => await openReal(broker.urlFor({ vhost, via: [proxy] })),
    knobs: {
      timeScale: 2,
      vhosts: ['one', 'two'],
      disconnect: async () => await Promise.resolve(proxy.reset()),
      makeUnreadable: async ({ topic, priority, text }) => await store(broker, `${topic}.${priority}`, [text]),
      secret: {
        definition: createKafkaDriver(),
        url: (password) => broker.urlFor({ user: 'nobody', password }),
      },
    },
  })

  it('is 4.4.0', () => {
    expect(broker.version).toBe('4.4.0')
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('codec %s - written and read', async (codec) => {
    const driver = await openReal(broker.url, { options: { compression_codec: codec } })
    const topic = unique(codec)
    const received = await listen(driver, topic, { pool: unique('pool') })
    const numbers = Array.from({ length: 200 }, (_, n) => n)
    await Promise.all(numbers.map(async (n) => await send(driver, `${topic}.info`, n)))
    await received.until(200)
    expect(received.payloads).toEqual(numbers)
    await driver.close()
  })

  it('error row: message over the limit - only that one is rejected, typed', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('large')
    const outcomes = await Promise.allSettled(
      [1, 'x'.repeat(1_100_000), 2].map(async (payload) => await send(driver, `${topic}.info`, payload)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await driver.close()
  })

  it('kill -9 and restart - sending and listening go on', async () => {
    const driver = await openReal(broker.url, { logger: recordingLogger() })
    const topic = unique('kill')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 1)
    await broker.kill()
    const sent = send(driver, `${topic}.info`, 2, { timeoutMs: 60_000 })
    await broker.start()
    await sent
    await received.until(2, 40_000)
    expect(received.payloads).toEqual([1, 2])
    await driver.close()
  })
})
