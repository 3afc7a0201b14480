import { Deadline, type Driver, type IncomingRequest, type SendOptions, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AmqpOptions } from '../src/config.ts'
import { degradedBy } from './support/health.ts'
import { openDriver } from './support/open-driver.ts'
import { type Peer, type PeerOptions, startPeer } from './support/peer.ts'

// What users of other libraries suffer from, on a peer in this process: each is met by a typed error or by recovery
// within its time.

let closers: (() => Promise<unknown>)[]
let unhandled: unknown[]
const onUnhandled = (error: unknown): void => void unhandled.push(error)
beforeEach(() => {
  closers = []
  unhandled = []
  process.on('unhandledRejection', onUnhandled)
  process.on('uncaughtException', onUnhandled)
  vi.spyOn(console, 'error')
  vi.spyOn(console, 'warn')
})
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  process.off('unhandledRejection', onUnhandled)
  process.off('uncaughtException', onUnhandled)
  const printed = [console.error, console.warn].flatMap((print) => vi.mocked(print).mock.calls)
  // Before anything is judged: the tests after this one have nothing to do with it.
  vi.restoreAllMocks()
  expect(unhandled).toEqual([])
  expect(printed).toEqual([])
})

async function aPeer(options: PeerOptions = {}): Promise<Peer> {
  const peer = await startPeer(options)
  closers.push(() => peer.close())
  return peer
}
async function aDriver(peer: Peer, options: Partial<AmqpOptions> = {}): Promise<Driver> {
  const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy', ...options })
  closers.push(() => driver.close({ signal: AbortSignal.timeout(100) }))
  return driver
}

const T = new Target({ topic: 't' })
const ADDRESS = 'unicast.openstack.t'
const call = (ms = 5_000, changes: Partial<SendOptions> = {}): SendOptions => ({
  waitForReply: true,
  deadline: Deadline.after(ms),
  expiresInMs: ms,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
  ...changes,
})
const request = { context: {}, message: { method: 'm', args: {} } }
const pong = { result: 'pong', failure: null }
const echo = (incoming: IncomingRequest): void => {
  incoming.acknowledge()
  void incoming.reply(pong)
}
const acknowledge = (incoming: IncomingRequest): void => incoming.acknowledge()
const serve = (driver: Driver, onMessage = echo, topic = 't', prefetch = 100): Promise<unknown> =>
  driver.listen(new Target({ topic, server: 's' }), { deadline: Deadline.after(5_000), prefetch, onMessage })
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )
const replyAddress = (peer: Peer): string => String(peer.received.at(-1)?.message.reply_to)

describe('listeners', () => {
  it('P01 detached under traffic - health names the listener while it is away, and it consumes again', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    await serve(server)
    expect(await client.send(T, request, call())).toEqual(pong)
    const calls = Array.from({ length: 50 }, () => client.send(T, request, call(10_000)))
    const { components } = await degradedBy(server, () => peer.detach(ADDRESS, 'amqp:resource-deleted'))
    const away = components.find(({ kind }) => kind === 'listener')
    expect(away).toMatchObject({ name: 'rpc server t.s', state: expect.not.stringMatching('consuming') })
    expect(await Promise.all(calls)).toEqual(calls.map(() => pong))
    await expect.poll(() => server.health().status).toBe('ok')
  })

  it('P15 one is detached - the other, replies and sends go on, on the same connection', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    await serve(server)
    await serve(server, echo, 'other')
    const other = (): Promise<unknown> => client.send(new Target({ topic: 'other' }), request, call())
    await other()
    const opened = server.health().components.find(({ kind }) => kind === 'connection')?.sinceMs
    peer.detach(ADDRESS, 'amqp:not-found')
    for (let n = 0; n < 100; n += 1) expect(await other()).toEqual(pong)
    expect(server.health().components.find(({ kind }) => kind === 'connection')?.sinceMs).toBe(opened)
    expect(await client.send(T, request, call())).toEqual(pong)
  })

  it('a link or a session that the peer ends is ended from here as well, and comes back', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    await serve(server)
    expect(await client.send(T, request, call())).toEqual(pong)
    peer.detach(ADDRESS, 'amqp:resource-deleted')
    await expect.poll(() => peer.answeredEnds).toBeGreaterThan(0)
    await expect.poll(() => peer.consumers(ADDRESS)).toBe(1)
    const before = peer.answeredEnds
    peer.endSession(ADDRESS, 'amqp:internal-error')
    await expect.poll(() => peer.answeredEnds).toBeGreaterThan(before)
    await expect
      .poll(() => client.send(T, request, call(2_000)).catch(() => undefined), { timeout: 5_000 })
      .toEqual(pong)
    expect(peer.consumers(ADDRESS)).toBe(1)
  })

  it('a peer that sends more than it has credit for is bounded, and nothing is printed', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    const given: IncomingRequest[] = []
    await serve(server, (incoming) => given.push(incoming), 't', 2)
    const cast = (): Promise<unknown> =>
      client.send(T, request, call(5_000, { waitForReply: false, expiresInMs: null }))
    await Promise.all(Array.from({ length: 40 }, cast))
    await expect.poll(() => given.length).toBe(2)
    peer.overrun(ADDRESS, 20)
    // Two are being handled, six are held for three links of two; the rest is handed back.
    await expect.poll(() => peer.depth(ADDRESS)).toBe(40 - 2 - 6)
    for (let n = 0; n < given.length; n += 1) {
      given[n]?.acknowledge()
      if (n === given.length - 1 && n < 39) await expect.poll(() => given.length).toBeGreaterThan(n + 1)
    }
    expect(given.length).toBe(40)
  })
})

