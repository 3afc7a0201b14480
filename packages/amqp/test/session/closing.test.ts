import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { Deadline, Target } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { cast, ending, oddScene, request, serve } from '../support/scene.ts'

const scene = oddScene()
let closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Between a client and a peer: what the client sends gets on with so many bytes a millisecond; 0: not at all. */
async function slowRoad(peerPort: number, bytesPerMs: () => number): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const peer = connect({ port: peerPort, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, peer]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    peer.pipe(client)
    client.on('data', (bytes: Buffer) => {
      client.pause()
      const goOn = (): void => {
        if (bytesPerMs() === 0) return void setTimeout(goOn, 20)
        peer.write(bytes)
        setTimeout(() => client.resume(), bytes.length / bytesPerMs())
      }
      goOn()
    })
    client.on('end', () => peer.end())
    client.on('close', () => peer.destroy())
    peer.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const kilobytes = (count: number): typeof request => ({
  context: {},
  message: { method: 'm', args: { text: 'x'.repeat(count * 1024) } },
})

describe('close', () => {
  it(
    'waits for a slow peer as long as it may: 500 casts that resolved have all arrived',
    { timeout: 40_000 },
    async () => {
      const peer = await scene.peer()
      let pace = 1e9
      const port = await slowRoad(peer.port, () => pace)
      const driver = await openDriver(`amqp://127.0.0.1:${port}/`, { addressing_mode: 'legacy' })
      await driver.send(new Target({ topic: 'a' }), request, cast(5_000))
      pace = 2_000
      const sent = kilobytes(10)
      await Promise.all(Array.from({ length: 500 }, () => driver.send(new Target({ topic: 'a' }), sent, cast(20_000))))
      await driver.close({ signal: AbortSignal.timeout(20_000) })
      expect(peer.nodes.received).toHaveLength(501)
    },
  )

  it('of a peer that reads nothing - ends with the patience, and says that casts may be lost', async () => {
    const peer = await scene.peer()
    let pace = 1e9
    const port = await slowRoad(peer.port, () => pace)
    const driver = await openDriver(`amqp://127.0.0.1:${port}/`, { addressing_mode: 'legacy' })
    const reported: unknown[] = []
    const onError = (event: unknown): void => void reported.push(event)
    subscribe('oslo-messaging:background-error', onError)
    try {
      await driver.send(new Target({ topic: 'a' }), request, cast(5_000))
      pace = 0
      await driver.send(new Target({ topic: 'a' }), request, cast(5_000))
      const startedAt = performance.now()
      await driver.close({ signal: AbortSignal.timeout(1_500) })
      expect(performance.now() - startedAt).toBeGreaterThan(1_400)
      expect(reported).toMatchObject([{ source: 'amqp close', error: { delivery: 'unknown' } }])
    } finally {
      unsubscribe('oslo-messaging:background-error', onError)
    }
  })

  it('without a patience - ends all the same when the peer owes every outcome', { timeout: 30_000 }, async () => {
    const peer = await scene.peer({ outcome: () => null })
    const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' })
    const notification = { context: {}, message: { event_type: 'e' } as never }
    const owed = ending(
      driver.sendNotification(new Target({ topic: 'n.info' }), notification, {
        version: '2.0',
        deadline: Deadline.after(25_000),
        retries: null,
      }),
    )
    await peer.until(() => peer.nodes.received.length === 1)
    const startedAt = performance.now()
    await driver.close()
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(await owed).toMatchObject({ delivery: 'unknown' })
  })
})

describe('a peer that falls silent', () => {
  it('is asked by TCP as well, after thirty seconds', async () => {
    const asked = vi.spyOn(Socket.prototype, 'setKeepAlive')
    const driver = await scene.driver(await scene.peer())
    await driver.send(new Target({ topic: 'a' }), request, cast(5_000))
    expect(asked.mock.calls).toContainEqual([true, 30_000])
  })

  it(
    'for as long as idle_timeout allows - the connection is given up then, and for that reason',
    { timeout: 20_000 },
    async () => {
      const peer = await scene.peer()
      const driver = await scene.driver(peer, { idle_timeout: 1 })
      await driver.send(new Target({ topic: 'a' }), request, cast(5_000))
      const reasons: unknown[] = []
      const onState = (event: unknown): void => {
        const { kind, state, error } = event as {
          readonly kind: string
          readonly state: string
          readonly error?: Error
        }
        if (kind === 'connection' && state === 'recovering') reasons.push(error?.message)
      }
      subscribe('oslo-messaging:state', onState)
      try {
        for (const connection of peer.connections) connection.freeze()
        // Somebody always has something to say.
        while (reasons.length === 0) {
          void ending(driver.send(new Target({ topic: 'a' }), request, cast(5_000)))
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
        expect(reasons).toEqual([expect.stringContaining('said nothing')])
      } finally {
        unsubscribe('oslo-messaging:state', onState)
      }
    },
  )

  it('in one session, with heartbeats going on - the listener is attached again', { timeout: 20_000 }, async () => {
    const peer = await scene.peer()
    const server = await scene.driver(peer, { idle_timeout: 2 })
    await serve(server, 't')
    const address = 'unicast.openstack.t'
    const [link] = peer.links(address)
    const deaf = link?.session.channel
    peer.options.take = ({ channel, name }) => channel === deaf && name !== 'header' && name !== 'heartbeat'
    await peer.until(() => peer.links(address).length === 2, 12_000)
    await expect.poll(() => server.health().status, { timeout: 5_000 }).toBe('ok')
    expect(peer.accepted).toBe(1)
  })

  it('altogether - the connection is given up after the idle timeout, which is 60 s unless told', async () => {
    const opens: unknown[] = []
    const peer = await scene.peer({
      take: ({ name, fields }) => {
        if (name === 'open') opens.push(fields.idleTimeOut)
        return false
      },
    })
    await serve(await scene.driver(peer), 't')
    expect(opens).toEqual([30_000])
    const server = await scene.driver(peer, { idle_timeout: 1 })
    await serve(server, 'other')
    peer.connections.at(-1)?.freeze()
    await expect.poll(() => peer.accepted, { timeout: 8_000 }).toBe(3)
    await expect.poll(() => server.health().status, { timeout: 5_000 }).toBe('ok')
  })
})
