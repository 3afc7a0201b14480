import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { OddPeer } from '../support/odd-peer.ts'
import { cast, ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

// What the peer allows is known here before anything is handed over: windows, credit, sizes, frames.

const scene = oddScene()
const addressOf = (topic: string): string => `unicast.openstack.${topic}`
const to = (topic: string): Target => new Target({ topic })
const arrived = (peer: OddPeer, topic: string): number =>
  peer.nodes.received.filter(({ address }) => address === addressOf(topic)).length
const sessionOf = (peer: OddPeer, topic: string) => {
  const [link] = peer.links(addressOf(topic))
  if (link === undefined) throw new Error(`no link for ${topic}`)
  return link.session
}

describe('the window of a session', () => {
  it('closed - messages stay ours: health says blocked, they end as not sent, and those that still wait leave when it opens', async () => {
    const peer = await scene.peer({ incomingWindow: 10 })
    const driver = await scene.driver(peer)
    const first = Array.from({ length: 10 }, () => driver.send(to('a'), request, cast(5_000)))
    await Promise.all(first)
    await peer.until(() => arrived(peer, 'a') === 10)
    const late = ending(driver.send(to('a'), request, cast(2_000)))
    await expect.poll(() => driver.health().status, { timeout: 3_000 }).toBe('blocked')
    expect(await late).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'publish', delivery: 'not-sent' })
    const waiting = driver.send(to('a'), request, cast(5_000))
    sessionOf(peer, 'a').window(10)
    await waiting
    await peer.until(() => arrived(peer, 'a') === 11)
    expect(driver.health().status).toBe('ok')
    expect(peer.violations).toEqual([])
  })

  it('closed when a link goes - nothing that was meant for it or for its successor reaches another address', async () => {
    const peer = await scene.peer({ incomingWindow: 2 })
    const driver = await scene.driver(peer)
    await driver.send(to('a'), request, cast(5_000))
    await driver.send(to('other'), request, cast(5_000))
    await peer.until(() => peer.nodes.received.length === 2)
    const session = sessionOf(peer, 'a')
    const waiting = ending(driver.send(to('a'), request, cast(3_000)))
    peer.links(addressOf('a'))[0]?.detach({ condition: 'amqp:resource-deleted' })
    // It takes the number that the one before has left.
    const next = ending(driver.send(to('b'), request, cast(5_000)))
    await peer.until(() => peer.links(addressOf('b')).length === 1)
    session.window(100)
    await Promise.all([waiting, next])
    await peer.until(() => arrived(peer, 'b') === 1)
    for (const { address, message } of peer.nodes.received) expect(message.to).toBe(address)
    expect(peer.violations).toEqual([])
  })

  it('a message of many frames that the peer has rejected after the first - every later one goes on', async () => {
    const peer = await scene.peer({ maxFrameSize: 1_024, incomingWindow: 3 })
    const driver = await scene.driver(peer)
    let frames = 0
    peer.options.take = ({ name }) => {
      if (name === 'transfer') frames += 1
      return false
    }
    const large = { context: {}, message: { method: 'm', args: { text: 'x'.repeat(100_000) } } }
    const rejected = ending(driver.send(to('a'), large, within(3_000, { retries: 0 })))
    await peer.until(() => frames === 3)
    sessionOf(peer, 'a').say('disposition', { role: true, first: 0, settled: true, state: { type: 'rejected' } })
    expect(await rejected).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY' })
    sessionOf(peer, 'a').window(1_000)
    await driver.send(to('a'), request, cast(5_000))
    await driver.send(to('b'), request, cast(5_000))
    await peer.until(() => arrived(peer, 'b') === 1)
    expect(arrived(peer, 'a')).toBe(1)
    expect(peer.violations).toEqual([])
  })
})

describe('what the peer can take', () => {
  it('a message larger than its max-message-size is refused here, and small ones to the address go on', async () => {
    const peer = await scene.peer({ maxMessageSize: 10_000 })
    const driver = await scene.driver(peer)
    const large = { context: {}, message: { method: 'm', args: { text: 'x'.repeat(20_000) } } }
    const refused = await ending(driver.send(to('a'), large, cast(2_000)))
    expect(refused).toMatchObject({ brokerCode: 'amqp:link:message-size-exceeded', delivery: 'not-sent' })
    await driver.send(to('a'), request, cast(2_000))
    await peer.until(() => arrived(peer, 'a') === 1)
    expect(peer.violations).toEqual([])
  })

  it('frames of 512 bytes - everything fits', async () => {
    const peer = await scene.peer({ maxFrameSize: 512 })
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    await serve(server, 't')
    const large = { context: {}, message: { method: 'm', args: { text: 'x'.repeat(5_000) } } }
    expect(await client.send(to('t'), large, within(5_000))).toEqual(pong)
    expect(peer.violations).toEqual([])
  })

  it('frames of 40 bytes, which the specification forbids - refused by name', async () => {
    const peer = await scene.peer({ maxFrameSize: 40 })
    const driver = await scene.driver(peer)
    expect(await ending(driver.send(to('a'), request, cast(1_500)))).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'connect',
      cause: { message: expect.stringContaining('frames of 40 bytes') as string },
    })
  })
})

