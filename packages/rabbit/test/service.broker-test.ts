import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  type NotificationDelivery,
  Notifier,
  type RPCCall,
  Target,
} from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRabbitDriver } from '../src/index.ts'
import { rabbit, unique } from './support/broker.ts'

const broker = await rabbit()
const EVENTS = ['warning', 'unhandledRejection', 'uncaughtExceptionMonitor'] as const
const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

describe.skipIf(broker === undefined)('a busy service on RabbitMQ', () => {
  if (broker === undefined) return
  const vhost = unique('service')
  const noise: unknown[] = []
  const note = (event: unknown): void => void noise.push(event)

  beforeAll(async () => {
    await broker.vhost(vhost)
    for (const event of EVENTS) process.on(event, note)
  })
  afterAll(async () => {
    for (const event of EVENTS) process.off(event, note)
    await broker.control.deleteVhost(vhost)
  })

  it('many servers, listeners and calls under one signal, and a reset: the process hears nothing of it, and headers arrive', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: broker.urlFor({ vhost }) } } })
    const registry = createDriverRegistry({ drivers: [createRabbitDriver()] })
    const transport = await getRpcTransport(conf, { registry })
    const bus = await getNotificationTransport(conf, { registry })
    const target = new Target({ topic: unique('topic') })
    const seen: RPCCall['headers'][] = []
    const endpoint = {
      echo(_context: object, args: object, call: RPCCall) {
        seen.push(call.headers)
        return args
      },
    }
    const deliveries: NotificationDelivery[] = []
    const info = (
      ...[, , , , , delivery]: [object, string | null, string | null, unknown, object, NotificationDelivery]
    ) => void deliveries.push(delivery)
    const servers = Array.from({ length: 12 }, (_, n) =>
      getRpcServer(transport, target.with({ server: `s${n}` }), [endpoint]),
    )
    const listeners = Array.from({ length: 12 }, (_, n) =>
      getNotificationListener(bus, [target], [{ info }], { pool: unique(`pool${n}`) }),
    )
    await Promise.all([...servers, ...listeners].map((each) => each.start()))

    const { signal } = new AbortController()
    const client = getRpcClient(transport, target)
    const call = (n: number) => client.call({}, 'echo', { n }, { signal, headers, timeoutMs: 20_000 })
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => call(n)))
    expect(answers).toEqual(answers.map((_, n) => ({ n })))
    expect(seen).toEqual(answers.map(() => headers))
    const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [target.topic ?? ''] })
    await Promise.all(Array.from({ length: 10 }, (_, n) => notifier.info({}, 'e', n, { signal, headers })))
    await expect.poll(() => deliveries.length, { timeout: 20_000 }).toBe(120)
    expect(new Set(deliveries.map((each) => each.headers?.['traceparent']))).toEqual(new Set([headers.traceparent]))

    await broker.control.dropAllConnections({ vhost })
    expect(await call(7)).toEqual({ n: 7 })
    expect(await transport.close()).toEqual({ abandoned: 0 })
    expect(await bus.close()).toEqual({ abandoned: 0 })
    expect(noise).toEqual([])
  })
})
