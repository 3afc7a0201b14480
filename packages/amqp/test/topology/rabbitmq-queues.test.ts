import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { OddPeer } from '../support/odd-peer.ts'
import { ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

const scene = oddScene()
const T = new Target({ topic: 't' })

/** Names of the queues that were declared and begin so. */
const queues = (peer: OddPeer, prefix: string): Set<string> =>
  new Set(peer.declared.filter((request) => request.startsWith(`PUT /queues/${prefix}`)))

describe.each(['4.0.5', '4.3.6'])('queues of RabbitMQ %s', (version) => {
  it(
    '600 calls at once, answered 300 in one turn - a broker that drops what has no credit drops no reply',
    { timeout: 40_000 },
    async () => {
      const keepsNothing = (address: string): boolean => address.startsWith('dynamic.')
      const peer = await scene.peer({ product: 'RabbitMQ', version, keepsNothing })
      const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
      const held: (() => unknown)[] = []
      await serve(server, 't', (incoming) => {
        incoming.acknowledge()
        held.push(() => incoming.reply(pong))
        if (held.length === 300) for (const reply of held.splice(0)) void reply()
      })
      const calls = Array.from({ length: 600 }, () => ending(client.send(T, request, within(30_000))))
      const lost = (await Promise.all(calls)).filter((end) => end instanceof Error)
      expect(lost.length).toBe(0)
    },
  )

  it('a server whose session the peer ends five times has one queue for its fanout', async () => {
    const peer = await scene.peer({ product: 'RabbitMQ', version })
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    for (let round = 0; round < 5; round += 1) {
      const [link] = peer.links('/queues/unicast.openstack.t').filter((each) => !each.isIncoming)
      link?.session.end({ condition: 'amqp:internal-error', description: 'by the test' })
      await peer.until(() => peer.nodes.consumers('/queues/unicast.openstack.t') === 0)
      await peer.until(() => peer.nodes.consumers('/queues/unicast.openstack.t') === 1)
      expect(await client.send(T, request, within(5_000))).toEqual(pong)
    }
    expect(queues(peer, 'broadcast').size).toBe(1)
  })

  it('a client whose link for replies is closed five times has one queue for them on its connection', async () => {
    const peer = await scene.peer({ product: 'RabbitMQ', version })
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    for (let round = 0; round < 5; round += 1) {
      await expect.poll(() => ending(client.send(T, request, within(5_000)))).toEqual(pong)
      const requests = peer.nodes.received.filter(({ message }) => message.replyTo !== undefined)
      const [link] = peer.links(requests.at(-1)?.message.replyTo ?? '').filter((each) => !each.isIncoming)
      expect(link).toBeDefined()
      link?.detach({ condition: 'amqp:resource-deleted' })
    }
    expect(queues(peer, 'reply_').size).toBe(1)
  })
})
