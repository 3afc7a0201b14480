import { connect, type Socket } from 'node:net'
import { createRequire } from 'node:module'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode, encode } from './support/odd-peer/codec.ts'
import {
  type Fields,
  type Frame,
  type FrameName,
  frameBytes,
  frameReader,
  headerBytes,
} from './support/odd-peer/frames.ts'
import { BAD_MESSAGES, messageBytes, readMessage } from './support/odd-peer/message.ts'
import type { OddPeerOptions } from './support/odd-peer/options.ts'
import { type OddPeer, startOddPeer } from './support/odd-peer.ts'
import { openDriver } from './support/open-driver.ts'

// The peer that other tests judge the driver by: what it writes is read by rhea, what it is told to do it does, and
// what a client does wrong it sees.

interface RheaFrames {
  read_frame(bytes: Buffer): { readonly channel: number; readonly performative: object; readonly payload?: Buffer }
}
const frames = createRequire(import.meta.url)('rhea/lib/frames.js') as RheaFrames

let closers: (() => unknown)[]
beforeEach(() => {
  closers = []
})
afterEach(async () => {
  for (const close of closers.reverse()) await close()
})

async function aPeer(options: OddPeerOptions = {}): Promise<OddPeer> {
  const peer = await startOddPeer(options)
  closers.push(() => peer.close())
  return peer
}
async function aDriver(peer: OddPeer): Promise<Driver> {
  const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' })
  closers.push(() => driver.close({ signal: AbortSignal.timeout(100) }))
  return driver
}

/** A client that writes frames by hand. */
interface Dialled {
  readonly seen: Frame[]
  say(name: FrameName, fields: Fields, payload?: Buffer): void
  next(name: Frame['name']): Promise<Frame>
}

async function dial(port: number): Promise<Dialled> {
  const seen: Frame[] = []
  const waiting = new Set<() => void>()
  const socket: Socket = connect(port, '127.0.0.1')
  closers.push(() => socket.destroy())
  socket.on(
    'data',
    frameReader((frame) => {
      seen.push(frame)
      for (const look of waiting) look()
    }),
  )
  const used = new Set<Frame>()
  const client: Dialled = {
    seen,
    say: (name, fields, payload) =>
      socket.write(frameBytes({ channel: 0, name, fields, ...(payload === undefined ? {} : { payload }) })),
    next: (name) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = seen.find((frame) => frame.name === name && !used.has(frame))
          if (found === undefined) return
          used.add(found)
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
  }
  socket.write(headerBytes(0))
  client.say('open', { containerId: 'by-hand' })
  client.say('begin', { nextOutgoingId: 0, incomingWindow: 100, outgoingWindow: 100 })
  await client.next('begin')
  return client
}

const attachSender = (client: Dialled, handle: number, address: string): void =>
  client.say('attach', { name: `s${handle}`, handle, role: false, target: { address }, initialDeliveryCount: 0 })
const attachReceiver = (client: Dialled, handle: number, address: string): void =>
  client.say('attach', { name: `r${handle}`, handle, role: true, source: { address } })
const transfer = (client: Dialled, deliveryId: number, fields: Fields = {}): void =>
  client.say('transfer', { handle: 0, deliveryId, deliveryTag: Buffer.from([deliveryId]), ...fields }, messageBytes({}))
const flow = { nextIncomingId: 0, incomingWindow: 100, nextOutgoingId: 0, outgoingWindow: 100 } as const

describe('frames', () => {
  it('are read by rhea as they were meant, and by this peer as rhea wrote them', () => {
    const attach: Frame = {
      channel: 7,
      name: 'attach',
      fields: { name: 'n', handle: 3, role: true, source: { address: 'a', dynamic: true }, initialDeliveryCount: 9 },
    }
    const { channel, performative } = frames.read_frame(frameBytes(attach))
    expect(channel).toBe(7)
    expect(performative).toMatchObject({ name: 'n', handle: 3, role: true, initial_delivery_count: 9 })
    const read: Frame[] = []
    frameReader((frame) => read.push(frame))(frameBytes(attach))
    expect(read).toMatchObject([attach])
  })

  it('come in pieces and many at once', () => {
    const bytes = Buffer.concat([
      headerBytes(0),
      frameBytes({ channel: 1, name: 'heartbeat', fields: {} }),
      frameBytes({ channel: 2, name: 'detach', fields: { handle: 1, error: { condition: 'c', description: 'd' } } }),
    ])
    const read: Frame[] = []
    const take = frameReader((frame) => read.push(frame))
    for (const byte of bytes) take(Buffer.from([byte]))
    expect(read.map(({ name }) => name)).toEqual(['header', 'heartbeat', 'detach'])
    expect(read[2]?.fields).toEqual({ handle: 1, error: { condition: 'c', description: 'd' } })
  })

  it('a message is read as it was written; what is cut off is no value', () => {
    const message = { messageId: 'm', to: 't', replyTo: 'r', body: 'x'.repeat(300) }
    expect(readMessage(messageBytes(message))).toEqual(message)
    expect(() => decode(encode.string('four').subarray(0, 3))).toThrow(RangeError)
  })
})

