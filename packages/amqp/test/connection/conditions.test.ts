import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { rawFrame } from '../support/odd-peer/frames.ts'
import { cast, ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

const scene = oddScene()
const T = new Target({ topic: 't' })
const CONDITIONS = ['amqp:not-allowed', 'amqp:unauthorized-access', 'amqp:invalid-field'] as const

describe.each(CONDITIONS)('a peer that says %s once and is healthy then', (condition) => {
  it('and closes the connection - calls, casts and listeners go on over the next one', async () => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    expect(await client.send(T, request, within(5_000))).toEqual(pong)
    for (const connection of peer.connections) connection.close({ condition, description: 'once' })
    await peer.until(() => peer.accepted === 4 && peer.nodes.consumers('unicast.openstack.t') === 1)
    expect(await ending(client.send(T, request, within(5_000)))).toEqual(pong)
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
    expect([server.health().status, client.health().status]).toEqual(['ok', 'ok'])
  })

  it('and closes the connection while a listener and the first call attach - both come up on the next one', async () => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    const closing: Record<string, boolean> = { 'unicast.openstack.t': true, dynamic: true }
    peer.options.take = ({ name, fields }, connection) => {
      if (name !== 'attach' || fields.role !== true) return false
      const address = fields.source?.dynamic === true ? 'dynamic' : (fields.source?.address ?? '')
      if (!closing[address]) return false
      closing[address] = false
      connection.close({ condition, description: 'once' })
      return true
    }
    expect(await ending(serve(server, 't'))).not.toBeInstanceOf(Error)
    expect(await ending(client.send(T, request, within(5_000)))).toEqual(pong)
    expect(closing).toEqual({ 'unicast.openstack.t': false, dynamic: false })
    expect([server.health().status, client.health().status]).toEqual(['ok', 'ok'])
  })

  it('and closes the connection while the first cast attaches - it is sent over the next one', async () => {
    const peer = await scene.peer()
    const client = await scene.driver(peer)
    peer.options.take = ({ name }, connection) => {
      if (name !== 'attach') return false
      peer.options.take = undefined
      connection.close({ condition, description: 'once' })
      return true
    }
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
    await peer.until(() => peer.nodes.received.length === 1)
  })

  it('while calls wait - they end as ReplyPathLost and not as a refusal', async () => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't', (incoming) => incoming.acknowledge())
    const call = ending(client.send(T, request, within(5_000)))
    await peer.until(() => peer.nodes.outcomes.some(({ address }) => address === 'unicast.openstack.t'))
    for (const connection of peer.connections) connection.close({ condition })
    expect(await call).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST' })
    await expect.poll(() => client.health().status, { timeout: 5_000 }).toBe('ok')
  })

  it('and ends the session of one address that is refused - sends to the others go on', async () => {
    const peer = await scene.peer()
    const client = await scene.driver(peer, { pre_settled: [] })
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
    const [link] = peer.links('unicast.openstack.t')
    peer.options.outcome = () => null
    const unsettled = ending(client.send(T, request, cast(5_000)))
    await peer.until(() => peer.nodes.received.length === 2)
    link?.session.end({ condition })
    expect(await unsettled).toMatchObject({ delivery: 'unknown', retryable: true })
    peer.options.outcome = undefined
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
  })
})

describe('a frame that nobody can read', () => {
  /** A flow whose list says that it is longer than its frame. */
  const cutOff = rawFrame(0, Buffer.from([0x00, 0x53, 0x13, 0xd0, 0, 0, 0x10, 0, 0, 0, 0, 9]))

  it('while a cast waits for its outcome - says of the cast that nobody knows, not that it cannot be encoded', async () => {
    const peer = await scene.peer({ outcome: () => null })
    const client = await scene.driver(peer, { pre_settled: [] })
    const sent = ending(client.send(T, request, cast(5_000)))
    await peer.until(() => peer.nodes.received.length === 1)
    for (const connection of peer.connections) connection.write(cutOff)
    expect(await sent).toMatchObject({ retryable: true, delivery: 'unknown' })
    peer.options.outcome = undefined
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
  })

  it('before the peer has opened - the driver connects again', async () => {
    const peer = await scene.peer()
    const client = await scene.driver(peer)
    peer.options.take = ({ name }, connection) => {
      if (name !== 'open') return false
      peer.options.take = undefined
      connection.write(cutOff)
      return true
    }
    expect(await ending(client.send(T, request, cast(5_000)))).toBeUndefined()
    expect(client.health().status).toBe('ok')
  })
})

