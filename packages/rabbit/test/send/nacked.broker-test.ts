import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { connect } from 'amqplib'
import { beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { Arrivals, rejection, waitFor } from '../support/load.ts'
import { notificationOf } from '../support/notification.ts'
import { castOptions, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()

/** An exchange leads a message to several queues at once: one takes it, another is full, and the publisher of both
 *  hears one word. */
describe.skipIf(broker === undefined)('P05 - messages that one of several queues refuses (nack)', () => {
  if (broker === undefined) return
  const vhost = unique('nacked')
  beforeAll(async () => {
    await broker.control.vhost(vhost)
  })

  const amqp = async () => await connect(broker.urlFor({ vhost }).replace('rabbit://', 'amqp://'), { noDelay: true })

  /** A second queue for what is sent to the exchange under that key; it takes nothing. */
  async function bindFullQueue(exchange: string, key: string): Promise<void> {
    const connection = await amqp()
    const channel = await connection.createChannel()
    const queue = unique('full')
    await channel.assertQueue(queue, { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } })
    await channel.bindQueue(queue, exchange, key)
    await connection.close()
  }

  it('P05 - RabbitMQ itself refuses what it delivers: shown with amqplib alone', async () => {
    const connection = await amqp()
    const channel = await connection.createConfirmChannel()
    const exchange = unique('exchange')
    const queue = unique('queue')
    await channel.assertExchange(exchange, 'topic')
    await channel.assertQueue(queue)
    await channel.bindQueue(queue, exchange, 'key')
    await bindFullQueue(exchange, 'key')
    const delivered: string[] = []
    await channel.consume(queue, (message) => delivered.push(String(message?.content)), { noAck: true })
    const error = await new Promise<Error | null>((resolve) => {
      channel.publish(exchange, 'key', Buffer.from('twice'), {}, (refusal: Error | null) => resolve(refusal))
    })
    expect(error?.message).toBe('message nacked')
    await waitFor('the refused message', () => delivered.length > 0, 5000)
    await connection.close()
  })

  it('P05 - a cast that was refused and ran nevertheless is not said to be unsent', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const topic = unique('topic')
    const arrivals = new Arrivals()
    await driver.listen(new Target({ topic, server: 'a' }), listenOptions<IncomingRequest>(arrivals.onMessage))
    await bindFullQueue('openstack', topic)
    const request = { context: {}, message: { method: 'm', args: { n: 7 } } }
    const error = await rejection(driver.send(new Target({ topic }), request, castOptions({ retries: 0 })))
    await waitFor('the refused cast', () => arrivals.numbers.length > 0, 5000)
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', delivery: 'unknown' })
    expect(arrivals.numbers).toEqual([7])
    await driver.close()
  })

  it('P05 - a notification that is refused until its deadline may be in a queue, and says so', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const topic = unique('topic')
    const target = new Target({ topic: `${topic}.info` })
    const notify = (timeoutMs: number) => ({
      version: '2.0' as const,
      deadline: castOptions({ timeoutMs }).deadline,
      retries: null,
    })
    await driver.sendNotification(target, notificationOf(1), notify(5000))
    await bindFullQueue('openstack', `${topic}.info`)
    const error = await rejection(driver.sendNotification(target, notificationOf(2), notify(1000)))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'unknown' })
    expect((await broker.control.queue(`${topic}.info`, vhost))?.messages).toBeGreaterThan(1)
    await driver.close()
  })
})
