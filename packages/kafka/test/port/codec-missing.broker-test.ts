import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from '../support/broker.ts'
import { listen, openReal, send } from '../support/open-driver.ts'

// In a file of its own: kafkajs keeps one table of codecs for the whole process.
const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('P27 a batch whose codec is not installed - closed rejects with the package to install, no crash loop', async () => {
    const topic = unique('codec')
    await broker.createTopics([`${topic}.info`], { config: { 'compression.type': 'lz4' } })
    const driver = await openReal(broker.url, {
      importCodec: async (name) => await Promise.reject(new Error(`Cannot find package '${name}'`)),
    })
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 1)
    const error: unknown = await received.listener.closed.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ retryable: false, brokerCode: 'CodecMissing' })
    expect((error as Error).message).toContain('npm install lz4-napi')
    expect(driver.health().status).toBe('failed')
    await driver.close()
  })
})