describe('an honest peer', () => {
  it('carries calls, casts and notifications of the driver, which does nothing wrong', async () => {
    const peer = await aPeer()
    const [server, client] = [await aDriver(peer), await aDriver(peer)]
    const target = new Target({ topic: 't' })
    const request = { context: {}, message: { method: 'm', args: {} } }
    const options = { expiresInMs: 5_000, callMonitorTimeoutMs: null, retries: 0, atLeastOnce: false }
    await server.listen(target.with({ server: 's' }), {
      deadline: Deadline.after(5_000),
      prefetch: 10,
      onMessage(incoming) {
        incoming.acknowledge()
        void incoming.reply({ result: 'pong', failure: null })
      },
    })
    const calls = Array.from({ length: 300 }, () =>
      client.send(target, request, { ...options, waitForReply: true, deadline: Deadline.after(10_000) }),
    )
    expect(new Set((await Promise.all(calls)).map((reply) => reply?.result))).toEqual(new Set(['pong']))
    await client.sendNotification(
      new Target({ topic: 'n.info' }),
      { context: {}, message: {} as never },
      { version: '2.0', retries: 0, deadline: Deadline.after(5_000) },
    )
    expect(peer.nodes.depth('unicast.openstack.n.info')).toBe(1)
    expect(peer.violations).toEqual([])
    expect(peer.nodes.received.every(({ address, message }) => message.to === address)).toBe(true)
  })
})

describe('limits', () => {
  it('a handle beyond handle-max, and a channel beyond channel-max, end the connection', async () => {
    const peer = await aPeer({ handleMax: 1 })
    const client = await dial(peer.port)
    attachSender(client, 2, 'a')
    expect((await client.next('close')).fields.error?.condition).toBe('amqp:connection:framing-error')
    expect(peer.violations).toEqual(['handle 2 is beyond handle-max 1'])
  })

  it('a transfer beyond the window ends the session', async () => {
    const peer = await aPeer({ incomingWindow: 0 })
    const client = await dial(peer.port)
    attachSender(client, 0, 'a')
    await client.next('flow')
    transfer(client, 0)
    expect((await client.next('end')).fields.error?.condition).toBe('amqp:session:window-violation')
  })

  it('a window can be closed, and opened again', async () => {
    const peer = await aPeer({ incomingWindow: 1 })
    const client = await dial(peer.port)
    attachSender(client, 0, 'a')
    await client.next('flow')
    transfer(client, 0)
    await client.next('disposition')
    peer.connections[0]?.sessions.get(0)?.window(1)
    expect((await client.next('flow')).fields).toMatchObject({ nextIncomingId: 1, incomingWindow: 1 })
    transfer(client, 1)
    await client.next('disposition')
    expect(peer.nodes.depth('a')).toBe(2)
    expect(peer.violations).toEqual([])
  })

  it('credit can be withheld, and a transfer without it is no message', async () => {
    const peer = await aPeer({ credit: () => 0 })
    const client = await dial(peer.port)
    attachSender(client, 0, 'a')
    await client.next('attach')
    transfer(client, 0)
    expect((await client.next('detach')).fields.error?.condition).toBe('amqp:link:transfer-limit-exceeded')
    expect(peer.nodes.received).toEqual([])
  })
})

describe('deliveries', () => {
  it('are kept until their outcome, and go back to their place when they are released or their link goes', async () => {
    const peer = await aPeer()
    for (const body of ['one', 'two', 'three']) peer.nodes.put('q', messageBytes({ body }))
    const client = await dial(peer.port)
    attachReceiver(client, 0, 'q')
    await client.next('attach')
    client.say('flow', { ...flow, handle: 0, deliveryCount: 0, linkCredit: 3 })
    const seen = [await client.next('transfer'), await client.next('transfer'), await client.next('transfer')]
    expect(seen.map(({ payload }) => readMessage(payload ?? Buffer.alloc(0)).body)).toEqual(['one', 'two', 'three'])
    client.say('disposition', { role: true, first: 1, last: 1, settled: true, state: { type: 'accepted' } })
    client.say('disposition', { role: true, first: 0, last: 0, settled: true, state: { type: 'released' } })
    await peer.until(() => peer.nodes.outcomes.length === 2)
    expect(peer.nodes.depth('q')).toBe(1)
    client.say('detach', { handle: 0, closed: true })
    await client.next('detach')
    expect(peer.nodes.depth('q')).toBe(2)
    expect(peer.nodes.consumers('q')).toBe(0)
  })

  it('can come in pieces, aborted, settled, and without credit; an aborted one of a client is no message', async () => {
    const peer = await aPeer()
    const client = await dial(peer.port)
    attachReceiver(client, 0, 'q')
    expect((await client.next('attach')).fields.role).toBe(false)
    const [link] = peer.links('q')
    link?.deliver(messageBytes({ body: 'x'.repeat(90) }), { frames: 3, aborted: true, settled: true })
    const pieces = [await client.next('transfer'), await client.next('transfer'), await client.next('transfer')]
    expect(pieces.map(({ fields }) => [fields.settled, fields.more, fields.aborted])).toEqual([
      [true, true, undefined],
      [undefined, true, undefined],
      [undefined, undefined, true],
    ])
    client.say('attach', { name: 's', handle: 1, role: false, target: { address: 'q2' }, initialDeliveryCount: 0 })
    await client.next('attach')
    await client.next('flow')
    client.say('transfer', { handle: 1, deliveryId: 0, deliveryTag: Buffer.from('0'), more: true }, messageBytes({}))
    client.say('transfer', { handle: 1, aborted: true })
    client.say('detach', { handle: 1, closed: true })
    await client.next('detach')
    expect(peer.nodes.received).toEqual([])
  })
})

