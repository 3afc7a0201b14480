import { type IncomingNotification, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, unique } from './support/broker.ts'
import { deprecatedFeaturesInUse, WITHOUT_TRANSIENT_QUEUES } from './support/deprecated.ts'
import { notificationOf } from './support/notification.ts'
import { callOptions, castOptions, echo, listenOptions } from './support/open-driver.ts'
import { ownRabbit } from './support/own-broker.ts'
import { refusals } from './support/refusals.ts'

/** The everyday runs of everything else are on 3.10.8; this one knows what 4.x refuses. 4.3.6 has the longer run. */
const version = '4.0.5'
const [stock, strict] = await Promise.all([
  ownRabbit({ version }),
  ownRabbit({ version, config: WITHOUT_TRANSIENT_QUEUES }),
])

describe.skipIf(stock === undefined)(`RabbitMQ ${version} as it comes`, () => {
  if (stock === undefined) return
  afterAll(async () => await stock.close())

  it.each([
    { name: 'the defaults', options: {} },
    { name: 'quorum queues', options: { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true } },
    {
      name: 'stream fanout',
      options: {
        rabbit_quorum_queue: true,
        rabbit_transient_quorum_queue: true,
        rabbit_stream_fanout: true,
        rabbit_qos_prefetch_count: 10,
      },
    },
  ])('P04 - calls, casts, fanout, notifications and their redelivery work with $name', async ({ options }) => {
    const url = await stock.vhost()
    const [client, server] = [openReal(url, { options }), openReal(url, { options })]
    const topic = unique('t')
    const target = new Target({ topic })
    const seen: string[] = []
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        seen.push(String(incoming.message['method']))
        echo(incoming)
      }),
    )
    const request = (method: string) => ({ context: {}, message: { method, args: { n: 1 } } })
    expect(await client.send(target, request('call'), callOptions())).toEqual({ result: 1, failure: null })
    await client.send(target.with({ server: 'a' }), request('cast'), castOptions({ atLeastOnce: true }))
    await client.send(target.with({ fanout: true }), request('fanout'), castOptions())
    await expect.poll(() => seen.toSorted(), { timeout: 5000 }).toEqual(['call', 'cast', 'fanout'])
    await expect(
      client.send(target.with({ topic: unique('nobody') }), request('cast'), castOptions({ atLeastOnce: true })),
    ).rejects.toMatchObject({ code: 'OSLO_MESSAGING_UNDELIVERABLE' })

    const got: IncomingNotification[] = []
    const bus = await server.listenForNotifications(
      [{ target, priority: 'info' }],
      listenOptions<IncomingNotification>((notification) => {
        got.push(notification)
        if (got.length === 1) notification.requeue()
        else notification.acknowledge()
      }),
    )
    await client.sendNotification(new Target({ topic: `${topic}.info` }), notificationOf(1), {
      version: '2.0',
      deadline: castOptions().deadline,
      retries: null,
    })
    await expect.poll(() => got.map(({ redelivered }) => redelivered), { timeout: 5000 }).toEqual([false, true])
    for (const each of [listener, bus, client, server]) await each.close()
  })

  it('P01 - a deleted queue and lost connections: consumption resumes', async () => {
    const vhost = unique('v')
    const url = await stock.vhost(vhost)
    const driver = openReal(url, { settings: { watchdogIntervalMs: 1000 } })
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const call = async () =>
      await driver.send(target, { context: {}, message: { method: 'm', args: { n: 1 } } }, callOptions())
    await call()
    await stock.control.deleteQueue(target.topic ?? '', vhost)
    await expect.poll(() => driver.health().status, { interval: 1 }).toBe('degraded')
    await expect.poll(() => driver.health().status, { timeout: 5000 }).toBe('ok')
    await call()
    const connectedAt = (): readonly number[] =>
      driver.health().components.flatMap(({ kind, sinceMs }) => (kind === 'connection' ? [sinceMs] : []))
    const before = connectedAt()
    await stock.control.dropAllConnections({ vhost })
    // A call that is sent before the loss is heard of may be lost with its connection, and says so.
    const isHeard = (): boolean => connectedAt().every((since, index) => since !== before[index])
    await expect.poll(isHeard, { timeout: 5000, interval: 1 }).toBe(true)
    expect(await call()).toEqual({ result: 1, failure: null })
    await listener.close()
    await driver.close()
  })

  it('P04 - the defaults do use what 4.x calls deprecated', async () => {
    expect(await deprecatedFeaturesInUse(stock.control)).toContain('transient_nonexcl_queues')
  })
})

describe.skipIf(strict === undefined)(`P04 - RabbitMQ ${version} that refuses transient queues`, () => {
  if (strict === undefined) return
  afterAll(async () => await strict.close())
  refusals(strict, 1500)
})
