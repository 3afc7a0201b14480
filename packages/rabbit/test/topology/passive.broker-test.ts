import { type IncomingNotification, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { notificationOf } from '../support/notification.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }

describe.skipIf(broker === undefined)('P16 - users who may not declare what is shared', () => {
  if (broker === undefined) return
  const vhost = unique('passive')
  const user = unique('limited')
  beforeAll(async () => {
    await broker.vhost(vhost)
    // It may declare what is its own: reply queues, and the queues of fanouts.
    await broker.control.addUser(user, 'secret', {
      vhost,
      configure: '^(reply_.*|.*_fanout_.*)$',
      write: '.*',
      read: '.*',
    })
  })
  afterAll(async () => {
    await broker.control.deleteUser(user)
    await broker.control.deleteVhost(vhost)
  })
  const url = () => broker.urlFor({ vhost, user, password: 'secret' })

  async function operatorMakes(topic: string): Promise<void> {
    const connection = await connect(broker?.urlFor({ vhost }).replace('rabbit://', 'amqp://') ?? '', { noDelay: true })
    const channel = await connection.createChannel()
    await channel.assertExchange('openstack', 'topic', { durable: false })
    await channel.assertExchange(`${topic}_fanout`, 'fanout', { durable: false })
    for (const name of [topic, `${topic}.a`, `${topic}.info`]) {
      await channel.assertQueue(name, { durable: false })
      await channel.bindQueue(name, 'openstack', name)
    }
    await connection.close()
  }

  it.each(['passive', 'none'] as const)(
    'P16 - %s: calls, casts, fanout and notifications work with what an operator has made',
    async (mode) => {
      const topic = unique('t')
      await operatorMakes(topic)
      const driver = openReal(url(), { settings: { sharedExchanges: mode, sharedQueues: mode } })
      const target = new Target({ topic })
      const seen: string[] = []
      const listener = await driver.listen(
        target.with({ server: 'a' }),
        listenOptions<IncomingRequest>((incoming) => {
          seen.push(String(incoming.message['method']))
          echo(incoming)
        }),
      )
      expect(await driver.send(target, request, callOptions())).toEqual({ result: 1, failure: null })
      await driver.send(target.with({ fanout: true }), request, castOptions())
      const got: IncomingNotification[] = []
      await driver.sendNotification(new Target({ topic: `${topic}.info` }), notificationOf(1), {
        version: '2.0',
        deadline: castOptions().deadline,
        retries: null,
      })
      const bus = await driver.listenForNotifications(
        [{ target, priority: 'info' }],
        listenOptions<IncomingNotification>((notification) => (got.push(notification), notification.acknowledge())),
      )
      await expect.poll(() => [seen.length, got.length], { timeout: 5000 }).toEqual([2, 1])
      await listener.close()
      await bus.close()
      await driver.close()
    },
  )

  it('P16 - declare: is refused at once, and the error names what may not be configured', async () => {
    const driver = openReal(url())
    const startedAt = performance.now()
    await expect(
      driver.listen(new Target({ topic: unique('t'), server: 'a' }), listenOptions<IncomingRequest>(echo)),
    ).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      message: expect.stringMatching(/access to exchange 'openstack'.*refused/) as string,
    })
    expect(performance.now() - startedAt).toBeLessThan(2000)
    await driver.close()
  })

  it('P16 - passive: what is missing is named', async () => {
    const driver = openReal(url(), { settings: { sharedExchanges: 'none', sharedQueues: 'passive' } })
    const topic = unique('missing')
    await expect(
      driver.listen(
        new Target({ topic, server: 'a' }),
        listenOptions<IncomingRequest>(echo, { deadline: callOptions({ timeoutMs: 500 }).deadline }),
      ),
    ).rejects.toMatchObject({ message: expect.stringContaining(`no queue '${topic}'`) as string })
    await driver.close()
  })
})
