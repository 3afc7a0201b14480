import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it } from 'vitest'
import { frame, HEARTBEAT, method, short, u16, u8 } from '../support/amqp-frames.ts'
import { openReal } from '../support/broker.ts'
import { OddConnection, OddPeer } from '../support/odd-peer.ts'
import { callOptions, echo, listenOptions } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'echo', args: { n: 7 } } }
const openOk = method(0, 'connection.open-ok', short(''))

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start() {
  const peer = await OddPeer.start()
  ends.push(async () => await peer.close())
  const driver = openReal(peer.url, { options: { rabbit_retry_interval: 0.02 }, settings: { connectTimeoutMs: 250 } })
  ends.push(async () => await driver.close())
  return { peer, driver }
}

describe('what arrives with open-ok in one read', () => {
  it.each([
    { what: 'a close without fault (320)', send: [openOk, OddConnection.closing(320, 'CONNECTION_FORCED - bye')] },
    { what: 'a close for a fault (541)', send: [openOk, OddConnection.closing(541, 'INTERNAL_ERROR - no')] },
    { what: 'open-ok once more', send: [openOk, openOk] },
    { what: 'bytes that are no frame', send: [openOk, Buffer.alloc(64, 0x41)] },
    { what: 'a frame without payload', send: [openOk, frame(1, 0, Buffer.alloc(0))] },
    { what: 'a method nobody knows', send: [openOk, frame(1, 0, Buffer.from([0, 99, 0, 99]))] },
    { what: 'a frame of an unknown channel', send: [openOk, method(5, 'basic.qos-ok')] },
    { what: 'blocked', send: [openOk, method(0, 'connection.blocked', short('low on memory'))], unblocks: true },
    { what: 'the end of the stream', send: [openOk], end: true },
    { what: 'the end of the stream after a close', send: [openOk, OddConnection.closing(320, 'bye')], end: true },
    { what: 'a reset', send: [openOk], reset: true },
  ])('$what: listener, calls and health are right a moment later', async ({ send, end, reset, unblocks }) => {
    const { peer, driver } = await start()
    const odd = new Set<OddConnection>()
    peer.onMethod = ({ name, connection }) => {
      // The first two connections: the one that consumes and the one that publishes.
      if (name !== 'connection.open' || odd.size === 2) return false
      odd.add(connection)
      connection.send(...send)
      if (end === true) connection.socket.end()
      if (reset === true) connection.socket.resetAndDestroy()
      if (unblocks === true) setTimeout(() => connection.send(method(0, 'connection.unblocked')), 50)
      return true
    }
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const reply = await driver.send(target, request, callOptions({ timeoutMs: 5000 }))
    expect(reply).toMatchObject({ result: 7 })
    expect(odd.size).toBe(2)
    await expect.poll(() => driver.health().status).toBe('ok')
    expect(peer.open).toHaveLength(2)
    await driver.close()
    await expect.poll(() => peer.open.length).toBe(0)
  })
})

describe('what arrives instead of an answer while a connection opens', () => {
  const stages = ['connection.start', 'connection.start-ok', 'connection.open'] as const
  it.each(
    stages.flatMap((stage) => [
      { stage, what: 'a frame without payload', bytes: frame(1, 0, Buffer.alloc(0)) },
      { stage, what: 'a heartbeat and nothing else', bytes: frame(HEARTBEAT, 0, Buffer.alloc(0)) },
      { stage, what: 'bytes that are no frame', bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
      { stage, what: 'a frame that never ends', bytes: Buffer.from([1, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 10]) },
      { stage, what: 'a close cut off in its text', bytes: frame(1, 0, Buffer.from([0, 10, 0, 50, 2, 18, 200])) },
      { stage, what: 'a body', bytes: frame(3, 0, Buffer.from('body')) },
      { stage, what: 'secure', bytes: method(0, 'connection.secure', Buffer.from([0, 0, 0, 0])) },
      {
        stage,
        what: 'tune with a frame size of 16 bytes',
        bytes: method(0, 'connection.tune', u16(1), Buffer.from([0, 0, 0, 16]), u16(0)),
      },
      { stage, what: 'open-ok', bytes: openOk },
      { stage, what: 'nothing', bytes: Buffer.alloc(0) },
    ]),
  )('$what at $stage: the attempt ends by its deadline, and the next one is served', async ({ stage, bytes }) => {
    const { peer, driver } = await start()
    let odd = 0
    peer.onMethod = ({ name, connection }) => {
      if (name !== stage || odd === 1) return false
      odd += 1
      connection.send(bytes)
      return true
    }
    const target = new Target({ topic: 't', fanout: true })
    await driver.send(target, request, { ...callOptions({ timeoutMs: 5000 }), waitForReply: false })
    expect(odd).toBe(1)
    await expect.poll(() => peer.open.length).toBe(1)
  })

  it('a peer that sends a byte now and then does not hold an attempt longer than connectTimeoutMs', async () => {
    const { peer, driver } = await start()
    const startedAt = performance.now()
    let trickling = 0
    peer.onMethod = ({ name, connection }) => {
      if (name !== 'connection.start' || trickling > 0) return false
      const drip = setInterval(() => {
        trickling += 1
        connection.send(u8(1))
      }, 50)
      connection.socket.on('close', () => clearInterval(drip))
      return true
    }
    const target = new Target({ topic: 't', fanout: true })
    await driver.send(target, request, { ...callOptions({ timeoutMs: 8000 }), waitForReply: false })
    expect(trickling).toBeGreaterThan(2)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})
