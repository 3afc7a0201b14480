import type { RabbitBroker } from '@oslo-messaging/brokers'
import { ConfigurationError, Deadline, type IncomingRequest, Target, TransportURL } from '@oslo-messaging/core/driver'
import { connect } from 'amqplib'
import { expect, it } from 'vitest'
import { openReal, unique } from './broker.ts'
import { countingClient } from './counting-client.ts'
import { DURABLE_PROFILE, deprecatedFeaturesInUse, QUORUM_PROFILE } from './deprecated.ts'
import { notificationOf } from './notification.ts'
import { callOptions, castOptions, echo, listenOptions, openDriver } from './open-driver.ts'

const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }
const notification = notificationOf(1)

/** What a RabbitMQ that refuses transient queues does to the driver, and what the profiles without them do to it.
 *  `watchMs`: how long nothing may be tried again. */
export function refusals(broker: RabbitBroker, watchMs: number): void {
  const attempts = [
    {
      who: 'a server',
      connections: 1,
      attempt: async (driver: ReturnType<typeof openReal>) =>
        await driver.listen(new Target({ topic: unique('t'), server: 'a' }), listenOptions<IncomingRequest>(echo)),
    },
    {
      who: 'a call (its reply queue)',
      // It opens the one to publish on at the same time.
      connections: 2,
      attempt: async (driver: ReturnType<typeof openReal>) =>
        await driver.send(new Target({ topic: unique('t') }), request, callOptions({ timeoutMs: 20_000 })),
    },
    {
      who: 'a notification (the queue that keeps it)',
      connections: 1,
      attempt: async (driver: ReturnType<typeof openReal>) =>
        await driver.sendNotification(new Target({ topic: `${unique('t')}.info` }), notification, {
          version: '2.0',
          deadline: Deadline.after(20_000),
          retries: null,
        }),
    },
    {
      who: 'a notification listener',
      connections: 1,
      attempt: async (driver: ReturnType<typeof openReal>) =>
        await driver.listenForNotifications(
          [{ target: new Target({ topic: unique('t') }), priority: 'info' }],
          listenOptions(() => {}),
        ),
    },
  ]

  it.each(attempts)(
    'P04 - $who with the defaults is refused at once, with the options to set, and nothing is tried again',
    async ({ attempt, connections }) => {
      const client = countingClient()
      const driver = openDriver(client, { url: TransportURL.parse(await broker.vhost()) })
      const startedAt = performance.now()
      const error: unknown = await attempt(driver).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(performance.now() - startedAt).toBeLessThan(2000)
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ retryable: false })
      const { message } = error as ConfigurationError
      expect(message).toContain('transient_nonexcl_queues')
      expect(message).toContain('rabbit_transient_quorum_queue = true')
      expect(message).toContain('amqp_durable_queues = true')
      const { declared, connectedAt } = client.counts
      const before = new Map(declared)
      expect([...before.values()].every((count) => count === 1)).toBe(true)
      await new Promise((resolve) => setTimeout(resolve, watchMs))
      expect(declared).toEqual(before)
      // 541 closes the whole connection, which comes back for whoever else uses it: once.
      expect(connectedAt.length).toBeLessThanOrEqual(connections + 1)
      await driver.close()
    },
  )

  it('P04 - durable shared queues alone do not help a server: its fanout queue is refused, and the text says which option is missing', async () => {
    const driver = openReal(await broker.vhost(), { options: { amqp_durable_queues: true } })
    const attempt = driver.listen(new Target({ topic: unique('t'), server: 'a' }), listenOptions<IncomingRequest>(echo))
    await expect(attempt).rejects.toThrow(/rabbit_transient_quorum_queue = true/)
    await driver.close()
  })

  it.each([
    { name: 'durable', options: DURABLE_PROFILE },
    { name: 'quorum', options: QUORUM_PROFILE },
  ])('P04 - the $name profile calls, casts, fans out and notifies, and uses no deprecated feature', async (profile) => {
    const url = await broker.vhost()
    const [client, server] = [openReal(url, profile), openReal(url, profile)]
    const topic = unique('t')
    const seen: string[] = []
    const listener = await server.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        seen.push(String(incoming.message['method']))
        echo(incoming)
      }),
    )
    const heard: unknown[] = []
    const bus = await server.listenForNotifications(
      [{ target: new Target({ topic }), priority: 'info' }],
      listenOptions((incoming) => {
        heard.push(incoming.message)
        incoming.acknowledge()
      }),
    )
    expect(await client.send(new Target({ topic }), request, callOptions())).toEqual({ result: 1, failure: null })
    await client.send(
      new Target({ topic, server: 'a' }),
      { context: {}, message: { method: 'cast', args: {} } },
      castOptions(),
    )
    await client.send(
      new Target({ topic, fanout: true }),
      { context: {}, message: { method: 'fanout', args: {} } },
      castOptions(),
    )
    await client.sendNotification(new Target({ topic: `${topic}.info` }), notification, {
      version: '2.0',
      deadline: Deadline.after(5000),
      retries: null,
    })
    await expect.poll(() => seen.toSorted()).toEqual(['cast', 'echo', 'fanout'])
    await expect.poll(() => heard).toHaveLength(1)
    expect(await deprecatedFeaturesInUse(broker.control)).toEqual([])
    await listener.close()
    await bus.close()
    await client.close()
    await server.close()
  })

  it('P16 - the exchange exists and is not durable: the error names it, not the options that are set already', async () => {
    const url = await broker.vhost()
    const connection = await connect(url.replace('rabbit://', 'amqp://'), { noDelay: true })
    await (await connection.createChannel()).assertExchange('openstack', 'topic', { durable: false })
    await connection.close()
    const driver = openReal(url, { options: DURABLE_PROFILE })
    const attempt = driver.listen(new Target({ topic: unique('t'), server: 'a' }), listenOptions<IncomingRequest>(echo))
    await expect(attempt).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      message: expect.stringMatching(
        /The exchange 'openstack' in virtual host .* exists with another 'durable', and the broker refuses[^]*Delete the exchange 'openstack'/,
      ) as string,
    })
    await driver.close()
  })
}
