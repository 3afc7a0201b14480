import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type IncomingRequest, isMessagingError, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { FakeBroker } from '../support/fake-broker.ts'
import { callOptions, castOptions, echo, listenOptions, openDriver } from '../support/open-driver.ts'

const target = new Target({ topic: 'demo' })
const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })

async function settled(promise: Promise<unknown>): Promise<unknown> {
  return await promise.catch((error: unknown) => error)
}

/** Client and server over one broker; the server holds requests back until `answer`. */
async function pair() {
  const broker = new FakeBroker()
  const [client, server] = [openDriver(broker), openDriver(broker)]
  const held: IncomingRequest[] = []
  const state = { hold: false }
  const listener = await server.listen(
    target.with({ server: 'a' }),
    listenOptions<IncomingRequest>(
      (incoming) => {
        if (state.hold) held.push(incoming)
        else echo(incoming)
      },
      { prefetch: 100 },
    ),
  )
  expect(await client.send(target, request(0), callOptions())).toEqual({ result: 0, failure: null })
  const replyQueue = [...broker.queues.keys()].find((name) => name.startsWith('reply_')) ?? ''
  const close = async () => {
    await listener.close()
    await client.close()
    await server.close()
  }
  /** The connection on which the client waits for replies. */
  const consuming = () =>
    broker.connections[broker.sent('basic.consume').find(({ args }) => args['queue'] === replyQueue)?.connection ?? -1]
  return { broker, client, server, held, state, replyQueue, consuming, close }
}

describe('reply path', () => {
  it('P03 - the reply queue is deleted: pending calls settle as ReplyPathLost, and the next call works at once', async () => {
    const { broker, client, held, state, replyQueue, close } = await pair()
    state.hold = true
    const calls = Array.from(
      { length: 50 },
      async (_, n) => await settled(client.send(target, request(n), callOptions({ timeoutMs: 60_000 }))),
    )
    await expect.poll(() => held.length).toBe(50)
    state.hold = false
    broker.deleteQueue(replyQueue)
    expect(await client.send(target, request(51), callOptions())).toEqual({ result: 51, failure: null })
    const outcomes = await Promise.all(calls)
    expect(outcomes.length).toBe(50)
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST', phase: 'reply', delivery: 'unknown' })
    expect(broker.queues.has(replyQueue)).toBe(true)
    await close()
  })

  it('P03 - a reply that was on its way while the queue was missing still arrives', async () => {
    const { broker, client, held, state, replyQueue, consuming, close } = await pair()
    state.hold = true
    const call = client.send(target, request(1), callOptions())
    await expect.poll(() => held.length).toBe(1)
    broker.queues.delete(replyQueue)
    for (const incoming of held) echo(incoming)
    await expect.poll(() => broker.sent('basic.publish').length).toBe(4)
    for (const channel of consuming()?.channels ?? []) channel.end(new Error('Channel closed'))
    expect(await call).toEqual({ result: 1, failure: null })
    await close()
  })

  it('P03 - a connection that breaks while the queue stays costs no call its reply', async () => {
    const { client, held, state, consuming, close } = await pair()
    state.hold = true
    const call = client.send(target, request(1), callOptions())
    await expect.poll(() => held.length).toBe(1)
    const [incoming] = held
    incoming?.acknowledge()
    consuming()?.drop()
    await incoming?.reply({ result: 'late but there', failure: null })
    expect(await call).toEqual({ result: 'late but there', failure: null })
    await close()
  })

  it('C17 late replies - one for a call that has ended is dropped', async () => {
    const { client, held, state, close } = await pair()
    state.hold = true
    const call = settled(client.send(target, request(1), callOptions({ timeoutMs: 50 })))
    expect(await call).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'reply', delivery: 'confirmed' })
    for (const incoming of held) echo(incoming)
    state.hold = false
    expect(await client.send(target, request(2), callOptions())).toEqual({ result: 2, failure: null })
    await close()
  })

  it('calls that wait reject with CLOSED when the driver closes', async () => {
    const { client, held, state, close } = await pair()
    state.hold = true
    const call = settled(client.send(target, request(1), callOptions()))
    await expect.poll(() => held.length).toBe(1)
    await client.close()
    expect(isMessagingError(await call, 'CLOSED')).toBe(true)
    await close()
  })
})

