import { randomUUID } from 'node:crypto'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { expect, it } from 'vitest'
import { run } from './support/small-service.ts'

const broker = await skipOrFail(sharedBroker('rabbit'))

it.runIf(broker)('a small service written from the README runs on RabbitMQ', async () => {
  const lines: string[] = []
  // A virtual host of its own: other tests of the shared broker make the same exchange durable.
  const vhost = `small-${randomUUID()}`
  await broker?.control.vhost(vhost)
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await run({ url: broker?.urlFor({ vhost }), registry }, `orders-${randomUUID()}`, (line) => lines.push(line))
  expect(lines.toSorted()).toEqual(['26 1970-01-01', 'orders.node1 order.placed {"item":"bolt"}'])
})
