import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Deadline, type Driver, type IncomingRequest, type SendOptions, Target } from '@oslo-messaging/core/driver'
import rhea from 'rhea'
import type { EventContext } from 'rhea'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AmqpOptions } from '../src/config.ts'
import { openDriver } from './support/open-driver.ts'
import { type Peer, type PeerOptions, startPeer } from './support/peer.ts'

// The driver tests of INVENTORY 14, one by one. What needs a real broker is in amqp.fault-test.ts.

let closers: (() => Promise<unknown>)[]
beforeEach(() => {
  closers = []
})
afterEach(async () => {
  for (const close of closers.reverse()) await close()
})

async function aPeer(options: PeerOptions = {}): Promise<Peer> {
  const peer = await startPeer(options)
  closers.push(() => peer.close())
  return peer
}
async function aDriver(
  peer: Peer | readonly Peer[],
  options: Partial<AmqpOptions> = {},
  credentials = '',
  vhost = '',
): Promise<Driver> {
  const peers = 'port' in peer ? [peer] : peer
  const hosts = peers.map(({ port }) => `${credentials}127.0.0.1:${port}`).join(',')
  const driver = await openDriver(
    `amqp://${hosts}/${vhost}`,
    { addressing_mode: 'legacy', ...options },
    { random: () => 0 },
  )
  closers.push(() => driver.close({ signal: AbortSignal.timeout(100) }))
  return driver
}

const within = (ms: number): Deadline => Deadline.after(ms)
const T = new Target({ topic: 't' })
const ADDRESS = 'unicast.openstack.t'
const call = (ms = 5_000, changes: Partial<SendOptions> = {}): SendOptions => ({
  waitForReply: true,
  deadline: within(ms),
  expiresInMs: ms,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
  ...changes,
})
const cast = (ms = 5_000, changes: Partial<SendOptions> = {}): SendOptions =>
  call(ms, { waitForReply: false, expiresInMs: null, ...changes })
const request = { context: {}, message: { method: 'm', args: {} } }
const notification = {
  context: {},
  message: { message_id: 'm', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload: 1, timestamp: 't' },
}
const notify = (driver: Driver, topic = 'n', ms = 5_000, retries: number | null = 0): Promise<void> =>
  driver.sendNotification(new Target({ topic: `${topic}.info` }), notification, {
    version: '2.0',
    deadline: within(ms),
    retries,
  })
const echo = (incoming: IncomingRequest): void => {
  incoming.acknowledge()
  void incoming.reply({ result: 'pong', failure: null })
}
const serve = (driver: Driver, onMessage = echo, prefetch = 10): Promise<unknown> =>
  driver.listen(new Target({ topic: 't', server: 's' }), { deadline: within(5_000), prefetch, onMessage })
const pong = { result: 'pong', failure: null }

/** A server in rhea alone, that answers as the test says. */
async function rawServer(
  peer: Peer,
  answer: (context: EventContext, reply: (message: object) => void) => void,
): Promise<void> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', port: peer.port, reconnect: false })
  connection.on('disconnected', () => {})
  closers.push(async () => connection.close())
  const receiver = connection.open_receiver(ADDRESS)
  receiver.on('message', (context: EventContext) => {
    const sender = connection.open_sender(String(context.message?.reply_to))
    sender.once('sendable', () => answer(context, (message) => void sender.send({ body: undefined, ...message })))
  })
  await new Promise((resolve) => receiver.once('receiver_open', resolve))
}

/** Payloads of a diagnostics channel while the test runs. */
function heard(name: string): Readonly<Record<string, unknown>>[] {
  const all: Readonly<Record<string, unknown>>[] = []
  const onMessage = (payload: unknown): void => void all.push(payload as Record<string, unknown>)
  subscribe(name, onMessage)
  closers.push(async () => unsubscribe(name, onMessage))
  return all
}

