import { randomUUID } from 'node:crypto'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { expect, it } from 'vitest'
import { runReadme } from './support/readme.ts'

const broker = await skipOrFail(sharedBroker('rabbit'))

it.runIf(broker)('the programs of the README do on RabbitMQ what they do in process', async () => {
  // A virtual host of its own: other tests of the shared broker make the same exchange durable.
  const vhost = `readme-${randomUUID()}`
  await broker?.control.vhost(vhost)
  const url = String(broker?.urlFor({ vhost }))
  expect(await runReadme('A server and a client', url)).toBe('5\n')
  const printed = await runReadme('A whole service', url, 'instance.created')
  expect(printed).toContain('compute.node1 instance.created { id: 42 }')
})
