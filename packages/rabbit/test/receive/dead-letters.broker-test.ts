import { createDeferred, failureFacts, type IncomingNotification, Target } from '@oslo-messaging/core/driver'
import { connect, type GetMessage } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { notificationOf } from '../support/notification.ts'
import { castOptions, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()

describe.skipIf(broker === undefined)('dead letters', () => {
  if (broker === undefined) return
  const { control } = broker
  const vhost = unique('dead')
  beforeAll(async () => void (await control.vhost(vhost)))
  afterAll(async () => await control.deleteVhost(vhost))

  /** Sends a notification with these headers to a listener that buries it for the error; gives what is in the
   *  dead-letter queue then. */
  async function buried(error: Error, headers: Record<string, string>): Promise<Record<string, unknown>> {
    const url = broker?.urlFor({ vhost }) ?? ''
    const driver = openReal(url)
    const topic = unique('t')
    const arrived = createDeferred<IncomingNotification>()
    const listener = await driver.listenForNotifications(
      [{ target: new Target({ topic }), priority: 'info' }],
      listenOptions<IncomingNotification>((notification) => arrived.resolve(notification)),
    )
    const options = { version: '2.0' as const, deadline: castOptions().deadline, retries: null }
    await driver.sendNotification(new Target({ topic: `${topic}.info` }), { ...notificationOf(1), headers }, options)
    const notification = await arrived.promise
    if (notification.bury === undefined) throw new Error('It cannot be buried')
    await notification.bury(failureFacts(2, error))
    const connection = await connect(url.replace('rabbit://', 'amqp://'), { noDelay: true })
    const channel = await connection.createChannel()
    const letter = (await channel.get(`${topic}.info.dead`, { noAck: true })) as GetMessage
    await connection.close()
    await listener.close()
    await driver.close()
    return letter.properties.headers ?? {}
  }

  it('keep a message whose error text has 70 000 characters, with the beginning of that text', async () => {
    const headers = await buried(new Error('x'.repeat(70_000)), { baggage: 'b' })
    expect(headers).toMatchObject({ baggage: 'b', 'x-oslo-attempts': '2' })
    expect(headers['x-oslo-reason']).toMatch(/^Error: x{4000}x*\.\.\.$/)
  })

  it('keep a message whose own headers leave no room for the reason', async () => {
    const baggage = 'b'.repeat(62_000)
    const headers = await buried(new Error('x'.repeat(70_000)), { baggage })
    expect(headers).toMatchObject({ baggage, 'x-oslo-attempts': '2' })
    expect(headers).not.toHaveProperty('x-oslo-reason')
  })

  it('keep a message whose own headers leave no room at all, without them', async () => {
    const headers = await buried(new Error('no'), { baggage: 'b'.repeat(65_400) })
    expect(headers).toMatchObject({ 'x-oslo-attempts': '2', 'x-oslo-reason': 'Error: no' })
    expect(headers).not.toHaveProperty('baggage')
  })
})
