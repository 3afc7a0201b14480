import { createDriverRegistry } from '@oslo-messaging/core'
import { expect, it } from 'vitest'
import { run } from '../../core/test/support/small-service.ts'
import { rabbitDriver } from '../src/index.ts'
import { rabbit, unique } from './support/broker.ts'

const broker = await rabbit()

it.runIf(broker)('a small service written from the README runs on RabbitMQ', async () => {
  const lines: string[] = []
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await run({ url: broker?.url, registry }, unique('orders'), (line) => lines.push(line))
  expect(lines.toSorted()).toEqual(['26 1970-01-01', 'orders.node1 order.placed {"item":"bolt"}'])
})