describe('replies', () => {
  it('P03 the link for replies goes with 50 calls pending - all end at once, and the next one works', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    let isAnswering = false
    await serve(server, (incoming) => (isAnswering ? echo : acknowledge)(incoming))
    const calls = Array.from({ length: 50 }, () => rejection(client.send(T, request, call(60_000))))
    await peer.acceptedBy(ADDRESS, 50)
    const startedAt = performance.now()
    peer.detach(replyAddress(peer), 'amqp:resource-deleted')
    for (const error of await Promise.all(calls))
      // The peer had said that it has the request.
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST', delivery: 'confirmed' })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    isAnswering = true
    expect(await client.send(T, request, call())).toEqual(pong)
  })

  it('lost before the peer has said anything of the request - delivery unknown', async () => {
    const peer = await aPeer()
    const client = await aDriver(peer)
    await serve(await aDriver(peer))
    await client.send(T, request, call())
    peer.outcomes.set(ADDRESS, ['ignore'])
    const waiting = rejection(client.send(T, request, call(60_000)))
    await expect.poll(() => peer.received.filter(({ address }) => address === ADDRESS).length).toBe(2)
    peer.detach(replyAddress(peer), 'amqp:resource-deleted')
    expect(await waiting).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST', delivery: 'unknown' })
  })
})

