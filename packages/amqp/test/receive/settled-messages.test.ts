import { createDeferred, Deadline, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { createDriverRegistry, getRpcServer, getRpcTransport, loadConfig } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { amqpDriver } from '../../src/index.ts'
import { messageBytes } from '../support/odd-peer/message.ts'
import { oddScene } from '../support/scene.ts'

// What its sender has settled the peer has forgotten: it cannot be handed back, so a server that stops in good order
// handles it.

const scene = oddScene()
const ADDRESSES = ['unicast', 'exclusive', 'broadcast'].map((kind) => `${kind}.openstack.t`)
const request = (n: number): Buffer =>
  messageBytes({ body: JSON.stringify({ request: { method: 'm', args: { n } }, context: {} }) })

describe('casts that came settled', () => {
  it('eight of them, for a listener that takes four at a time and is stopped - it is given all eight before it has stopped', async () => {
    const peer = await scene.peer()
    const driver = await scene.driver(peer)
    const given: IncomingRequest[] = []
    const listener = await driver.listen(new Target({ topic: 't', server: 's' }), {
      deadline: Deadline.after(5_000),
      prefetch: 4,
      onMessage: (incoming) => given.push(incoming),
    })
    const links = peer.connections.flatMap((connection) => ADDRESSES.flatMap((prefix) => linksOf(connection, prefix)))
    for (let n = 0; n < 8; n += 1) links[n % links.length]?.deliver(request(n), { settled: true })
    await expect.poll(() => given.length).toBe(4)
    // Two more are on their way while it stops.
    const stopped = listener.stop()
    for (let n = 8; n < 10; n += 1) links[0]?.deliver(request(n), { settled: true })
    await stopped
    expect(given).toHaveLength(10)
    for (const each of given) each.acknowledge()
    await listener.close()
    expect(given.every(({ isSettled }) => isSettled)).toBe(true)
  })

  it('an RPC server that is stopped and waited for runs the method of each', async () => {
    const peer = await scene.peer()
    const registry = createDriverRegistry({ drivers: [amqpDriver], discover: false })
    const transport = await getRpcTransport(await loadConfig(), { url: `amqp://127.0.0.1:${peer.port}/`, registry })
    const handled: number[] = []
    const [first, held] = [createDeferred<void>(), createDeferred<void>()]
    const endpoint = {
      async m(_context: unknown, { n }: { readonly n: number }) {
        first.resolve()
        await held.promise
        handled.push(n)
      },
    }
    const server = getRpcServer(transport, new Target({ topic: 't', server: 's' }), [endpoint], { workers: 1 })
    try {
      await server.start()
      const links = peer.connections.flatMap((connection) => ADDRESSES.flatMap((prefix) => linksOf(connection, prefix)))
      links[0]?.deliver(request(0), { settled: true })
      await first.promise
      for (let n = 1; n < 8; n += 1) links[n % links.length]?.deliver(request(n), { settled: true })
      await server.stop()
      held.resolve()
      await server.wait()
      expect(handled.toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    } finally {
      held.resolve()
      await transport.close()
    }
  })
})

type Connection = Awaited<ReturnType<typeof scene.peer>>['connections'][number]
const linksOf = (connection: Connection, prefix: string) =>
  [...connection.sessions.values()].flatMap(({ links }) =>
    [...links.values()].filter(({ address, isIncoming }) => !isIncoming && address.startsWith(prefix)),
  )