describe('a peer that does not answer the attach of one address', () => {
  it('health is blocked after a second, and says which address; sends to others go on, and it ends with the answer', async () => {
    const peer = await scene.peer()
    const client = await scene.driver(peer)
    let answer = (): void => {}
    peer.options.take = ({ name, fields, channel }, connection) => {
      if (name !== 'attach' || fields.target?.address !== 'unicast.openstack.t') return false
      answer = () => connection.sessions.get(channel)?.end({ condition: 'amqp:internal-error' })
      return true
    }
    const waiting = ending(client.send(T, request, cast(10_000)))
    await expect.poll(() => client.health().status, { timeout: 4_000 }).toBe('blocked')
    expect(JSON.stringify(client.health())).toContain('unicast.openstack.t')
    expect(await ending(client.send(new Target({ topic: 'other' }), request, cast(5_000)))).toBeUndefined()
    expect(client.health().status).toBe('blocked')
    peer.options.take = undefined
    answer()
    expect(await waiting).toBeUndefined()
    expect(client.health().status).toBe('ok')
  })
})

describe('a peer that ends the session over one link it refuses', () => {
  it('several first casts at once - the one to the refused address ends as refused, and the others are sent', async () => {
    const peer = await scene.peer()
    const client = await scene.driver(peer)
    peer.options.take = ({ name, fields, channel }, connection) => {
      if (name !== 'attach' || fields.target?.address !== 'unicast.openstack.secret') return false
      connection.sessions.get(channel)?.end({ condition: 'amqp:unauthorized-access', description: 'no secrets' })
      return true
    }
    const topics = ['one', 'secret', 'two', 'three']
    const ends = await Promise.all(
      topics.map((topic) => ending(client.send(new Target({ topic }), request, cast(5_000)))),
    )
    expect(ends).toEqual([
      undefined,
      expect.objectContaining({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'amqp:unauthorized-access' }),
      undefined,
      undefined,
    ])
    expect(await ending(client.send(new Target({ topic: 'four' }), request, cast(5_000)))).toBeUndefined()
    await peer.until(() => peer.nodes.received.length === 4)
  })
})

describe('what is final', () => {
  it.each(['amqp:unauthorized-access', 'amqp:not-allowed'])(
    'the permission for a listener’s own link (%s) - the listener fails for good, and health keeps saying it',
    async (condition) => {
      const peer = await scene.peer({ refuse: (address) => (address.endsWith('secret') ? { condition } : undefined) })
      const server = await scene.driver(peer)
      const listening = ending(serve(server, 'secret'))
      expect(await listening).toMatchObject({ retryable: false, brokerCode: condition })
      await serve(server, 't')
      const { status } = server.health()
      expect(status).toBe('ok')
    },
  )

  it('a permission that is taken away while it listens - failed, by name, and it stays so', async () => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    await serve(server, 'other')
    peer.options.refuse = (address) =>
      address.endsWith('.t') ? { condition: 'amqp:unauthorized-access', description: 'revoked' } : undefined
    for (const link of peer.links('unicast.openstack.t')) link.detach({ condition: 'amqp:unauthorized-access' })
    await expect
      .poll(() => server.health().components.find(({ name }) => name === 'rpc server t.s')?.state)
      .toBe('failed')
    expect(await ending(client.send(new Target({ topic: 'other' }), request, within(5_000)))).toEqual(pong)
    expect(server.health().components.find(({ name }) => name === 'rpc server t.s')).toMatchObject({ state: 'failed' })
  })
})

describe('a peer that attaches the link for replies without an address', () => {
  it('no request carries it - the call goes out with the address of the next attach', async () => {
    const peer = await scene.peer()
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    peer.options.say = (frame) => {
      if (frame.name !== 'attach' || frame.fields.source?.dynamic !== true) return frame
      peer.options.say = undefined
      return { ...frame, fields: { ...frame.fields, source: { dynamic: true } } }
    }
    expect(await ending(client.send(T, request, within(5_000)))).toEqual(pong)
    expect(peer.nodes.received.map(({ message }) => message.replyTo)).not.toContain('null')
  })
})