describe('sends and their outcomes', () => {
  it('send timeout - without credit the cast ends at its deadline, not sent, and health says blocked', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const starved = driver.send(new Target({ topic: 'starved' }), request, cast(1_500))
    await expect(starved).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'publish',
      delivery: 'not-sent',
    })
    expect(peer.received).toEqual([])
  })

  it('send timeout - default_send_timeout and default_notify_timeout bound what the caller left longer', async () => {
    const driver = await aDriver(await aPeer(), { default_send_timeout: 1, default_notify_timeout: 1 })
    const startedAt = performance.now()
    await expect(driver.send(new Target({ topic: 'starved' }), request, cast(60_000))).rejects.toMatchObject({
      timeoutMs: 1_000,
    })
    await expect(notify(driver, 'starved', 60_000)).rejects.toMatchObject({ timeoutMs: 1_000 })
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })

  it('unacknowledged sends - the peer never settles: ends at the deadline, delivery unknown', async () => {
    const peer = await aPeer()
    peer.outcomes.set('unicast.openstack.n.info', ['ignore'])
    const sent = notify(await aDriver(peer), 'n', 500)
    await expect(sent).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'confirm', delivery: 'unknown' })
  })

  it('unacknowledged sends - the connection goes before the outcome: fails at once, delivery unknown, and is not sent again', async () => {
    const peer = await aPeer()
    peer.outcomes.set('unicast.openstack.n.info', ['ignore'])
    const sent = notify(await aDriver(peer), 'n', 10_000, null)
    const failed = expect(sent).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      delivery: 'unknown',
      retryable: true,
    })
    await expect.poll(() => peer.received.length).toBe(1)
    peer.reset()
    await failed
    expect(peer.received).toHaveLength(1)
  })

  it.each(['release', 'modify'] as const)(
    '%s - handed back without a reason: sent again after link_retry_delay',
    async (outcome) => {
      const peer = await aPeer()
      peer.outcomes.set('unicast.openstack.n.info', [outcome])
      await notify(await aDriver(peer), 'n', 5_000, null)
      expect(peer.received).toHaveLength(2)
    },
  )

  it.each(['modify-failed', 'reject'] as const)('%s - final, whatever retries are left', async (outcome) => {
    const peer = await aPeer()
    peer.outcomes.set('unicast.openstack.n.info', [outcome])
    await expect(notify(await aDriver(peer), 'n', 5_000, null)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      retryable: false,
    })
    expect(peer.received).toHaveLength(1)
  })

  it('pre-settled - casts and notifications say so on the wire when asked to, and need no outcome', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer, { pre_settled: ['rpc-cast', 'notify'] })
    peer.outcomes.set(ADDRESS, ['ignore'])
    peer.outcomes.set('unicast.openstack.n.info', ['ignore'])
    await driver.send(T, request, cast())
    await notify(driver)
    await expect.poll(() => peer.received.map(({ settled }) => settled)).toEqual([true, true])
  })

  it('pre-settled - nothing is when the option is empty', async () => {
    const peer = await aPeer()
    await (await aDriver(peer, { pre_settled: [] })).send(T, request, cast())
    expect(peer.received.map(({ settled }) => settled)).toEqual([false])
  })

  it('idle sender links - closed after default_sender_link_timeout, and opened again by the next send', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer, { default_sender_link_timeout: 1 })
    await notify(driver)
    expect(peer.senders).toEqual(['unicast.openstack.n.info'])
    await expect.poll(() => peer.senders, { timeout: 5_000 }).toEqual([])
    await notify(driver)
    expect(peer.senders).toHaveLength(1)
  })

  it('backpressure - 5,000 sends without waiting: all arrive, none overflows (P18)', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    await Promise.all(Array.from({ length: 5_000 }, () => notify(driver, 'n', 15_000)))
    expect(peer.received).toHaveLength(5_000)
  })

  it('one address without credit does not hold up another', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const stuck = notify(driver, 'starved', 10_000)
    await expect.poll(() => peer.senders).toEqual(['unicast.openstack.starved.info'])
    await Promise.all(Array.from({ length: 500 }, () => notify(driver)))
    peer.credit('unicast.openstack.starved.info', 1)
    await stuck
  })
})