describe('outcomes', () => {
  const notification = {
    context: {},
    message: {
      message_id: 'm',
      publisher_id: 'p',
      event_type: 'e',
      priority: 'INFO',
      payload: 1,
      timestamp: '2026-01-01 00:00:00',
    },
  }

  it('settled without a state is accepted: the notification is sent once', async () => {
    const peer = await scene.peer({ outcome: () => null })
    const driver = await scene.driver(peer)
    peer.options.take = ({ name, fields, channel }, connection) => {
      if (name === 'transfer' && fields.deliveryId !== undefined)
        setImmediate(() =>
          connection.sessions
            .get(channel)
            ?.say('disposition', { role: true, first: fields.deliveryId ?? 0, settled: true }),
        )
      return false
    }
    const { deadline } = within(5_000)
    await driver.sendNotification(new Target({ topic: 'n.info' }), notification, {
      version: '2.0',
      deadline,
      retries: null,
    })
    expect(arrived(peer, 'n.info')).toBe(1)
  })

  it.each([
    ['without a reason', undefined, 'unknown'],
    ['for a queue that is full', 'amqp:resource-limit-exceeded', 'unknown'],
    ['for a queue without a leader', 'amqp:precondition-failed', 'unknown'],
    ['for what is in it', 'amqp:decode-error', 'not-sent'],
    ['for whoever sends it', 'amqp:not-allowed', 'not-sent'],
  ])(
    'rejected %s - fails at once, and is called unsent only where no queue can have it',
    async (_why, condition, delivery) => {
      const error = condition === undefined ? {} : { error: { condition, description: "queue 'q' is unavailable" } }
      const peer = await scene.peer({ outcome: () => ({ type: 'rejected', ...error }) })
      const driver = await scene.driver(peer)
      const options = { version: '2.0', deadline: within(5_000).deadline, retries: null } as const
      const sent = driver.sendNotification(new Target({ topic: 'n.info' }), notification, options)
      expect(await ending(sent)).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', phase: 'confirm', delivery })
    },
  )

  it('of 2^32 deliveries at once - taken at once', async () => {
    const peer = await scene.peer({ outcome: () => null })
    const driver = await scene.driver(peer)
    const { deadline } = within(5_000)
    const options = { version: '2.0', deadline, retries: null } as const
    const sending = Array.from({ length: 3 }, () =>
      driver.sendNotification(new Target({ topic: 'n.info' }), notification, options),
    )
    await peer.until(() => arrived(peer, 'n.info') === 3)
    sessionOf(peer, 'n.info').say('disposition', {
      role: true,
      first: 0,
      last: 0xffffffff,
      settled: true,
      state: { type: 'accepted' },
    })
    await Promise.all(sending)
  })

  it(
    'that never come - calls that have ended hold no room: another address is served',
    { timeout: 30_000 },
    async () => {
      const peer = await scene.peer({
        outcome: (address) => (address === addressOf('mute') ? null : { type: 'accepted' }),
        credit: (address) => (address === addressOf('mute') ? 10_000 : 1_000),
      })
      const [server, driver] = [await scene.driver(peer), await scene.driver(peer)]
      await serve(server, 't')
      expect(await driver.send(to('t'), request, within(5_000))).toEqual(pong)
      // The first one opens the link.
      await ending(driver.send(to('mute'), request, within(200)))
      for (let round = 0; round < 3; round += 1)
        await Promise.all(Array.from({ length: 1_000 }, () => ending(driver.send(to('mute'), request, within(1_000)))))
      expect(await driver.send(to('t'), request, within(5_000))).toEqual(pong)
    },
  )
})

describe('heartbeats', () => {
  it('of a peer that can wait for 49 days - nothing is sent for its sake', async () => {
    let heartbeats = 0
    const peer = await scene.peer({
      idleTimeOut: 0xffffffff,
      take: ({ name }) => {
        if (name === 'heartbeat') heartbeats += 1
        return false
      },
    })
    const driver = await scene.driver(peer)
    await driver.send(to('a'), request, cast(5_000))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(heartbeats).toBeLessThan(3)
  })
})

describe('a flood', () => {
  it('what is refused for want of room is not encoded first', async () => {
    const peer = await scene.peer({ credit: () => 0 })
    const driver = await scene.driver(peer)
    const encoded = new Set<number>()
    const message = (n: number): typeof request => ({
      context: {},
      message: {
        method: 'm',
        args: {
          get text() {
            encoded.add(n)
            return 'x'.repeat(10_000)
          },
        },
      },
    })
    const ends = await Promise.all(
      Array.from({ length: 20_000 }, (_, n) => ending(driver.send(to('a'), message(n), cast(2_000)))),
    )
    const codes = ends.map((end) => (end as { readonly code?: string } | undefined)?.code)
    const refused = codes.filter((code) => code === 'OSLO_MESSAGING_BACKPRESSURE').length
    expect(refused).toBeGreaterThan(10_000)
    // Those that had room, those that waited for it, and the first one that was refused.
    expect(encoded.size).toBeLessThan(9_000)
  })
})
