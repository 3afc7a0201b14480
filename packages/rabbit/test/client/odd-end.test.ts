import { Deadline, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it } from 'vitest'
import { frame, HEARTBEAT, method, short, u16, u64, u8 } from '../support/amqp-frames.ts'
import { openReal } from '../support/broker.ts'
import { connectClient } from '../support/client-connection.ts'
import { notificationOf } from '../support/notification.ts'
import { type OddConnection, OddPeer } from '../support/odd-peer.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'echo', args: { n: 7 } } }

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(settings: Parameters<typeof openReal>[1] = {}) {
  const peer = await OddPeer.start()
  ends.push(async () => await peer.close())
  const driver = openReal(peer.url, { options: { rabbit_retry_interval: 0.05 }, ...settings })
  ends.push(async () => await driver.close())
  return { peer, driver }
}

/** A client connection of its own. */
async function connect({ port }: OddPeer) {
  return await connectClient({ port, handshakeTimeoutMs: 2000, answerTimeoutMs: 500, confirmTimeoutMs: 500 })
}

const publication = {
  exchange: '',
  routingKey: 'q',
  mandatory: false,
  expiration: undefined,
  headers: {},
  body: Buffer.from('{}'),
}

describe('the end of a connection', () => {
  it('bytes that are no frame, from a peer that keeps its side open: no socket is left', async () => {
    const { peer, driver } = await start()
    peer.keepsOpen = true
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request, callOptions())
    const odd = peer.open
    for (const connection of odd) connection.send(Buffer.alloc(64, 0x41))
    await expect.poll(() => driver.health().status, { interval: 1 }).not.toBe('ok')
    await driver.send(target, request, callOptions())
    // A socket that is closed answers with a reset, one that is forgotten half open takes whatever comes.
    const isGone = (connections: readonly OddConnection[]) => () => {
      for (const connection of connections) connection.send(frame(HEARTBEAT, 0, Buffer.alloc(0)))
      return connections.every(({ socket }) => socket.destroyed)
    }
    await expect.poll(isGone(odd), { timeout: 5000 }).toBe(true)
    const right = peer.open
    expect(right).toHaveLength(2)
    await driver.close()
    await expect.poll(isGone(right), { timeout: 5000 }).toBe(true)
  })

  it('what is sent in the moment in which the peer breaks the rules: goes over the next connection, and the process goes on', async () => {
    const { peer, driver } = await start()
    const cast = async (): Promise<unknown> =>
      await driver.send(new Target({ topic: 't', fanout: true }), request, castOptions())
    await cast()
    // The confirm and a method out of its place come together: whoever waits for the confirm sends again before the
    // end is told.
    peer.onMethod = ({ name, connection, channel }) => {
      if (name !== 'basic.publish') return false
      peer.onMethod = () => false
      const rulesBroken = method(0, 'connection.tune', u16(1), Buffer.alloc(4), u16(0))
      connection.send(method(channel, 'basic.ack', u64(2), u8(0)), rulesBroken)
      return true
    }
    await cast()
    expect(await cast()).toBeUndefined()
    expect(peer.connections.length).toBeGreaterThan(1)
  })

  it('the first notification, written and never confirmed, that cannot be sent again: it is unknown, not unsent', async () => {
    const { peer, driver } = await start()
    const target = new Target({ topic: 't.info' })
    const send = async (ms: number): Promise<unknown> =>
      await driver
        .sendNotification(target, notificationOf({}), { version: '2.0', retries: null, deadline: Deadline.after(ms) })
        .catch((error: unknown) => error)
    // The broker has it, the confirm is lost with the connection, and there is no other until the time is over.
    let isLost = false
    peer.onMethod = ({ name, connection }) => {
      if (name === 'connection.start') return isLost
      if (name !== 'basic.publish') return false
      isLost = true
      connection.socket.destroy()
      return true
    }
    expect(await send(1000)).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'connect', delivery: 'unknown' })
  })

  it('a peer that neither answers the farewell nor closes its side: the socket goes all the same', async () => {
    const { peer, driver } = await start()
    await driver.send(new Target({ topic: 't', fanout: true }), request, castOptions())
    const connections = peer.open
    peer.keepsOpen = true
    peer.onMethod = ({ name }) => name === 'connection.close'
    await driver.close()
    const isGone = (): boolean => {
      for (const connection of connections) connection.send(frame(HEARTBEAT, 0, Buffer.alloc(0)))
      return connections.every(({ socket }) => socket.destroyed)
    }
    await expect.poll(isGone, { timeout: 5000 }).toBe(true)
  })

  it('a peer that broke the rules on channel 0 gets no more messages, and the connection is over at once', async () => {
    const { peer } = await start()
    const connection = await connect(peer)
    const channel = await connection.openConfirmChannel()
    const closed = new Promise((resolve) => {
      connection.onClosed = resolve
    })
    // No answer to our close.
    peer.onMethod = ({ name }) => name === 'connection.close'
    peer.connections[0]?.send(method(0, 'connection.tune', u16(1), Buffer.alloc(4), u16(0)))
    await closed
    expect(channel.publish(publication, () => {})).toBe(false)
    await expect.poll(() => peer.open.length, { timeout: 5000 }).toBe(0)
  })

  it('a channel on which the peer broke the rules is over at once: what is unconfirmed fails, and nothing more is sent', async () => {
    const { peer } = await start()
    const connection = await connect(peer)
    ends.push(async () => await connection.close())
    const channel = await connection.openConfirmChannel()
    let published = 0
    peer.onMethod = ({ name }) => {
      if (name === 'basic.publish') published += 1
      return name === 'channel.close' || name === 'basic.publish'
    }
    const confirmed = new Promise((resolve) => channel.publish(publication, resolve))
    await expect.poll(() => published).toBe(1)
    const over = new Promise((resolve) => {
      channel.onClosed = resolve
    })
    // A delivery without a consumer: amqplib closes the channel, and the peer never answers that.
    peer.connections[0]?.send(
      method(1, 'basic.deliver', short('nobody'), u64(1), u8(0), short(''), short('q')),
      method(1, 'basic.deliver', short('nobody'), u64(2), u8(0), short(''), short('q')),
    )
    expect(await over).toBeInstanceOf(Error)
    expect(await confirmed).toBeInstanceOf(Error)
    expect(channel.publish(publication, () => {})).toBe(false)
    expect(published).toBe(1)
    // The others of the connection go on.
    expect((await connection.openChannel()).onClosed).toBeUndefined()
  })

  it('a handler that throws loses its channel, and nobody else', async () => {
    const { peer } = await start()
    const connection = await connect(peer)
    ends.push(async () => await connection.close())
    const [one, two] = [await connection.openChannel(), await connection.openChannel()]
    let lost: unknown
    one.onClosed = (reason) => {
      lost = reason
    }
    const heard: string[] = []
    for (const [channel, queue] of [
      [one, 'a'],
      [two, 'b'],
    ] as const) {
      await channel.declareQueue({ name: queue, durable: false, autoDelete: false, arguments: {} })
      await channel.consume(queue, { consumerTag: '1', noAck: false, arguments: {} }, () => {
        if (queue === 'a') throw new Error('handler')
        heard.push(queue)
      })
    }
    for (const routingKey of ['a', 'b'])
      peer.route({ exchange: '', routingKey, properties: Buffer.alloc(2), body: Buffer.from('x'), redelivered: false })
    await expect.poll(() => heard).toEqual(['b'])
    expect(lost).toMatchObject({ message: 'handler' })
    expect(peer.open).toHaveLength(1)
  })

  it.each([
    { what: 'of messages to come', tagOf: (published: number) => published + 5, multiple: 1 },
    { what: 'of all, as 0 says', tagOf: () => 0, multiple: 1 },
    { what: 'of the first, once more', tagOf: () => 1, multiple: 1 },
  ])('a confirm $what: later messages are confirmed as themselves', async ({ tagOf, multiple }) => {
    const { peer, driver } = await start()
    const fanout = new Target({ topic: 't', fanout: true })
    let published = 0
    peer.onMethod = ({ name, connection, channel }) => {
      if (name !== 'basic.publish') return false
      published += 1
      if (published === 3) connection.send(method(channel, 'basic.ack', u64(tagOf(published)), u8(multiple)))
      return false
    }
    const outcomes = []
    for (let n = 0; n < 8; n += 1)
      outcomes.push(
        await driver.send(fanout, request, castOptions({ timeoutMs: 3000 })).then(
          () => 'confirmed',
          () => 'unknown',
        ),
      )
    // At most the one during which the channel was closed.
    expect(outcomes.filter((outcome) => outcome === 'unknown').length).toBeLessThanOrEqual(1)
    // One that nobody confirms is not taken for confirmed.
    peer.onMethod = ({ name }) => name === 'basic.publish'
    await expect(driver.send(fanout, request, castOptions({ timeoutMs: 200 }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
    })
    // What it owes goes with it.
    for (const { socket } of peer.open) socket.destroy()
  })
})
