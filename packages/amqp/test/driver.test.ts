import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  Deadline,
  type Driver,
  type IncomingNotification,
  type IncomingRequest,
  silentLogger,
  systemClock,
  Target,
  TransportURL,
} from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { amqpDriver } from '../src/definition.ts'
import { type AmqpOptions, amqpConfig } from '../src/config.ts'
import { type Peer, startPeer } from './support/peer.ts'

const defaults = Object.fromEntries(
  Object.entries(amqpConfig.options).map(([name, option]) => [name, option.default]),
) as unknown as AmqpOptions

async function open(port: number, options: Partial<AmqpOptions> = {}): Promise<Driver> {
  return await amqpDriver.open(TransportURL.parse(`amqp://127.0.0.1:${port}/`), {
    options: { ...defaults, link_retry_delay: 1, ...options },
    defaultExchange: 'openstack',
    program: 'test',
    logger: silentLogger,
    clock: systemClock,
    random: Math.random,
  })
}

const within = (timeoutMs: number): Deadline => Deadline.after(timeoutMs)
const request = (method: string, args: object = {}) => ({
  context: { user: 'alice' },
  message: { method, args: { ...args } },
})
const call = (timeoutMs = 5_000) => ({
  waitForReply: true,
  deadline: within(timeoutMs),
  expiresInMs: timeoutMs,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
})

let peer: Peer
let drivers: Driver[]
beforeEach(async () => {
  peer = await startPeer()
  drivers = []
})
afterEach(async () => {
  await Promise.all(drivers.map((driver) => driver.close()))
  await peer.close()
})
const use = async (options?: Partial<AmqpOptions>): Promise<Driver> => {
  const driver = await open(peer.port, options)
  drivers.push(driver)
  return driver
}

/** Serves `echo`: acknowledges, then replies with the arguments. */
const echo = (incoming: IncomingRequest): void => {
  incoming.acknowledge()
  void incoming.reply({ result: incoming.message['args'], failure: null })
}

/** Resolves at the next change to the state; subscribe before causing it. */
function nextState(kind: string, state: string): Promise<void> {
  return new Promise((resolve) => {
    const onMessage = (message: unknown): void => {
      const change = message as { readonly kind: string; readonly state: string }
      if (change.kind !== kind || change.state !== state) return
      unsubscribe('oslo-messaging:state', onMessage)
      resolve()
    }
    subscribe('oslo-messaging:state', onMessage)
  })
}

