import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('..', import.meta.url))
const shared = await skipOrFail(Promise.all([sharedBroker('rabbit'), sharedBroker('kafka')]))
const own = await skipOrFail(Promise.all([startBroker('artemis'), startBroker('nats'), startBroker('redis')]))
afterAll(async () => void (await Promise.all((own ?? []).map((broker) => broker.close()))))

describe.skipIf(shared === undefined || own === undefined)('the same program, with another service.conf', () => {
  it('does the same over memory, RabbitMQ, AMQP 1.0, Kafka, NATS and Redis', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'swap-'))
    try {
      const conf = await readFile(path.join(example, 'service.conf'), 'utf8')
      const [rabbit, kafka] = shared!
      const [artemis, nats, redis] = own!
      const urls = ['memory://', ...[rabbit, artemis, kafka, nats, redis].map(({ url }) => url)]
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
