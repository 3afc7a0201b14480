import { randomUUID } from 'node:crypto'

import { afterAll, describe, expect, it } from 'vitest'

import { metadata } from '../../src/kafka/protocol.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

/** Every day the default one; all of them with KAFKA_VERSIONS=3.9.2,4.4.0. */
const versions = (process.env['KAFKA_VERSIONS'] ?? '3.9.2').split(',')

describe.each(versions)('Kafka %s', async (version) => {
  const kafka = await skipOrFail(startBroker('kafka', { version }))
  afterAll(() => kafka?.close())

  describe.skipIf(kafka === undefined)('that was started here', () => {
    const started = kafka as NonNullable<typeof kafka>
    const [node = { host: '', port: 0 }] = started?.nodes ?? []

    it('keeps its topics over a restart and a kill', async () => {
      const topic = `kept-${randomUUID().slice(0, 8)}`
      await started.createTopics([topic], { partitions: 3 })
      for (const away of ['stop', 'kill'] as const) {
        await started[away]()
        await expect(metadata(node)).resolves.toBeUndefined()
        await started.start()
        const known = await metadata(node, [topic])
        expect(known?.topics.get(topic)?.leaders).toHaveLength(3)
      }
    })

    it('sends clients of its proxy back to the proxy', async () => {
      await using proxy = await started.proxy()
      const through = await metadata(proxy)
      expect(through?.brokers).toEqual([{ id: 1, host: '127.0.0.1', port: proxy.port }])
      await proxy.refuse()
      await expect(metadata(proxy)).resolves.toBeUndefined()
    })

    it('says nothing while it is frozen', async () => {
      await started.freeze()
      await expect(metadata(node)).resolves.toBeUndefined()
      await started.thaw()
      await expect(metadata(node)).resolves.toBeDefined()
    })
  })
})
