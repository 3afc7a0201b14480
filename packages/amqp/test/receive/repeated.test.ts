import { expect, it } from 'vitest'
import { messageBytes } from '../support/odd-peer/message.ts'
import type { OddPeerOptions } from '../support/odd-peer/options.ts'
import { oddScene, serve } from '../support/scene.ts'

// A broker gives again what it had not heard the end of. Who has to know is told, as far as it can be known.

const scene = oddScene()
const call = (id: string): Buffer =>
  messageBytes({ messageId: id, replyTo: 'dynamic.nobody', body: '{"request": {"method": "m"}, "context": {}}' })
/** Shape: [durable, priority, ttl, first-acquirer]. */
const NOT_THE_FIRST = Buffer.from([0x00, 0x53, 0x70, 0xc0, 0x05, 0x04, 0x40, 0x40, 0x40, 0x42])

async function served(options: OddPeerOptions, address: string) {
  const peer = await scene.peer(options)
  const handled: unknown[] = []
  await serve(await scene.driver(peer), 't', (incoming) => {
    handled.push(incoming.redelivered)
    incoming.acknowledge()
  })
  return { peer, handled, put: (bytes: Buffer) => peer.nodes.put(address, bytes) }
}

it('a request whose acceptance was lost with the connection comes again, and is told as redelivered', async () => {
  const { peer, handled, put } = await served({}, 'unicast.openstack.t')
  peer.options.take = ({ name }) => name === 'disposition'
  put(call('one'))
  await peer.until(() => handled.length === 1)
  peer.options.take = undefined
  for (const connection of peer.connections) connection.reset()
  await peer.until(() => handled.length === 2)
  put(call('two'))
  await peer.until(() => handled.length === 3)
  expect(handled).toEqual([undefined, true, undefined])
})

it('a request that another server had before - RabbitMQ says so, and it is told as redelivered', async () => {
  const rabbit = { product: 'RabbitMQ', version: '4.3.6' }
  const { peer, handled, put } = await served(rabbit, '/queues/unicast.openstack.t')
  put(call('one'))
  put(Buffer.concat([NOT_THE_FIRST, call('two')]))
  await peer.until(() => handled.length === 2)
  expect(handled).toEqual([undefined, true])
})

it('a header that its sender has written so - is no word of a peer that leaves it as it is', async () => {
  const { peer, handled, put } = await served({}, 'unicast.openstack.t')
  put(Buffer.concat([NOT_THE_FIRST, call('one')]))
  await peer.until(() => handled.length === 1)
  expect(handled).toEqual([undefined])
})
