import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it } from 'vitest'
import type { RabbitSettings } from '../../src/settings.ts'
import type { MethodName } from '../support/amqp-frames.ts'
import { openReal } from '../support/broker.ts'
import { OddPeer, type ReceivedMethod } from '../support/odd-peer.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'echo', args: { n: 7 } } }
const ANSWER_MS = 200

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(settings: Partial<RabbitSettings> = {}) {
  const peer = await OddPeer.start()
  ends.push(async () => await peer.close())
  const driver = openReal(peer.url, {
    options: { rabbit_retry_interval: 0.05, rabbit_interval_max: 1 },
    settings: { answerTimeoutMs: ANSWER_MS, ...settings },
  })
  ends.push(async () => await driver.close())
  return { peer, driver }
}

/** Nobody answers the first `times` of these. */
function swallow(peer: OddPeer, name: MethodName, times: number, entity?: string): () => number {
  let swallowed = 0
  peer.onMethod = (received: ReceivedMethod) => {
    if (received.name !== name || swallowed >= times || (entity !== undefined && received.entity !== entity))
      return false
    swallowed += 1
    return true
  }
  return () => swallowed
}

describe('a question the broker does not answer', () => {
  it.each<MethodName>([
    'channel.open',
    'exchange.declare',
    'queue.declare',
    'queue.bind',
    'basic.qos',
    'basic.consume',
    'confirm.select',
    'channel.close',
  ])('%s: it is asked again, calls are answered, and no channel is left behind', async (name) => {
    const { peer, driver } = await start()
    const swallowed = swallow(peer, name, 2)
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 7 })
    expect(swallowed()).toBe(2)
    await expect.poll(() => driver.health().status).toBe('ok')
    // One for the listener, one for replies, one each for the exchange of requests and the queue of replies.
    await expect.poll(() => peer.openChannels).toBe(4)
  })

  it('sixteen listeners that wait for an answer do not hold up the one that gets one, nor a call', async () => {
    const { peer, driver } = await start()
    peer.onMethod = ({ name, entity }) => name === 'queue.declare' && entity.startsWith('stuck')
    const stuck = Array.from({ length: 40 }, async (_, index) => {
      const options = listenOptions<IncomingRequest>(echo, { deadline: callOptions({ timeoutMs: 2500 }).deadline })
      await driver.listen(new Target({ topic: `stuck-${index}`, server: 'a' }), options)
    })
    const ended = Promise.allSettled(stuck)
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 7 })
    expect(new Set((await ended).map(({ status }) => status))).toEqual(new Set(['rejected']))
    await expect.poll(() => peer.openChannels, { timeout: 5000 }).toBe(4)
    // And when it answers again, all is well.
    peer.onMethod = () => false
    await driver.listen(new Target({ topic: 'stuck-1', server: 'a' }), listenOptions<IncomingRequest>(echo))
  })

  it('a lost answer to exchange.declare does not make the exchange unusable until the connection is lost', async () => {
    const { peer, driver } = await start()
    const swallowed = swallow(peer, 'exchange.declare', 1)
    const target = new Target({ topic: 't', fanout: true })
    const lost = driver.send(target, request, castOptions({ timeoutMs: ANSWER_MS / 2 }))
    await expect(lost).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    await driver.send(target, request, castOptions({ timeoutMs: 3000 }))
    expect(swallowed()).toBe(1)
  })

  it('a confirm that never comes ends its send as unknown, gives its place back, and later sends go on', async () => {
    const { peer, driver } = await start({ confirmTimeoutMs: 300, maxOutstandingMessages: 2 })
    const target = new Target({ topic: 't', fanout: true })
    await driver.send(target, request, castOptions())
    let withheld = 0
    peer.onMethod = ({ name }) => name === 'basic.publish' && (withheld += 1) <= 2
    const lost = [1, 2].map(async () => await driver.send(target, request, castOptions({ timeoutMs: 15_000 })))
    // They hold both places.
    const next = driver.send(target, request, castOptions({ timeoutMs: 15_000 }))
    for (const { status, reason } of (await Promise.allSettled(lost)) as PromiseRejectedResult[])
      expect([status, reason]).toEqual(['rejected', expect.objectContaining({ phase: 'confirm', delivery: 'unknown' })])
    await next
    expect(peer.connections).toHaveLength(1)
  })

  it('one confirm of many that never comes does the same, however many others come', async () => {
    const { peer, driver } = await start({ confirmTimeoutMs: 300 })
    const target = new Target({ topic: 't', fanout: true })
    await driver.send(target, request, castOptions())
    let published = 0
    peer.onMethod = ({ name }) => name === 'basic.publish' && (published += 1) === 1
    const settled: unknown[] = []
    const missing = driver.send(target, request, castOptions({ timeoutMs: 15_000 })).catch((error: unknown) => {
      settled.push(error)
    })
    while (settled.length === 0) {
      // Those beside it may be lost with their channel.
      await driver.send(target, request, castOptions()).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await missing
    expect(settled).toEqual([expect.objectContaining({ phase: 'confirm', delivery: 'unknown' })])
  })

  it('the watchdog leaves no channel behind when nobody answers it', async () => {
    const { peer, driver } = await start({ watchdogIntervalMs: 20 })
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const swallowed = swallow(peer, 'queue.declare', Infinity)
    await expect.poll(() => swallowed(), { timeout: 6000 }).toBeGreaterThan(5)
    // The listener's, and that of the question that is open.
    expect(peer.openChannels).toBeLessThanOrEqual(2)
    expect(peer.connections).toHaveLength(1)
  })

  it('a broker that answers no closing of a channel is left after sixteen of them, for a new connection', async () => {
    const { peer, driver } = await start({ watchdogIntervalMs: 20 })
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const [first] = peer.connections
    peer.onMethod = ({ name, connection }) =>
      connection === first && (name === 'channel.close' || name === 'queue.declare')
    await expect.poll(() => peer.connections.length, { timeout: 15_000 }).toBe(2)
    expect(first?.socket.destroyed).toBe(true)
    await expect.poll(() => peer.consumersOf('t')).toBe(1)
  })

  it('a broker that sends heartbeats and answers nothing is left for a new connection after two waits', async () => {
    const { peer, driver } = await start({ watchdogIntervalMs: 20 })
    const target = new Target({ topic: 't' })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const [first] = peer.connections
    const since = performance.now()
    peer.onMethod = ({ connection }) => connection === first
    await expect.poll(() => peer.connections.length, { timeout: 10_000 }).toBe(2)
    expect(performance.now() - since).toBeLessThan(3000)
    await expect.poll(() => peer.consumersOf('t')).toBe(1)
    expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 7 })
  })
})
