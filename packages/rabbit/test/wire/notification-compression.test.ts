import { type IncomingNotification, Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { FakeBroker } from '../support/fake-broker.ts'
import { callOptions, castOptions, listenOptions, openDriver } from '../support/open-driver.ts'

const target = new Target({ topic: 'notifications' })
const notification = {
  context: { request_id: 'r' },
  message: {
    message_id: '5c2fbd4f-6ba8-4b55-a1b2-4b3d3c38fe70',
    publisher_id: 'p',
    event_type: 'e',
    priority: 'INFO',
    payload: 'x'.repeat(2000),
    timestamp: '2026-11-22 18:00:00.000000',
  },
  headers: { traceparent: '00-aa-bb-01' },
}

it.each([
  ['gzip', 'application/x-gzip'],
  ['bzip2', 'application/x-bz2'],
] as const)('N17 compression - a notification of kombu_compression = %s arrives as it was', async (codec, header) => {
  const broker = new FakeBroker()
  const sender = openDriver(broker, { options: { kombu_compression: codec } })
  const receiver = openDriver(broker)
  const arrived = new Promise<IncomingNotification>((resolve, reject) => {
    const options = listenOptions<IncomingNotification>(resolve)
    receiver.listenForNotifications([{ target, priority: 'info' }], options).catch(reject)
  })
  await sender.sendNotification(target.with({ topic: 'notifications.info' }), notification, {
    ...castOptions(),
    version: '2.0',
  })
  const incoming = await arrived
  expect(incoming.message).toEqual(notification.message)
  expect(incoming.headers).toEqual(notification.headers)
  const [published] = broker.sent('basic.publish')
  expect(published?.args['properties']).toMatchObject({ headers: { compression: header, ...notification.headers } })
  incoming.acknowledge()
  await sender.close()
  await receiver.close()
})

it('a header that would make the body unreadable is refused before anything is sent', async () => {
  const broker = new FakeBroker()
  const driver = openDriver(broker)
  const headers = { compression: 'gzip' }
  const target = new Target({ topic: 'demo' })
  const request = { context: {}, message: { method: 'm', args: {} }, headers }
  for (const sending of [
    driver.send(target, request, castOptions()),
    driver.send(target, request, callOptions()),
    driver.sendNotification(target, { ...notification, headers }, { ...castOptions(), version: '2.0' }),
  ])
    await expect(sending).rejects.toMatchObject({ code: 'OSLO_MESSAGING_SERIALIZATION' })
  expect(broker.sent('basic.publish')).toEqual([])
  await driver.close()
})