describe('replies', () => {
  it('late reply - dropped and reported, settled as not ours; the next call works', async () => {
    const peer = await aPeer()
    const dropped = heard('oslo-messaging:message-dropped')
    let late: (() => void) | undefined
    await rawServer(peer, ({ message }, reply) => {
      const answer = (): void => reply({ correlation_id: message?.message_id, body: '{"response": "pong"}' })
      if (late === undefined) late = answer
      else answer()
    })
    const driver = await aDriver(peer)
    await expect(driver.send(T, request, call(300))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
    })
    late?.()
    await expect.poll(() => dropped).toMatchObject([{ reason: 'late-reply', source: 'replies' }])
    expect(await driver.send(T, request, call())).toEqual(pong)
  })

  it('failed reply - one that cannot be read ends its call at once with SERIALIZATION', async () => {
    const peer = await aPeer()
    await rawServer(peer, ({ message }, reply) => reply({ correlation_id: message?.message_id, body: '{"response": ' }))
    await expect((await aDriver(peer)).send(T, request, call(10_000))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_SERIALIZATION',
    })
  })

  it('failed reply - an address that refuses costs the server one report, not a worker', async () => {
    const peer = await aPeer()
    const abandoned = heard('oslo-messaging:reply-abandoned')
    await serve(await aDriver(peer))
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: peer.port, reconnect: false })
    connection.on('disconnected', () => {})
    closers.push(async () => connection.close())
    const body = JSON.stringify({ request: { method: 'm', args: {} }, context: {} })
    connection
      .open_sender(ADDRESS)
      .once('sendable', ({ sender }: EventContext) =>
        sender?.send({ message_id: 'x', reply_to: 'refused.reply', body }),
      )
    await expect.poll(() => abandoned, { timeout: 5_000 }).toMatchObject([{ replyTo: 'refused.reply' }])
    expect(await (await aDriver(peer)).send(T, request, call())).toEqual(pong)
  })

  it('missing reply - times out in phase reply, with the request confirmed', async () => {
    const peer = await aPeer()
    await serve(await aDriver(peer), (incoming) => incoming.acknowledge())
    await expect((await aDriver(peer)).send(T, request, call(400))).rejects.toMatchObject({
      phase: 'reply',
      delivery: 'confirmed',
    })
  })

  it('minimal credit - one for replies and one for requests still carries 100 calls at once', async () => {
    const peer = await aPeer()
    await serve(await aDriver(peer, { rpc_server_credit: 1 }))
    const client = await aDriver(peer, { reply_link_credit: 1 })
    const replies = await Promise.all(Array.from({ length: 100 }, () => client.send(T, request, call(15_000))))
    expect(replies).toEqual(Array.from({ length: 100 }, () => pong))
  })
})