describe('what it refuses or hands back', () => {
  it('is told to the client and goes nowhere', async () => {
    const peer = await aPeer({ outcome: () => ({ type: 'released' }) })
    const client = await dial(peer.port)
    attachSender(client, 0, 'q')
    await client.next('attach')
    await client.next('flow')
    transfer(client, 0)
    expect((await client.next('disposition')).fields.state).toEqual({ type: 'released' })
    expect([peer.nodes.received.length, peer.nodes.depth('q')]).toEqual([1, 0])
  })
})

describe('bad messages', () => {
  it.each(Object.entries(BAD_MESSAGES))('%s - is delivered as it is', async (_name, payload) => {
    const peer = await aPeer()
    peer.nodes.put('q', payload)
    const client = await dial(peer.port)
    attachReceiver(client, 0, 'q')
    await client.next('attach')
    client.say('flow', { ...flow, handle: 0, deliveryCount: 0, linkCredit: 1 })
    const pieces = [await client.next('transfer')]
    while (pieces.at(-1)?.fields.more === true) pieces.push(await client.next('transfer'))
    expect(Buffer.concat(pieces.map((each) => each.payload ?? Buffer.alloc(0))).equals(payload)).toBe(true)
  })
})

describe('what a test tells it', () => {
  it('frames can be swallowed, changed, and dealt with by the test; any bytes can be sent', async () => {
    const peer = await aPeer({
      take: ({ name }, connection) => name === 'end' && (connection.write(Buffer.from('junk')), true),
      say: (frame) => (frame.name === 'attach' ? { ...frame, fields: { ...frame.fields, source: {} } } : frame),
      credit: () => 0,
    })
    const client = await dial(peer.port)
    attachReceiver(client, 0, 'q')
    expect((await client.next('attach')).fields.source).toMatchObject({ address: null })
    peer.options.say = () => undefined
    attachReceiver(client, 1, 'q')
    await peer.until(() => peer.links('q').length === 2)
    expect(client.seen.filter(({ name }) => name === 'attach')).toHaveLength(1)
  })

  it('it answers an echo, drains, and says a management request was granted', async () => {
    const peer = await aPeer({ managementStatus: (_method, path) => (path === '/queues/no' ? 409 : undefined) })
    const client = await dial(peer.port)
    attachReceiver(client, 0, '/management')
    client.say('attach', {
      name: 'p',
      handle: 1,
      role: false,
      target: { address: '/management' },
      initialDeliveryCount: 0,
    })
    client.say('flow', { ...flow, handle: 0, deliveryCount: 0, linkCredit: 2, echo: true })
    await client.next('flow')
    expect((await client.next('flow')).fields).toMatchObject({ handle: 0, linkCredit: 2 })
    for (const [id, to] of ['/queues/yes', '/queues/no'].entries())
      client.say(
        'transfer',
        { handle: 1, deliveryId: id, deliveryTag: Buffer.from([id]), settled: true },
        messageBytes({ messageId: String(id), to, subject: 'PUT' }),
      )
    const answers = [await client.next('transfer'), await client.next('transfer')]
    expect(answers.map(({ payload }) => readMessage(payload ?? Buffer.alloc(0)))).toMatchObject([
      { correlationId: '0', subject: '201' },
      { correlationId: '1', subject: '409' },
    ])
    expect(peer.declared).toEqual(['PUT /queues/yes', 'PUT /queues/no'])
    client.say('flow', { ...flow, handle: 0, deliveryCount: 2, linkCredit: 5, drain: true })
    expect((await client.next('flow')).fields).toMatchObject({ deliveryCount: 7, linkCredit: 0 })
  })

  it('it falls silent, and closes with any condition', async () => {
    const peer = await aPeer()
    const client = await dial(peer.port)
    peer.connections[0]?.close({ condition: 'amqp:not-allowed' })
    expect((await client.next('close')).fields.error?.condition).toBe('amqp:not-allowed')
    peer.connections[0]?.freeze()
    attachSender(client, 0, 'a')
    expect(await peer.until(() => peer.nodes.consumers('a') > 0, 100).catch(() => 'silent')).toBe('silent')
  })
})
