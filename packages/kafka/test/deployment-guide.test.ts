import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry, getNotificationTransport, loadConfig } from '@oslo-messaging/core'
import type { ConfigFragment } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { renderGuide } from '../../../scripts/generate-kafka-guide.mjs'
import { kafkaConfig } from '../src/config.ts'
import { kafkaDriver } from '../src/index.ts'

const guide = readFileSync(new URL('../../../docs/kafka-deployment-guide.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```ini\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const registry = createDriverRegistry({ drivers: [kafkaDriver], discover: false })

describe('deployment guide', () => {
  it('has what an operator needs, in the order they need it', () => {
    expect([...guide.matchAll(/^###? (.+)$/gm)].map(([, title]) => title)).toEqual([
      'Installing',
      'What the driver is, and is not',
      'One service, two buses',
      'Prerequisites',
      'A second client library',
      'Trying it',
      'Addresses',
      'Listener pools and the default group',
      'Connections',
      'Static members',
      'Clusters',
      'What is promised',
      'When a notification is stored',
      'When a notification counts as read',
      'What happens when',
      'Security',
      'Options',
      'Watching it',
      'How far behind',
      'Speed',
      'Beside Python',
      'Coming from the Python driver',
      'Tests',
    ])
  })

  // On failure: node scripts/generate-kafka-guide.mjs
  it('its table of options is that of the schema, with advice on each that still does something', () => {
    expect(renderGuide(guide, kafkaConfig)).toBe(guide)
    const definitions: ConfigFragment['options'] = kafkaConfig.options
    for (const [name, { deprecated }] of Object.entries(definitions)) {
      const row = guide.split('\n').find((line) => line.startsWith(`| \`${name}\` |`))
      expect(/\| (\S.*) \|$/.test(row ?? '') && !/\|\s+\|$/.test(row ?? ''), name).toBe(deprecated === undefined)
    }
  })

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
