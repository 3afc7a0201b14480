import { randomUUID } from 'node:crypto'

import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { describe, expect, it } from 'vitest'

import { Peer } from './support/peer.ts'

const python = await skipOrFail(pythonWithLibrary())
const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))

/** If these fail, it is the room or the peers that are broken, not our side of the wire. */
describe.skipIf(python === undefined || rabbit === undefined).concurrent('Python to Python over RabbitMQ', () => {
  it('answers a call', async () => {
    const url = (await rabbit?.vhost()) ?? ''
    await using server = await Peer.start('rpc_server', url)
    await using client = await Peer.start('rpc_client', url, ['--timeout', '10'])
    client.send({ id: 1, method: 'echo', args: { a: [1, 'ü', null] } })
    await expect(client.answer(1)).resolves.toMatchObject({ event: 'result', value: { a: [1, 'ü', null] } })
    await expect(server.next('request', { method: 'echo' })).resolves.toMatchObject({ args: { a: [1, 'ü', null] } })
    await client.stop()
    await server.stop()
  })
})

describe.skipIf(python === undefined || kafka === undefined).concurrent('Python to Python over Kafka', () => {
  it('delivers a notification', async () => {
    const topic = `peers-${randomUUID().slice(0, 8)}`
    await kafka?.createTopics([`${topic}.info`])
    const group = ['--set', `oslo_messaging_kafka.consumer_group=${topic}`]
    const url = kafka?.url ?? ''
    await using listener = await Peer.start('listener', url, ['--topics', topic, '--priorities', 'info', ...group])
    await using notifier = await Peer.start('notifier', url, ['--topics', topic])
    notifier.send({ id: 1, priority: 'info', event_type: 'demo.event', payload: { a: 1 } })
    await notifier.answer(1)
    await expect(listener.next('notification')).resolves.toMatchObject({ event_type: 'demo.event', payload: { a: 1 } })
    await notifier.stop()
    await listener.stop()
  })
})
