import { type RabbitBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getNotifier,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  type MessagingConfig,
  type Transport,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ServiceKind } from '../src/scale/deployment.ts'
import { scaleOf } from '../src/scale/model.ts'

/** A cloud of 1000 compute services, 80 conductors and 40 collectors, one twentieth of it. */
const TWENTIETH: readonly ServiceKind[] = [
  {
    name: 'compute',
    instances: 50,
    processes: 1,
    server: ['compute'],
    client: ['conductor'],
    notify: ['notifications'],
    listen: [],
    priorities: ['info'],
  },
  {
    name: 'conductor',
    instances: 1,
    processes: 4,
    server: ['conductor'],
    client: ['compute'],
    notify: [],
    listen: [],
    priorities: ['info'],
  },
  {
    name: 'collector',
    instances: 2,
    processes: 1,
    server: [],
    client: [],
    notify: [],
    listen: ['notifications:billing'],
    priorities: ['info'],
  },
]
const registry = createDriverRegistry({ drivers: [rabbitDriver] })

/** Everything that one process of the service holds, used once. */
async function runProcess(
  conf: MessagingConfig,
  url: string,
  service: ServiceKind,
  server: string,
): Promise<Transport[]> {
  const held: Transport[] = []
  if (service.server.length + service.client.length > 0) {
    const transport = await getRpcTransport(conf, { url, registry })
    held.push(transport)
    for (const topic of service.server) await getRpcServer(transport, { topic, server }, [{ work: () => 1 }]).start()
    // A call to itself makes its way of replies, and the exchanges that it publishes to.
    for (const topic of service.client) {
      const target = service.server[0] ?? topic
      await getRpcClient(transport, { topic: target, server }).call({}, 'work', {})
    }
  }
  if (service.notify.length + service.listen.length > 0) {
    const transport = await getNotificationTransport(conf, { url, registry })
    held.push(transport)
    for (const word of service.listen) {
      const [topic = '', pool = ''] = word.split(':')
      await getNotificationListener(transport, [{ topic }], [{ info: () => {} }], { pool }).start()
    }
    if (service.notify.length > 0)
      await getNotifier(transport, { publisherId: server, driver: 'messagingv2', topics: service.notify }).info(
        {},
        'e',
        {},
      )
  }
  return held
}

interface Totals {
  readonly connections: number
  readonly channels: number
  readonly queues: number
}

async function ask(broker: RabbitBroker, path: string): Promise<unknown> {
  const answer = await fetch(`${broker.managementUrl ?? ''}${path}`, {
    headers: { authorization: `Basic ${btoa('guest:guest')}` },
  })
  return await answer.json()
}

async function totalsOf(broker: RabbitBroker): Promise<Totals> {
  const { object_totals: totals } = (await ask(broker, '/api/overview')) as { readonly object_totals: Totals }
  const { connections, channels, queues } = totals
  return { connections, channels, queues }
}

const HELD = [
  'connection_readers',
  'connection_writers',
  'connection_channels',
  'connection_other',
  'queue_procs',
  'quorum_queue_procs',
  'quorum_ets',
]

/** What the broker itself says that connections, channels and queues hold, bytes; all kinds of memory are printed. */
async function memoryOf(broker: RabbitBroker): Promise<number> {
  const text = await broker.control.eval('[garbage_collect(P)||P<-processes()],rabbit_vm:memory()')
  const kinds = [...text.matchAll(/\{(\w+),\s*(\d+)\}/g)].map(([, name = '', bytes]) => [name, Number(bytes)] as const)
  console.log(kinds.map(([name, bytes]) => `${name} ${Math.round(bytes / 1024)}`).join(', '))
  return kinds.filter(([name]) => HELD.includes(name)).reduce((sum, [, bytes]) => sum + bytes, 0)
}

const VERSIONS = [
  { version: '3.10', options: {} },
  { version: '4.0', options: { rabbit_quorum_queue: 'true', rabbit_transient_quorum_queue: 'true' } },
] as const

describe.each(VERSIONS)('the model of scale against RabbitMQ $version', ({ version, options }) => {
  it('connections, channels and queues to the number, memory to a half', async () => {
    const broker = await skipOrFail(
      startBroker('rabbit', {
        version,
        plugins: ['rabbitmq_management'],
        config: { collect_statistics_interval: '500' },
      }),
    )
    if (broker === undefined) return
    onTestFinished(async () => await broker[Symbol.asyncDispose]())
    const conf = await loadConfig({ overrides: { oslo_messaging_rabbit: options } })
    const before = await memoryOf(broker)
    const held: Transport[] = []
    onTestFinished(async () => void (await Promise.all(held.map((transport) => transport.close()))))
    for (const service of TWENTIETH)
      for (let instance = 0; instance < service.instances; instance += 1)
        for (let process = 0; process < service.processes; process += 1)
          held.push(...(await runProcess(conf, broker.url, service, `${service.name}-${instance}`)))
    // Those that share a server name answer in turn: each has published a reply then.
    const [first] = held
    if (first === undefined) throw new Error('There is no process')
    const conductors = getRpcClient(first, { topic: 'conductor' })
    for (let call = 0; call < 40; call += 1) await conductors.call({}, 'work', {})
    const part = { section: 'default', driver: 'rabbit', carries: { rpc: true, notifications: true } } as const
    const [model] = await scaleOf(TWENTIETH, [part], conf, registry)
    const { shared = 0, perInstance = 0, perProcess = 0 } = model?.queues ?? {}
    const expected = {
      connections: model?.connections,
      channels: model?.channels,
      queues: shared + perInstance + perProcess,
    }
    await expect.poll(async () => await totalsOf(broker), { timeout: 60_000, interval: 1000 }).toEqual(expected)
    const grown = (await memoryOf(broker)) - before
    console.log(
      `${version}: ${JSON.stringify(expected)}, ${Math.round(grown / 1024)} KiB; the model says ${Math.round((model?.memoryBytes ?? 0) / 1024)} KiB`,
    )
    const share = grown / (model?.memoryBytes ?? Number.NaN)
    expect(share).toBeGreaterThan(0.5)
    expect(share).toBeLessThan(1.5)
  })
})
