import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type Driver, type IncomingNotification, Target, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { natsDriver } from '../../src/index.ts'

const broker = await skipOrFail(startBroker('nats'))
afterAll(() => broker?.close())

const context = () => createDriverContext(natsDriver, { defaultExchange: 'openstack' })
const soon = () => ({ deadline: Deadline.after(10_000), management: null })

async function open(url: string): Promise<Driver> {
  const driver = await natsDriver.open(TransportURL.parse(url), context())
  onTestFinished(() => driver.close({ signal: AbortSignal.timeout(100) }))
  return driver
}

/** A pool of a topic, and what it got and has not settled: as much as it may hold. */
async function fullPool(url: string, topic: string, sender: Driver): Promise<IncomingNotification> {
  const driver = await open(url)
  let take = (_notification: IncomingNotification): void => {}
  const taken = new Promise<IncomingNotification>((resolve) => (take = resolve))
  const sources = [{ target: new Target({ topic }), priority: 'info' }]
  await driver.listenForNotifications(sources, {
    ...soon(),
    prefetch: 1,
    pool: topic,
    allowRequeue: false,
    onMessage: take,
  })
  const message = {
    message_id: topic,
    publisher_id: 'test',
    event_type: 'event',
    priority: 'INFO',
    payload: {},
    timestamp: '2026-01-02 03:04:05.000006',
  }
  for (let n = 0; n < 3; n += 1)
    await sender.sendNotification(
      new Target({ topic: `${topic}.info` }),
      { context: {}, message },
      { version: '2.0', retries: null, ...soon() },
    )
  return await taken
}

describe.skipIf(broker === undefined)('who reads a pool', () => {
  it('a listener that has all it may hold keeps its pool', async () => {
    const admin = await natsDriver.administer!(TransportURL.parse(broker!.url), context())
    onTestFinished(() => admin.close())
    const held = await fullPool(broker!.url, 'full', await open(broker!.url))
    const pool = async () =>
      (await admin.queues!(soon())).find(({ name }) => name === 'openstack~full=2Einfo~pool~full')
    expect(await pool()).toMatchObject({ messages: 3, consumers: 1, orphan: false })
    await expect(admin.removePool!({ pool: 'full', ...soon() })).rejects.toThrow('is being read')
    expect(held.signal?.aborted).toBe(false)
    expect(await pool()).toMatchObject({ messages: 3 })
  })

  it('a pool whose process has died is an orphan, whatever the dead one had taken, and can be removed', async () => {
    const admin = await natsDriver.administer!(TransportURL.parse(broker!.url), context())
    onTestFinished(() => admin.close())
    const proxy = await broker!.proxy()
    await fullPool(broker!.urlFor({ via: [proxy] }), 'died', await open(broker!.url))
    await proxy.refuse()
    await expect
      .poll(async () => (await admin.queues!(soon())).find(({ name }) => name === 'openstack~died=2Einfo~pool~died'))
      .toMatchObject({ messages: 3, consumers: 0, orphan: true })
    expect(await admin.removePool!({ pool: 'died', ...soon() })).toBe(true)
  })
})