describe('settlement', () => {
  it('outcomes of one tick are written apart: a release beside an acceptance is a release', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const got: string[] = []
    const waiting: (() => void)[] = []
    for (const _ of [1, 2, 3]) await notify(driver)
    await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], {
      deadline: within(5_000),
      prefetch: 10,
      pool: null,
      allowRequeue: true,
      onMessage(incoming) {
        got.push('got')
        if (got.length > 3) return incoming.acknowledge()
        const isFirst = got.length === 1
        waiting.push(() => (isFirst ? incoming.acknowledge() : incoming.requeue()))
        if (waiting.length === 3) for (const settle of waiting) settle()
      },
    })
    // Two of three were handed back, and come again.
    await expect.poll(() => got.length, { timeout: 5_000 }).toBe(5)
  })

  it('garbage with a prefetch of one does not wedge the listener (P35)', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    let handled = 0
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: peer.port, reconnect: false })
    connection.on('disconnected', () => {})
    closers.push(async () => connection.close())
    const rubbish = ['', 'x', '[]', Buffer.from([0xff, 0xfe]), 42, { a: 1 }, null, '{"request": 1}']
    connection.open_sender('unicast.openstack.n.info').once('sendable', ({ sender }: EventContext) => {
      for (const body of rubbish) sender?.send({ body })
    })
    await expect.poll(() => peer.depth('unicast.openstack.n.info')).toBe(rubbish.length)
    await notify(driver)
    await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], {
      deadline: within(5_000),
      prefetch: 1,
      pool: null,
      allowRequeue: false,
      onMessage(incoming) {
        if (incoming.unreadable !== undefined) return incoming.discard?.()
        handled += 1
        incoming.acknowledge()
      },
    })
    await expect.poll(() => handled, { timeout: 1_000 }).toBe(1)
  })

  it(
    'one stuck handler does not starve another listener: 1 stuck and 10,000 messages (P18)',
    { timeout: 60_000 },
    async () => {
      const peer = await aPeer()
      const driver = await aDriver(peer)
      let [stuck, done] = [0, 0]
      const listen = (topic: string, onMessage: (incoming: { acknowledge(): void }) => void): Promise<unknown> =>
        driver.listenForNotifications([{ target: new Target({ topic }), priority: 'info' }], {
          deadline: within(5_000),
          prefetch: 100,
          pool: null,
          allowRequeue: false,
          onMessage,
        })
      await listen('stuck', () => void (stuck += 1))
      // In its own listener the stuck one is the oldest delivery of the session for ever.
      await listen('n', (incoming) => {
        done += 1
        if (done > 1) incoming.acknowledge()
      })
      await notify(driver, 'stuck')
      const sender = await aDriver(peer)
      for (let sent = 0; sent < 10_000; sent += 1_000)
        await Promise.all(Array.from({ length: 1_000 }, () => notify(sender, 'n', 30_000)))
      await expect.poll(() => done, { timeout: 30_000 }).toBe(10_000)
      expect(stuck).toBe(1)
    },
  )
})

describe('authentication', () => {
  const users = { guest: 's3cr3t-ü', 'guest@example': 'pw' }
  it('ok - PLAIN, with a password beyond ASCII', async () => {
    await notify(await aDriver(await aPeer({ users }), {}, 'guest:s3cr3t-%C3%BC@'))
  })

  it('default realm - added to a user name that has none', async () => {
    await notify(await aDriver(await aPeer({ users }), { sasl_default_realm: 'example' }, 'guest:pw@'))
  })

  it('refused - AUTHENTICATION at once, and for good', async () => {
    const driver = await aDriver(await aPeer({ users }), {}, 'guest:wrong@')
    const startedAt = performance.now()
    await expect(notify(driver, 'n', 20_000, null)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      retryable: false,
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(driver.health().status).toBe('failed')
    await expect(serve(driver)).rejects.toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
  })

  it('mechanisms - none in common is AUTHENTICATION at once, and names what the peer offers', async () => {
    const driver = await aDriver(await aPeer({ users, plainOnly: true }), { sasl_mechanisms: 'ANONYMOUS' }, 'guest@')
    await expect(notify(driver, 'n', 20_000, null)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      message: expect.stringContaining('PLAIN'),
    })
  })

  it('mechanisms - ANONYMOUS is used when it is asked for, and never with a password', async () => {
    await notify(await aDriver(await aPeer({ users }), { sasl_mechanisms: 'ANONYMOUS' }))
    await expect(aDriver(await aPeer({ users }), { sasl_mechanisms: 'ANONYMOUS' }, 'guest:pw@')).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      option: '[oslo_messaging_amqp] sasl_mechanisms',
    })
  })
})

