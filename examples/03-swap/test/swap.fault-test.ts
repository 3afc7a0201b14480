import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BrokerName, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'

const BROKERS = ['rabbit', 'artemis', 'kafka', 'nats', 'redis'] as const satisfies readonly BrokerName[]
const example = fileURLToPath(new URL('..', import.meta.url))
const brokers = await skipOrFail(Promise.all(BROKERS.map((name) => startBroker(name))))
afterAll(async () => void (await Promise.all((brokers ?? []).map((broker) => broker.close()))))

describe.skipIf(brokers === undefined)('the same program, with another service.conf', () => {
  it('does the same over memory, RabbitMQ, AMQP 1.0, Kafka, NATS and Redis', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'swap-'))
    try {
      const conf = await readFile(path.join(example, 'service.conf'), 'utf8')
      const urls = ['memory://', ...brokers!.map(({ url }) => url)]
      const files = await Promise.all(
        urls.map(async (url, index) => {
          const file = path.join(folder, `${index}.conf`)
          // Kafka carries notifications only.
          const rpc = url.startsWith('kafka') ? 'memory://' : url
          const [first = '', second = ''] = conf.split('[oslo_messaging_notifications]')
          const set = (text: string, to: string): string =>
            text.replace('transport_url = memory://', `transport_url = ${to}`)
          await writeFile(file, `${set(first, rpc)}[oslo_messaging_notifications]${set(second, url)}`)
          return file
        }),
      )
      const { stdout } = await promisify(execFile)(process.execPath, [path.join(example, 'dist/main.js'), ...files])
      process.stdout.write(stdout)
      expect(stdout).toBe(await readFile(path.join(example, 'expected-on-brokers.txt'), 'utf8'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