describe('rpc', () => {
  it('call - comes back with the reply', async () => {
    const server = await use()
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: within(5_000),
      prefetch: 4,
      onMessage: echo,
    })
    const client = await use()
    const reply = await client.send(new Target({ topic: 't' }), request('echo', { a: 1 }), call())
    expect(reply).toEqual({ result: { a: 1 }, failure: null })
    expect(peer.received[0]?.message).toMatchObject({ to: 'unicast.openstack.t', ttl: 5000 })
  })

  it('call - 200 side by side all come back, with a prefetch of 4', async () => {
    const server = await use()
    let given = 0
    let most = 0
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: within(5_000),
      prefetch: 4,
      onMessage: (incoming) => {
        given += 1
        most = Math.max(most, given)
        setImmediate(() => {
          given -= 1
          echo(incoming)
        })
      },
    })
    const client = await use()
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, n) => client.send(new Target({ topic: 't' }), request('echo', { n }), call())),
    )
    expect(replies.map((reply) => reply?.result)).toEqual(Array.from({ length: 200 }, (_, n) => ({ n })))
    expect(most).toBeLessThanOrEqual(4)
  })

  it('call - survives a reset: listener and reply link come back', async () => {
    const server = await use({ connection_retry_interval: 1 })
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: within(5_000),
      prefetch: 4,
      onMessage: echo,
    })
    const client = await use()
    await client.send(new Target({ topic: 't' }), request('echo'), call())
    const lost = Promise.all([nextState('reply-path', 'recovering'), nextState('listener', 'recovering')])
    peer.reset()
    await lost
    const reply = await client.send(new Target({ topic: 't' }), request('echo', { again: true }), call(10_000))
    expect(reply?.result).toEqual({ again: true })
  })

  it('call - ends with ReplyPathLost when the connection is lost while it waits', async () => {
    const server = await use()
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: within(5_000),
      prefetch: 4,
      onMessage: (incoming) => {
        incoming.acknowledge()
        peer.reset()
      },
    })
    const client = await use()
    await expect(client.send(new Target({ topic: 't' }), request('slow'), call(20_000))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_REPLY_PATH_LOST',
      // The peer's word may be lost with the connection.
      delivery: expect.stringMatching(/unknown|confirmed/),
    })
  })

  it('call - times out at its deadline when nobody serves', async () => {
    const client = await use()
    await expect(client.send(new Target({ topic: 'nobody' }), request('echo'), call(200))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
    })
  })

  it('fanout - reaches both servers, pre-settled', async () => {
    const heard: string[] = []
    for (const name of ['a', 'b']) {
      const server = await use()
      await server.listen(new Target({ topic: 't', server: name }), {
        deadline: within(5_000),
        prefetch: 4,
        onMessage: (incoming) => {
          incoming.acknowledge()
          heard.push(name)
          expect(incoming.expectsReply).toBe(false)
        },
      })
    }
    const client = await use()
    await client.send(new Target({ topic: 't', fanout: true }), request('echo'), { ...call(), waitForReply: false })
    await expect.poll(() => heard.toSorted(), { timeout: 5_000 }).toEqual(['a', 'b'])
    expect(peer.received.at(-1)?.settled).toBe(true)
  })

  it('listener - is attached again after the peer detaches it', async () => {
    const server = await use()
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: within(5_000),
      prefetch: 4,
      onMessage: echo,
    })
    const lost = nextState('listener', 'recovering')
    peer.detach('unicast.openstack.t', 'amqp:resource-deleted')
    await lost
    const client = await use()
    const reply = await client.send(new Target({ topic: 't' }), request('echo', { a: 2 }), call(10_000))
    expect(reply?.result).toEqual({ a: 2 })
    await expect.poll(() => server.health().status, { timeout: 5_000 }).toBe('ok')
  })
})

describe('notifications', () => {
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
  const options = () => ({ version: '2.0', deadline: within(5_000), retries: 0 }) as const

  it('notify - waits for a listener, and what is handed back comes again', async () => {
    const driver = await use()
    await driver.sendNotification(new Target({ topic: 'n.info' }), notification, options())
    const got: IncomingNotification[] = []
    await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], {
      deadline: within(5_000),
      prefetch: 10,
      pool: null,
      allowRequeue: true,
      onMessage: (incoming) => {
        got.push(incoming)
        if (got.length === 1) incoming.requeue()
        else incoming.acknowledge()
      },
    })
    await expect.poll(() => got.length, { timeout: 5_000 }).toBe(2)
    expect(got[1]?.message).toMatchObject({ event_type: 'e', payload: 1 })
    expect(got[1]?.redelivered).toBe(true)
  })

  it.each([
    ['reject', 'OSLO_MESSAGING_DELIVERY'],
    ['modify-failed', 'OSLO_MESSAGING_DELIVERY'],
    ['release', 'OSLO_MESSAGING_DELIVERY'],
  ] as const)('notify - %s by the peer is a delivery failure when no retry is left', async (outcome, code) => {
    const driver = await use()
    peer.outcomes.set('unicast.openstack.n.info', [outcome])
    await expect(
      driver.sendNotification(new Target({ topic: 'n.info' }), notification, options()),
    ).rejects.toMatchObject({ code, phase: 'confirm' })
  })

  it('notify - a release is sent again while retries are left', async () => {
    const driver = await use()
    peer.outcomes.set('unicast.openstack.n.info', ['release'])
    await driver.sendNotification(new Target({ topic: 'n.info' }), notification, { ...options(), retries: 1 })
    expect(peer.received).toHaveLength(2)
  })

  it('notify - a refused link is an error at once, and the next message goes on', async () => {
    const driver = await use({ group_request_prefix: 'refused' })
    await expect(
      driver.sendNotification(new Target({ topic: 'n.info' }), notification, options()),
    ).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      delivery: 'not-sent',
      message: expect.stringContaining('amqp:not-found'),
    })
  })
})