describe('time', () => {
  const startedPeer = async (): Promise<{ readonly peer: Peer; readonly client: Driver }> => {
    const peer = await aPeer()
    return { peer, client: await aDriver(peer) }
  }
  const cases: readonly (readonly [string, Target, object, (peer: Peer) => unknown])[] = [
    ['nobody listens on the port', T, { phase: 'connect', delivery: 'not-sent' }, (peer) => peer.close()],
    ['credit withheld', new Target({ topic: 'starved' }), { phase: 'publish', delivery: 'not-sent' }, () => {}],
    [
      'the peer says nothing of the request',
      T,
      { phase: 'confirm', delivery: 'unknown' },
      (peer) => peer.outcomes.set(ADDRESS, ['ignore']),
    ],
    ['the server does not answer', T, { phase: 'reply', delivery: 'confirmed' }, () => {}],
  ]
  it.each(cases)(
    'P06 P22 a call of 1,000 ms ends then, and says how far it came: %s',
    async (_name, to, facts, cause) => {
      const { peer, client } = await startedPeer()
      await cause(peer)
      const startedAt = performance.now()
      expect(await rejection(client.send(to, request, call(1_000)))).toMatchObject({
        code: 'OSLO_MESSAGING_TIMEOUT',
        ...facts,
      })
      expect(performance.now() - startedAt).toBeGreaterThan(990)
      expect(performance.now() - startedAt).toBeLessThan(1_250)
    },
  )

  it('P22 the server of a monitored call falls silent - SERVER_LOST long before the deadline', async () => {
    const peer = await aPeer()
    await serve(await aDriver(peer), acknowledge)
    const client = await aDriver(peer)
    const startedAt = performance.now()
    const lost = client.send(T, request, call(600_000, { callMonitorTimeoutMs: 1_000 }))
    expect(await rejection(lost)).toMatchObject({ code: 'OSLO_MESSAGING_SERVER_LOST' })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('connections', () => {
  it(
    'P02 8 resets under load - calls under way end typed, and nothing is left unhandled',
    { timeout: 60_000 },
    async () => {
      const peer = await aPeer()
      const [server, client] = [await aDriver(peer), await aDriver(peer)]
      await serve(server)
      for (let round = 0; round < 8; round += 1) {
        await expect
          .poll(() => client.send(T, request, call(2_000)).catch(() => undefined), { timeout: 10_000 })
          .toEqual(pong)
        const load = Promise.allSettled(Array.from({ length: 50 }, () => client.send(T, request, call(5_000))))
        peer.reset()
        for (const result of await load)
          if (result.status === 'rejected') expect(result.reason).toHaveProperty('code', expect.any(String))
      }
    },
  )

  it('P25 health is right about each state within its time: lost, blocked, refused, closed', async () => {
    const peer = await aPeer({ users: { alice: 'right' }, plainOnly: true })
    const open = async (password: string): Promise<Driver> => {
      const driver = await openDriver(`amqp://alice:${password}@127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' })
      closers.push(() => driver.close())
      return driver
    }
    const driver = await open('right')
    expect(driver.health().status).toBe('idle')
    await serve(driver)
    expect(driver.health().status).toBe('ok')
    const blocked = rejection(driver.send(new Target({ topic: 'starved' }), request, call(2_500)))
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('blocked')
    await blocked
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('ok')
    await degradedBy(driver, () => peer.reset())
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('ok')
    const refused = await open('wrong')
    await rejection(refused.send(T, request, call(5_000)))
    expect(refused.health().status).toBe('failed')
  })

  it('idle timeout of the peer - heartbeats keep a connection with little to do, and one with nothing to do', async () => {
    const peer = await aPeer({ idleTimeoutMs: 400 })
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    await serve(server)
    await client.send(T, request, call())
    const since = (driver: Driver): unknown =>
      driver.health().components.find(({ kind }) => kind === 'connection')?.sinceMs
    const opened = [since(server), since(client)]
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    for (let n = 0; n < 10; n += 1) {
      await pause(150)
      expect(await client.send(T, request, call())).toEqual(pong)
    }
    await pause(2_000)
    expect([since(server), since(client)]).toEqual(opened)
    expect(await client.send(T, request, call())).toEqual(pong)
  })
})

describe('Qpid Broker-J', () => {
  it('drops the connection when settled and unsettled messages of one link come together: they have links of their own', async () => {
    const peer = await aPeer({ product: 'Apache Qpid Broker-J Core' })
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    await serve(server)
    const cast = call(5_000, { waitForReply: false, expiresInMs: null })
    for (let round = 0; round < 2; round += 1) {
      await client.send(T, request, cast)
      expect(await client.send(T, request, call())).toEqual(pong)
    }
    expect(peer.senders.filter((address) => address === ADDRESS)).toHaveLength(2)
  })
})

describe('pools', () => {
  it('a peer that has none - refused by name when the listener attaches, and the driver goes on', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const options = { deadline: Deadline.after(5_000), prefetch: 1, allowRequeue: false, onMessage: () => {} }
    const sources = [{ target: T, priority: 'info' }] as const
    expect(await rejection(driver.listenForNotifications(sources, { ...options, pool: 'p' }))).toMatchObject({
      code: 'OSLO_MESSAGING_UNSUPPORTED',
      capability: 'pools',
    })
    await driver.listenForNotifications(sources, { ...options, pool: null })
    expect(driver.health().status).toBe('ok')
  })
})
