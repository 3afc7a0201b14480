import { describe, expect, it } from 'vitest'
import { sharedKafka, unique, withAdmin } from '../support/broker.ts'
import { eventually, listen, openReal, recordingLogger, send } from '../support/open-driver.ts'

// In a file of its own: kafkajs keeps one table of codecs for the whole process.
const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('a batch that can never be decompressed - said where it is and told in health, and read on behind it once the group is moved', async () => {
    const topic = unique('corrupt')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`], { config: { 'compression.type': 'lz4' } })
    const real = (await import('lz4-napi')) as { decompressFrame(data: Buffer): Promise<Buffer> }
    const logger = recordingLogger()
    const driver = await openReal(broker.url, {
      logger,
      importCodec: async () =>
        await Promise.resolve({
          decompressFrame: async (data: Buffer) => {
            const plain = await real.decompressFrame(data)
            if (plain.includes('damaged')) throw new Error('checksum mismatch')
            return plain
          },
        }),
    })
    const received = await listen(driver, topic, { pool })
    await send(driver, `${topic}.info`, 'good')
    await received.until(1)
    await send(driver, `${topic}.info`, 'damaged')
    await send(driver, `${topic}.info`, 'behind it')
    await eventually(() => logger.lines.some(({ level }) => level === 'error'), 'the report', 30_000)
    const [report] = logger.lines.filter(({ level }) => level === 'error')
    expect(report?.fields).toMatchObject({ group: pool, partition: `${topic}.info/0`, offset: 1, moveTo: 2, tries: 3 })
    const health = (): unknown => driver.health().components.find(({ kind }) => kind === 'listener')
    expect(health()).toMatchObject({
      state: 'recovering',
      reason: `${topic}.info/0: The batch of offsets 1 to 1 cannot be decompressed (lz4): checksum mismatch`,
    })
    expect(received.payloads).toEqual(['good'])

    // What an operator does: between two sessions the group has no member.
    await withAdmin(broker, async (admin) => {
      const deadline = Date.now() + 20_000
      const move = async (): Promise<boolean> =>
        await admin
          .setOffsets({ groupId: pool, topic: `${topic}.info`, partitions: [{ partition: 0, offset: '2' }] })
          .then(() => true)
          .catch(() => false)
      while (!(await move()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    })
    await received.until(2, 30_000)
    expect(received.payloads).toEqual(['good', 'behind it'])
    expect(driver.health().status).toBe('ok')
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    await driver.close()
  })
})
