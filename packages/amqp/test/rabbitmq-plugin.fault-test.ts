import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type Driver, type IncomingNotification, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openDriver } from './support/open-driver.ts'

const broker = await skipOrFail(startBroker('rabbit', { version: '3.10', plugins: ['rabbitmq_amqp1_0'] }))

/** What the plugin of RabbitMQ 3.10 can do: it has no dynamic sources, no modified outcomes and no ttl of its own
 *  queues. */
describe.skipIf(broker === undefined)('amqp on the AMQP 1.0 plugin of RabbitMQ 3.10', () => {
  if (broker === undefined) return
  const drivers: Driver[] = []
  afterAll(async () => {
    await Promise.all(drivers.map((driver) => driver.close()))
    await broker.close()
  })
  const open = async (): Promise<Driver> => {
    const driver = await openDriver(broker.url.replace(/^rabbit/, 'amqp'))
    drivers.push(driver)
    return driver
  }
  const within = (ms = 10_000): Deadline => Deadline.after(ms)
  const request = { context: {}, message: { method: 'm', args: {} } }
  const options = { callMonitorTimeoutMs: null, retries: null, atLeastOnce: false, expiresInMs: 10_000 }

  it('call, server call, cast and fanout', async () => {
    const heard: string[] = []
    for (const server of ['a', 'b']) {
      const driver = await open()
      await driver.listen(new Target({ topic: 't', server }), {
        deadline: within(),
        prefetch: 10,
        onMessage(incoming) {
          incoming.acknowledge()
          heard.push(server)
          void incoming.reply({ result: server, failure: null })
        },
      })
    }
    const client = await open()
    const call = (target: Target): Promise<unknown> =>
      client.send(target, request, { ...options, waitForReply: true, deadline: within() })
    expect(await call(new Target({ topic: 't', server: 'b' }))).toEqual({ result: 'b', failure: null })
    expect(await call(new Target({ topic: 't' }))).toMatchObject({ failure: null })
    heard.length = 0
    const fanout = new Target({ topic: 't', fanout: true })
    await client.send(fanout, request, { ...options, expiresInMs: null, waitForReply: false, deadline: within() })
    await expect.poll(() => heard.toSorted(), { timeout: 5_000 }).toEqual(['a', 'b'])
  })

  it('notifications wait for a listener, and what is handed back comes again', async () => {
    const driver = await open()
    const message = {
      message_id: 'm',
      publisher_id: 'p',
      event_type: 'e',
      priority: 'INFO',
      payload: 1,
      timestamp: 't',
    }
    const target = new Target({ topic: 'n.info' })
    await driver.sendNotification(target, { context: {}, message }, { version: '2.0', deadline: within(), retries: 0 })
    const got: IncomingNotification[] = []
    await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], {
      deadline: within(),
      prefetch: 10,
      pool: null,
      allowRequeue: true,
      onMessage(incoming) {
        got.push(incoming)
        if (got.length === 1) incoming.requeue()
        else incoming.acknowledge()
      },
    })
    await expect.poll(() => got.length, { timeout: 5_000 }).toBe(2)
  })
})
