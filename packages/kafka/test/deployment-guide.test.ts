import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry, getNotificationTransport, loadConfig } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { kafkaConfig } from '../src/config.ts'
import { kafkaDriver } from '../src/index.ts'

const guide = readFileSync(new URL('../../../docs/kafka-deployment-guide.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```ini\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const registry = createDriverRegistry({ drivers: [kafkaDriver], discover: false })

describe('deployment guide', () => {
  it('names no option that does not exist', () => {
    const known = new Set(Object.keys(kafkaConfig.options))
    const named = [
      ...guide.matchAll(/`((?:kafka|producer|consumer|max|auto|compression|ssl|sasl|security|enable)_[a-z_]+)`/g),
    ]
    expect(named.length).toBeGreaterThan(10)
    for (const [, option = ''] of named) expect(known).toContain(option)
  })

  it.each(blocks.map((text, index) => ({ index, text })))('configuration $index can be loaded', async ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-guide-'))
    try {
      const file = join(folder, 'service.conf')
      writeFileSync(file, text)
      const conf = await loadConfig({ files: [file] })
      expect(conf.resolve(kafkaConfig)).toHaveProperty('security_protocol')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each(blocks.filter((text) => text.includes('[DEFAULT]')).map((text, index) => ({ index, text })))(
    'hybrid configuration $index gives a Kafka transport for notifications',
    async ({ text }) => {
      const folder = mkdtempSync(join(tmpdir(), 'kafka-guide-'))
      try {
        const file = join(folder, 'service.conf')
        writeFileSync(file, text)
        const bus = await getNotificationTransport(await loadConfig({ files: [file] }), { registry })
        expect(bus.capabilities.rpc).toBe(false)
        expect(String(bus.url)).toContain('kafka://kafka1:9092')
        await bus.close()
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
