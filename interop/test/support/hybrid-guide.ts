import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { amqpDriver } from '@oslo-messaging/amqp'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { expect } from 'vitest'

import { Inbox } from './inbox.ts'
import { unique } from './ours.ts'
import { type Received, recorder } from './recorder.ts'

const GUIDE = new URL('../../../docs/kafka-deployment-guide.md', import.meta.url)

/** Runs a service by the service.conf of the Kafka guide that has RPC on this scheme: as it stands there, with the
 *  brokers of this machine in the place of the guide's. */
export async function runHybrid(scheme: 'rabbit' | 'amqp', rpcUrl: string, kafkaUrl: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-guide-'))
  try {
    const file = join(folder, 'service.conf')
    const group = unique('group')
    await writeFile(
      file,
      (await serviceConf(scheme))
        .replace(new RegExp(`${scheme}://\\S+`), rpcUrl)
        .replace(/kafka:\/\/\S+/, kafkaUrl)
        .replace(/consumer_group = .+/, `consumer_group = ${group}`),
    )
    await serve(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function serviceConf(scheme: string): Promise<string> {
  const blocks = [...(await readFile(GUIDE, 'utf8')).matchAll(/```ini\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  const [found, ...more] = blocks.filter((text) => text.includes(`\ntransport_url = ${scheme}://`))
  if (found === undefined || more.length > 0) throw new Error(`The guide must have one service.conf for ${scheme}`)
  return found
}

/** One method called and one notification sent and received, each over its own bus. */
async function serve(file: string): Promise<void> {
  const registry = createDriverRegistry({ drivers: [rabbitDriver, amqpDriver, kafkaDriver], discover: false })
  const conf = await loadConfig({ files: [file] })
  const rpc = await getRpcTransport(conf, { registry })
  const bus = await getNotificationTransport(conf, { registry })
  expect([rpc.capabilities.rpc, bus.capabilities.rpc, bus.capabilities.notifications]).toEqual([true, false, true])
  const [method, topic] = [unique('method'), unique('topic')]
  const inbox = new Inbox<Received>()
  const listener = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox, ['info'])])
  const notifier = new Notifier(bus, { publisherId: 'compute.host1', driver: 'messagingv2', topics: [topic] })
  const endpoint = {
    async double(ctxt: object, { n }: { n: number }): Promise<number> {
      await notifier.info(ctxt, 'demo.doubled', { n })
      return 2 * n
    },
  }
  const server = getRpcServer(rpc, new Target({ topic: method, server: 'one' }), [endpoint])
  await Promise.all([listener.start(), server.start()])
  const client = getRpcClient(rpc, new Target({ topic: method }))
  expect(await client.call({}, 'double', { n: 21 })).toBe(42)
  expect((await inbox.atLeast(1)).map(({ eventType, payload }) => ({ eventType, payload }))).toEqual([
    { eventType: 'demo.doubled', payload: { n: 21 } },
  ])
  await server.stop()
  await server.wait()
  await rpc.close()
  await bus.close()
}
