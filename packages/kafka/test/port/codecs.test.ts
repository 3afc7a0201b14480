import { randomBytes } from 'node:crypto'
import snappy from 'snappy'
import { describe, expect, it } from 'vitest'
import { isMessagingError } from '@oslo-messaging/core/driver'
import { CODEC_PACKAGES, loadCodec } from '../../src/port/codecs.ts'
import { openReal } from '../support/open-driver.ts'

const names = ['snappy', 'lz4', 'zstd'] as const
const missing = async (name: string): Promise<never> => await Promise.reject(new Error(`Cannot find package '${name}'`))

describe('codecs', () => {
  it.each(names)('%s - what it compresses it decompresses', async (name) => {
    const codec = await loadCodec(name)
    for (const data of [Buffer.alloc(0), Buffer.from('text'), Buffer.alloc(100_000, 'ab'), randomBytes(1000)]) {
      expect(Buffer.compare(await codec.decompress(await codec.compress(data)), data)).toBe(0)
    }
    const compressed = await codec.compress(Buffer.alloc(100_000, 'ab'))
    expect(compressed.length).toBeLessThan(10_000)
  })

  it('snappy - reads the xerial framing of Java clients', async () => {
    const blocks = [Buffer.alloc(40_000, 'x'), Buffer.alloc(100, 'y')]
    const header = Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]), Buffer.alloc(8)])
    const framed = await Promise.all(
      blocks.map(async (block) => {
        const data = await snappy.compress(block)
        const length = Buffer.alloc(4)
        length.writeInt32BE(data.length)
        return Buffer.concat([length, data])
      }),
    )
    const codec = await loadCodec('snappy')
    const read = await codec.decompress(Buffer.concat([header, ...framed]))
    expect(read.equals(Buffer.concat(blocks))).toBe(true)
  })

  it.each(['snappy', 'lz4'] as const)('P27 %s not installed - the error names the package', async (name) => {
    const error: unknown = await loadCodec(name, missing).catch((reason: unknown) => reason)
    expect(isMessagingError(error, 'DRIVER_LOAD')).toBe(true)
    expect((error as Error).message).toContain(`npm install ${CODEC_PACKAGES[name]}`)
  })

  it('P27 a missing codec is an error when the transport is built, before anything connects', async () => {
    const driver = await openReal('kafka://127.0.0.1:1/', { options: { compression_codec: 'zstd' } })
    await driver.close()
    // The same opening with the package taken away.
    const { createKafkaDriver } = await import('../../src/index.ts')
    const { kafkaConfig } = await import('../../src/config.ts')
    const { silentLogger, systemClock, TransportURL } = await import('@oslo-messaging/core/driver')
    const defaults = Object.fromEntries(
      Object.entries(kafkaConfig.options).map(([name, option]) => [name, option.default]),
    )
    const opening = createKafkaDriver({ importCodec: missing }).open(TransportURL.parse('kafka://127.0.0.1:1/'), {
      options: { ...defaults, compression_codec: 'lz4' } as never,
      defaultExchange: 'openstack',
      program: 'test',
      logger: silentLogger,
      clock: systemClock,
      random: Math.random,
    })
    await expect(Promise.resolve(opening)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER_LOAD',
      driver: 'kafka',
    })
  })
})
