import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from '../support/broker.ts'
import { duplicates } from '../support/load.ts'
import { listen, openReal, recordingLogger, send } from '../support/open-driver.ts'

// In a file of its own: kafkajs keeps one table of codecs for the whole process.
const broker = await sharedKafka()
const FAILURES = 12

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('P11 a codec that fails for a while - consumption resumes, nothing is lost and nothing comes twice', async () => {
    const topic = unique('failing')
    await broker.createTopics([`${topic}.info`], { config: { 'compression.type': 'lz4' } })
    const real = (await import('lz4-napi')) as { decompressFrame(data: Buffer): Promise<Buffer> }
    let failures = 0
    const logger = recordingLogger()
    const driver = await openReal(broker.url, {
      logger,
      importCodec: async () =>
        await Promise.resolve({
          decompressFrame: async (data: Buffer) => {
            failures += 1
            if (failures <= FAILURES) throw new Error('no memory for the codec')
            return await real.decompressFrame(data)
          },
        }),
    })
    const received = await listen(driver, topic, { pool: unique('pool') })
    const since = performance.now()
    for (let n = 0; n < 20; n += 1) await send(driver, `${topic}.info`, n)
    await received.until(20, 30_000)
    console.log(`consumption resumed after ${Math.round(performance.now() - since)} ms and ${FAILURES} failures`)
    expect(failures).toBeGreaterThan(FAILURES)
    expect(duplicates(received.payloads)).toBe(0)
    // It needed a new session, and said why.
    const reasons = logger.lines.flatMap(({ message }) => (message.includes('recovering') ? [message] : []))
    expect(reasons).toContainEqual(expect.stringContaining('no memory for the codec'))
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })
})
