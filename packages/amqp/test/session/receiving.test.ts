import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Deadline, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAmqpDriver } from '../../src/definition.ts'
import { BAD_MESSAGES, messageBytes } from '../support/odd-peer/message.ts'
import type { OddPeer } from '../support/odd-peer.ts'
import { openDriver } from '../support/open-driver.ts'
import { oddScene, pong, request, serve, within } from '../support/scene.ts'

// What comes in is bytes until it was looked at: whatever a message is, the next one is handled.

const scene = oddScene()
const ADDRESS = 'unicast.openstack.t'
const good = (n = 0): Buffer =>
  messageBytes({ body: `{"request": {"method": "m", "args": {"n": ${n}}}, "context": {}}` })

let dropped: { readonly reason: string }[]
const onDropped = (event: unknown): void => void dropped.push(event as { readonly reason: string })
beforeEach(() => {
  dropped = []
  subscribe('oslo-messaging:message-dropped', onDropped)
})
afterEach(() => void unsubscribe('oslo-messaging:message-dropped', onDropped))

async function served(peer: OddPeer, handled: IncomingRequest[], prefetch = 10): Promise<void> {
  const server = await scene.driver(peer)
  await serve(
    server,
    't',
    (incoming) => {
      handled.push(incoming)
      incoming.acknowledge()
    },
    prefetch,
  )
}
const openedAt = (peer: OddPeer): number => peer.accepted

describe('a message that cannot be read', () => {
  it.each(Object.entries(BAD_MESSAGES))(
    '%s - is rejected and reported, and the next one is handled',
    async (_n, bad) => {
      const peer = await scene.peer()
      const handled: IncomingRequest[] = []
      await served(peer, handled)
      const connections = openedAt(peer)
      peer.nodes.put(ADDRESS, bad)
      peer.nodes.put(ADDRESS, good())
      await peer.until(() => handled.length === 1)
      await peer.until(() => peer.nodes.outcomes.length === 2)
      expect(peer.nodes.outcomes.map(({ type }) => type).toSorted()).toEqual(['accepted', 'rejected'])
      expect(dropped.map(({ reason }) => reason)).toEqual(['unreadable'])
      expect(openedAt(peer)).toBe(connections)
    },
  )

  it.each(Object.entries(BAD_MESSAGES))('%s - as a reply ends nothing but itself', async (_name, bad) => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    expect(await client.send(new Target({ topic: 't' }), request, within(5_000))).toEqual(pong)
    const [reply] = peer.connections.flatMap(({ sessions }) =>
      [...sessions.values()].flatMap(({ links }) =>
        [...links.values()].filter(({ address }) => address.startsWith('dynamic')),
      ),
    )
    const connections = openedAt(peer)
    reply?.deliver(bad)
    expect(await client.send(new Target({ topic: 't' }), request, within(5_000))).toEqual(pong)
    expect(openedAt(peer)).toBe(connections)
  })

  it('larger than was announced - is rejected without being kept, and the next one is handled', async () => {
    const peer = await scene.peer()
    const driver = await openDriver(
      `amqp://127.0.0.1:${peer.port}/`,
      { addressing_mode: 'legacy' },
      {},
      createAmqpDriver({ maxMessageBytes: 10_000 }),
    )
    try {
      const handled: IncomingRequest[] = []
      await driver.listen(new Target({ topic: 't', server: 's' }), {
        deadline: Deadline.after(5_000),
        prefetch: 5,
        onMessage: (incoming) => {
          handled.push(incoming)
          incoming.acknowledge()
        },
      })
      peer.nodes.put(ADDRESS, Buffer.concat([good(), Buffer.alloc(5_000_000)]))
      peer.nodes.put(ADDRESS, good())
      await peer.until(() => handled.length === 1)
      await peer.until(() => peer.nodes.outcomes.length === 2)
      expect(peer.nodes.outcomes.map(({ type }) => type).toSorted()).toEqual(['accepted', 'rejected'])
    } finally {
      await driver.close({ signal: AbortSignal.timeout(100) })
    }
  })
})

describe('transfers', () => {
  it('an aborted one is no message', async () => {
    const peer = await scene.peer()
    const handled: IncomingRequest[] = []
    await served(peer, handled)
    const [link] = peer.links(ADDRESS)
    link?.deliver(good(1), { frames: 3, aborted: true })
    link?.deliver(good(2), { frames: 3 })
    await peer.until(() => handled.length === 1)
    expect(handled[0]?.message.args).toEqual({ n: 2 })
    expect(dropped).toEqual([])
  })

  it('of two links that come in pieces in between each other - are two messages', async () => {
    const peer = await scene.peer()
    const handled: IncomingRequest[] = []
    await served(peer, handled)
    const [one] = peer.links(ADDRESS)
    const [other] = peer.links('exclusive.openstack.t.s')
    if (one === undefined || other === undefined) throw new Error('no links')
    const { session } = one
    const say = (handle: number, deliveryId: number, bytes: Buffer, more: boolean): void => {
      const fields = { handle, deliveryId, deliveryTag: Buffer.from([deliveryId]), messageFormat: 0 }
      session.say('transfer', { ...fields, more }, bytes)
      session.sent()
    }
    const [first, second] = [good(1), good(2)]
    say(one.handle, 0, first.subarray(0, 20), true)
    say(other.handle, 1, second.subarray(0, 30), true)
    say(one.handle, 0, first.subarray(20), false)
    say(other.handle, 1, second.subarray(30), false)
    await peer.until(() => handled.length === 2)
    expect(handled.map(({ message }) => message.args)).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('numbered beyond 2^32 - begin again at 0 and are settled by their numbers', async () => {
    const peer = await scene.peer({ firstDeliveryId: 2 ** 32 - 5, initialDeliveryCount: 2 ** 32 - 3 })
    const handled: IncomingRequest[] = []
    await served(peer, handled)
    for (let n = 0; n < 200; n += 1) peer.nodes.put(ADDRESS, good(n))
    await peer.until(() => handled.length === 200)
    await peer.until(() => peer.nodes.outcomes.length === 200)
    expect(new Set(peer.nodes.outcomes.map(({ type }) => type))).toEqual(new Set(['accepted']))
    expect(peer.violations).toEqual([])
  })
})

describe('junk instead of frames', () => {
  it.each([
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a frame of 1.2 GB', Buffer.from([0x48, 0, 0, 0, 2, 0, 0, 0, 0])],
    ['a frame that is shorter than its head', Buffer.from([0, 0, 0, 4, 2, 0, 0, 0])],
    ['zeros', Buffer.alloc(64)],
    [
      'a performative with an array of 2^32-1 nulls',
      Buffer.from([
        0, 0, 0, 25, 2, 0, 0, 0, 0x00, 0x53, 0x13, 0xc0, 12, 1, 0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40, 0,
      ]),
    ],
  ])('%s - the connection is given up at once, and another one serves', async (_name, junk) => {
    const peer = await scene.peer()
    const handled: IncomingRequest[] = []
    await served(peer, handled)
    const before = openedAt(peer)
    peer.connections[0]?.write(junk)
    await peer.until(() => openedAt(peer) > before)
    await peer.until(() => peer.nodes.consumers(ADDRESS) === 1)
    peer.nodes.put(ADDRESS, good())
    await peer.until(() => handled.length === 1)
  })
})
