import { Deadline, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { OddPeer } from '../support/odd-peer.ts'
import { cast, ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

const scene = oddScene()

/** As RabbitMQ 4: a node is there once somebody has declared it. */
async function rabbitPeer(): Promise<OddPeer> {
  const peer: OddPeer = await scene.peer({
    product: 'RabbitMQ',
    version: '4.0.5',
    refuse: (address) =>
      /^\/(queues|exchanges)\//.test(address) && !peer.declared.includes(`PUT ${address}`)
        ? { condition: 'amqp:not-found', description: `no ${address}` }
        : undefined,
  })
  return peer
}
const topic = (n: number): Target => new Target({ topic: `t${n}` })

describe('declarations on RabbitMQ', () => {
  it('40 first casts begun on a connection that is cut - each declares on the next one, and all are stored', async () => {
    const peer = await rabbitPeer()
    const driver = await scene.driver(peer)
    await driver.send(topic(0), request, cast(5_000))
    await peer.until(() => peer.nodes.received.length === 1)
    const casts = Array.from({ length: 40 }, (_each, n) => ending(driver.send(topic(n + 1), request, cast(5_000))))
    peer.connections[0]?.reset()
    expect(await Promise.all(casts)).toEqual(casts.map(() => undefined))
    await peer.until(() => peer.nodes.received.length === 41)
    expect(peer.violations).toEqual([])
  })

  it('10 first notifications across a cut - declared again and stored', async () => {
    const peer = await rabbitPeer()
    const driver = await scene.driver(peer)
    await driver.send(topic(0), request, cast(5_000))
    const all = Array.from({ length: 10 }, (_each, n) =>
      ending(
        driver.sendNotification(
          new Target({ topic: `n${n}.info` }),
          { context: {}, message: {} as never },
          { version: '2.0', retries: null, deadline: Deadline.after(5_000) },
        ),
      ),
    )
    peer.connections[0]?.reset()
    expect(await Promise.all(all)).toEqual(all.map(() => undefined))
  })

  it('first calls across a cut to a peer of another kind - they go to the addresses of the peer that takes them', async () => {
    const peer = await scene.peer({ product: 'RabbitMQ', version: '4.0.5' })
    const driver = await scene.driver(peer)
    const server = await scene.driver(peer)
    await driver.send(topic(0), request, cast(5_000))
    peer.options.take = ({ name }) => name === 'attach'
    const call = ending(driver.send(new Target({ topic: 'moved' }), request, within(8_000)))
    await peer.until(() => peer.connections.length === 1 && peer.declared.length >= 1)
    Object.assign(peer.options, { product: 'qpid-cpp', take: undefined })
    for (const connection of peer.connections) connection.reset()
    await serve(server, 'moved')
    expect(await call).toEqual(pong)
    expect(peer.nodes.received.at(-2)?.address).toBe('unicast.openstack.moved')
  })
})
