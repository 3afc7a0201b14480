import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getNotificationListener, getNotificationTransport, Notifier } from '@oslo-messaging/core'
import { createMemoryDriver, createRecorder } from '@oslo-messaging/core/testing'

await test('what was ordered is announced, and reaches the listener', async () => {
  const recorder = createRecorder()
  const driver = createMemoryDriver({ recorder })
  const bus = await getNotificationTransport({ url: 'memory://', registry: { resolve: async () => driver } })
  /** @type {unknown[]} */
  const heard = []
  const listener = getNotificationListener(
    bus,
    [{ topic: 'notifications' }],
    [{ info: (_context, _publisher, event, payload) => void heard.push([event, payload]) }],
  )
  await listener.start()

  const notifier = new Notifier(bus, { publisherId: 'shop.node1', driver: 'messagingv2' })
  await notifier.info(null, 'order.created', { id: 42 })

  await bus.close() // the listener finishes what it has before it ends
  assert.deepEqual(heard, [['order.created', { id: 42 }]])
  assert.equal(recorder.notifications({ eventType: 'order.created' }).length, 1)
})