describe('failover and recovery', () => {
  it('failover - the next host takes over after a crash, for listeners, calls and sends', async () => {
    const [first, second] = [await aPeer(), await aPeer()]
    const [server, client] = [await aDriver([first, second]), await aDriver([first, second])]
    await serve(server)
    expect(await client.send(T, request, call())).toEqual(pong)
    await first.close()
    const answer = async (): Promise<unknown> => await client.send(T, request, call(1_000)).catch(() => undefined)
    await expect.poll(answer, { timeout: 10_000 }).toEqual(pong)
    expect(server.health().components.find(({ kind }) => kind === 'connection')?.host).toBe(`127.0.0.1:${second.port}`)
  })

  it('failover - a host that refuses the credentials is passed over', async () => {
    const [strict, open] = [await aPeer({ users: { guest: 'other' } }), await aPeer({ users: { guest: 'pw' } })]
    await notify(await aDriver([strict, open], {}, 'guest:pw@'), 'n', 5_000, null)
    expect(open.received).toHaveLength(1)
  })

  it('shutdown - a peer that closes with a condition is met again', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    await serve(driver)
    peer.closeAll('amqp:connection:forced')
    const client = await aDriver(peer)
    expect(await client.send(T, request, call(10_000))).toEqual(pong)
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('ok')
  })

  it(
    'link recovery - 20 resets: everything comes back and nothing is attached twice (P14)',
    { timeout: 60_000 },
    async () => {
      const peer = await aPeer()
      const [server, client] = [await aDriver(peer), await aDriver(peer)]
      await serve(server)
      for (let round = 0; round < 20; round += 1) {
        await expect
          .poll(() => client.send(T, request, call(2_000)).catch(() => undefined), { timeout: 10_000 })
          .toEqual(pong)
        peer.reset()
      }
      await expect.poll(() => server.health().status, { timeout: 10_000 }).toBe('ok')
      // One server, three addresses: one consumer each.
      expect(peer.consumers(ADDRESS)).toBe(1)
    },
  )

  it('blocked credit - health is blocked while it lasts and ok after', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const sent = notify(driver, 'starved', 15_000)
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('blocked')
    expect(driver.health().components.find(({ kind }) => kind === 'publisher')?.reason).toContain('no credit')
    peer.credit('unicast.openstack.starved.info', 10)
    await sent
    expect(driver.health().status).toBe('ok')
  })

  it('reply path lost before the request left - the call goes on with the new address', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const reply = driver.send(new Target({ topic: 'starved' }), request, call(15_000))
    await expect.poll(() => peer.senders).toEqual(['unicast.openstack.starved'])
    peer.reset()
    const server = await aDriver(peer)
    await server.listen(new Target({ topic: 'starved', server: 's' }), {
      deadline: within(5_000),
      prefetch: 10,
      onMessage: echo,
    })
    await expect
      .poll(
        () => {
          peer.credit('unicast.openstack.starved', 1)
          return peer.received.some(({ address }) => address === 'unicast.openstack.starved')
        },
        { timeout: 10_000 },
      )
      .toBe(true)
    expect(await reply).toEqual(pong)
  })

  it('close - waits for what is under way, and gives it up when told to', async () => {
    const peer = await aPeer()
    const driver = await aDriver(peer)
    const sent = notify(driver)
    const stuck = notify(driver, 'starved', 20_000)
    const failed = expect(stuck).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
    await expect.poll(() => peer.senders.length).toBe(2)
    await driver.close({ signal: AbortSignal.timeout(200) })
    await sent
    await failed
  })
})

describe('virtual hosts', () => {
  it('kept apart - a call in one does not reach a server in the other', async () => {
    const peer = await aPeer()
    await serve(await aDriver(peer, {}, '', 'one'))
    expect(await (await aDriver(peer, {}, '', 'one')).send(T, request, call())).toEqual(pong)
    await expect((await aDriver(peer, {}, '', 'two')).send(T, request, call(300))).rejects.toMatchObject({
      phase: 'reply',
    })
  })
})
