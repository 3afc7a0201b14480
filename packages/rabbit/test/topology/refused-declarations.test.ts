import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { amqpError, FakeBroker } from '../support/fake-broker.ts'
import { notificationOf } from '../support/notification.ts'
import { castOptions, listenOptions, openDriver } from '../support/open-driver.ts'

const target = new Target({ topic: 'demo', server: 'a' })

describe('declarations the broker refuses', () => {
  it('P16 - a refused declaration fails the listener with the difference, and changes nothing', async () => {
    const broker = new FakeBroker()
    broker.onMethod = (method, { queue }) => {
      if (method === 'queue.declare' && queue === 'demo')
        throw amqpError(
          406,
          "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'demo' in vhost '/': received none but current is the value 'quorum' of type 'longstr'",
        )
    }
    const driver = openDriver(broker)
    const error = await driver
      .listen(
        target,
        listenOptions<IncomingRequest>(() => {}),
      )
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DRIVER', brokerCode: 406, retryable: false })
    expect((error as Error).message).toContain('rabbit_quorum_queue')
    expect(broker.sent('queue.delete')).toEqual([])
    expect(broker.sent('queue.declare').length).toBe(1)
    await driver.close()
  })

  it.each([
    {
      what: 'a broker that refuses transient queues',
      code: 541,
      text: 'INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.',
      why: /refuses queues that are as transient \(transient_nonexcl_queues\)/,
    },
    {
      what: 'a durable queue',
      code: 406,
      text: "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'demo' in vhost '/': received 'false' but current is 'true'",
      why: /but the queue on it is durable/,
    },
  ])(
    'P16 - an exchange that is not durable and $what: the error names the exchange and the field, not the options',
    async ({ code, text, why }) => {
      const broker = new FakeBroker()
      broker.onMethod = (method, { durable, exchange }) => {
        if (method === 'exchange.declare' && exchange === 'openstack' && durable === true)
          throw amqpError(
            406,
            "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'openstack' in vhost '/': received 'true' but current is 'false'",
          )
        if (method === 'queue.declare' && durable === false) throw amqpError(code, text)
      }
      const driver = openDriver(broker, { options: { amqp_durable_queues: true, rabbit_transient_quorum_queue: true } })
      const listening = driver.listen(
        target,
        listenOptions<IncomingRequest>(() => {}),
      )
      const storing = driver.sendNotification(new Target({ topic: 'notifications.info' }), notificationOf(1), {
        version: '2.0',
        deadline: castOptions().deadline,
        retries: null,
      })
      for (const outcome of await Promise.allSettled([listening, storing])) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'OSLO_MESSAGING_CONFIGURATION' } })
        const { message } = (outcome as PromiseRejectedResult).reason as Error
        expect(message).toMatch(why)
        expect(message).toContain("The exchange 'openstack' in virtual host '/' exists with another 'durable'")
        expect(message).toContain("Delete the exchange 'openstack'")
        expect(message).not.toContain('set rabbit_transient_quorum_queue')
      }
      await driver.close()
    },
  )

  it('P04 - a feature the broker no longer permits is fatal, names the option, and is not retried', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    broker.onMethod = (method, { queue }) => {
      if (method !== 'queue.declare' || !String(queue).includes('fanout')) return
      const reason = Object.assign(
        new Error(
          'Connection closed: 541 (INTERNAL-ERROR) with message "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated."',
        ),
        { code: 541 },
      )
      broker.open[0]?.drop(reason)
      throw reason
    }
    const error = await driver
      .listen(
        target,
        listenOptions<IncomingRequest>(() => {}),
      )
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      option: '[oslo_messaging_rabbit] rabbit_transient_quorum_queue',
    })
    expect(broker.sent('queue.declare').filter(({ args }) => String(args['queue']).includes('fanout')).length).toBe(1)
    await driver.close()
  })
})