describe('replies to a missing queue', () => {
  const orphan = { method: 'm', args: { n: 1 }, _msg_id: 'id', _reply_q: 'reply_gone', _timeout: null }

  it('S14 - are tried every 0.25 s with a new id, until the queue is there', async () => {
    const broker = new FakeBroker()
    const server = openDriver(broker)
    const listener = await server.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    broker.publish('', 'demo', JSON.stringify(orphan))
    await expect.poll(() => broker.sent('basic.publish').length, { timeout: 3000 }).toBe(3)
    const ids = broker
      .sent('basic.publish')
      .map(({ args }) => /_unique_id[\\": ]+([0-9a-f]{32})/.exec(String(args['body']))?.[1])
    expect(new Set(ids).size).toBe(3)
    broker.queues.set('reply_gone', {
      declaration: { name: 'reply_gone', durable: false, autoDelete: false, arguments: {} },
      messages: [],
      consumers: [],
    })
    await expect.poll(() => broker.queues.get('reply_gone')?.messages.length, { timeout: 2000 }).toBe(1)
    await listener.close()
    await server.close()
  })

  it('S14 - are given up after kombu_missing_consumer_retry_timeout, and further ones to that queue are not tried', async () => {
    const broker = new FakeBroker()
    const server = openDriver(broker, { options: { kombu_missing_consumer_retry_timeout: 1 } })
    const listener = await server.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    broker.publish('', 'demo', JSON.stringify(orphan))
    await expect.poll(() => broker.sent('basic.publish').length, { timeout: 3000 }).toBeGreaterThan(2)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    const tried = broker.sent('basic.publish').length
    broker.publish('', 'demo', JSON.stringify({ ...orphan, args: { n: 2 } }))
    await expect.poll(() => broker.queues.get('demo')?.messages.length).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(broker.sent('basic.publish').length).toBe(tried)
    await listener.close()
    await server.close()
  })

  it('cost a few messages a second for each queue, however many wait for it, and all arrive when it is back', async () => {
    const broker = new FakeBroker()
    const server = openDriver(broker)
    const listener = await server.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    for (let n = 0; n < 500; n += 1)
      broker.publish('', 'demo', JSON.stringify({ ...orphan, _msg_id: `id ${n}`, args: { n } }))
    await expect.poll(() => broker.sent('basic.publish').length, { timeout: 5000 }).toBeGreaterThanOrEqual(500)
    const before = broker.sent('basic.publish').length
    await new Promise((resolve) => setTimeout(resolve, 2000))
    expect(broker.sent('basic.publish').length - before).toBeLessThanOrEqual(10)
    broker.queues.set('reply_gone', {
      declaration: { name: 'reply_gone', durable: false, autoDelete: false, arguments: {} },
      messages: [],
      consumers: [],
    })
    await expect.poll(() => broker.queues.get('reply_gone')?.messages.length, { timeout: 3000 }).toBe(500)
    await listener.close()
    await server.close()
  })

  it('hold a bounded number of bytes: what is more is given up at once, and said', async () => {
    const abandoned: unknown[] = []
    const note = (event: unknown): unknown => abandoned.push(event)
    subscribe('oslo-messaging:reply-abandoned', note)
    const broker = new FakeBroker()
    const server = openDriver(broker)
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        incoming.acknowledge()
        void incoming.reply({ result: 'x'.repeat(200_000), failure: null })
      }),
    )
    for (let n = 0; n < 60; n += 1) broker.publish('', 'demo', JSON.stringify({ ...orphan, args: { n } }))
    // 12 MB of replies for one client.
    await expect.poll(() => abandoned.length, { timeout: 5000 }).toBeGreaterThan(10)
    expect(abandoned.length).toBeLessThan(30)
    await listener.close()
    await server.close()
    unsubscribe('oslo-messaging:reply-abandoned', note)
    expect(abandoned.length).toBe(60)
  })

  it('P03 - do not hold the server: others are answered meanwhile', async () => {
    const broker = new FakeBroker()
    const [client, server] = [openDriver(broker), openDriver(broker)]
    let replied = 0
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(
        (incoming) => {
          incoming.acknowledge()
          void incoming.reply({ result: 1, failure: null }).then(() => (replied += 1))
        },
        { prefetch: 1 },
      ),
    )
    broker.publish('', 'demo', JSON.stringify(orphan))
    await expect.poll(() => replied).toBe(1)
    expect(await client.send(target, request(1), callOptions())).toEqual({ result: 1, failure: null })
    await listener.close()
    await client.close()
    await server.close()
  })

  it('D15 heartbeats - one that cannot be routed says so, and is not repeated', async () => {
    const broker = new FakeBroker()
    const server = openDriver(broker)
    const beats: boolean[] = []
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        incoming.acknowledge()
        void incoming.heartbeat().then((alive) => beats.push(alive))
      }),
    )
    broker.publish('', 'demo', JSON.stringify(orphan))
    await expect.poll(() => beats).toEqual([false])
    expect(broker.sent('basic.publish').length).toBe(1)
    await listener.close()
    await server.close()
  })
})

describe('casts', () => {
  it('get no reply, whatever the server sends', async () => {
    const { broker, client, held, state, close } = await pair()
    state.hold = true
    await client.send(target, request(1), castOptions())
    await expect.poll(() => held.length).toBe(1)
    const [incoming] = held
    const before = broker.sent('basic.publish').length
    await incoming?.reply({ result: 1, failure: null })
    expect(await incoming?.heartbeat()).toBe(false)
    expect(broker.sent('basic.publish').length).toBe(before)
    await close()
  })
})
