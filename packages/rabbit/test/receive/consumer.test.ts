import { type IncomingNotification, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { amqpError, FakeBroker } from '../support/fake-broker.ts'
import { castOptions, listenOptions, openDriver } from '../support/open-driver.ts'

const target = new Target({ topic: 'demo', server: 'a' })
const body = (n: number) => JSON.stringify({ method: 'm', args: { n } })

async function serve(broker: FakeBroker, prefetch = 8, settings = {}) {
  const driver = openDriver(broker, { settings, options: { rabbit_interval_max: 1 } })
  const got: IncomingRequest[] = []
  const listener = await driver.listen(
    target,
    listenOptions<IncomingRequest>((request) => void got.push(request), { prefetch }),
  )
  const close = async () => {
    await listener.close()
    await driver.close()
  }
  return { driver, listener, got, close }
}

const numbers = (got: readonly IncomingRequest[]) => got.map(({ message }) => (message['args'] as { n: number }).n)

describe('listener', () => {
  it.each([
    ['the connection is reset', (broker: FakeBroker) => broker.open[0]?.drop()],
    [
      'its channel is closed',
      (broker: FakeBroker) => broker.open[0]?.channels.at(-1)?.end(amqpError(404, 'NOT_FOUND')),
    ],
    ['its queue is deleted', (broker: FakeBroker) => broker.deleteQueue('demo')],
  ])('P01 - goes on after %s, and health says so meanwhile', async (_what, lose) => {
    const broker = new FakeBroker()
    const { driver, got, close } = await serve(broker)
    lose(broker)
    expect(driver.health()).toMatchObject({ status: 'degraded' })
    expect(driver.health().components.find(({ kind }) => kind === 'listener')).toMatchObject({
      name: 'rpc demo.a',
      state: 'recovering',
      reason: expect.any(String) as string,
    })
    await expect.poll(() => driver.health().status).toBe('ok')
    broker.publish('openstack', 'demo', body(1))
    await expect.poll(() => numbers(got)).toEqual([1])
    await close()
  })

  it('P01 - one queue that is out of order leaves the others of its listener alone, and health names it until it is back', async () => {
    const broker = new FakeBroker()
    const { driver, got, close } = await serve(broker)
    const state = () => driver.health().components.find(({ kind }) => kind === 'listener')
    const channels = broker.open[0]?.channels.length
    broker.onMethod = (method, { queue }) => {
      if (method === 'queue.declare' && queue === 'demo')
        throw amqpError(404, "NOT_FOUND - home node 'x@y' of durable queue 'demo' in vhost '/' is down or inaccessible")
    }
    broker.deleteQueue('demo')
    await expect.poll(state).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/queue 'demo'.*home node.*others go on/) as string,
    })
    broker.publish('openstack', 'demo.a', body(1))
    expect(numbers(got)).toEqual([1])
    got[0]?.acknowledge()
    await expect.poll(() => broker.sent('basic.ack').length).toBe(1)
    // A lost connection brings back what can be had.
    broker.open[0]?.drop()
    await expect.poll(() => broker.open[0]?.channels.length).toBeGreaterThanOrEqual(channels ?? 0)
    broker.publish('openstack', 'demo.a', body(2))
    await expect.poll(() => numbers(got)).toEqual([1, 2])
    expect(state()).toMatchObject({ name: 'rpc demo.a', state: 'recovering' })
    broker.onMethod = () => {}
    await expect.poll(state, { timeout: 5000 }).toMatchObject({ state: 'consuming' })
    broker.publish('openstack', 'demo', body(3))
    await expect.poll(() => numbers(got)).toEqual([1, 2, 3])
    await close()
  })

  it('P01 - a queue that is refused when it is made again: the listener is failed, says why, and consumes when it is taken', async () => {
    const broker = new FakeBroker()
    const { driver, got, close } = await serve(broker)
    broker.onMethod = (method, { queue }) => {
      if (method === 'queue.declare' && queue === 'demo')
        throw amqpError(
          406,
          "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'demo' in vhost '/': received 'false' but current is 'true'",
        )
    }
    broker.deleteQueue('demo')
    await expect.poll(() => driver.health().status).toBe('failed')
    expect(driver.health().components.find(({ kind }) => kind === 'listener')?.reason).toMatch(/another 'durable'/)
    broker.onMethod = () => {}
    await expect.poll(() => driver.health().status, { timeout: 5000 }).toBe('ok')
    broker.publish('openstack', 'demo', body(1))
    expect(numbers(got)).toEqual([1])
    await close()
  })

  it('P23 - after a reconnect two listeners declare each entity once', async () => {
    const broker = new FakeBroker()
    const { driver, close } = await serve(broker)
    const other = await driver.listen(
      target.with({ server: 'b' }),
      listenOptions<IncomingRequest>(() => {}),
    )
    const before = broker.frames.length
    broker.open[0]?.drop()
    await expect.poll(() => driver.health().status, { timeout: 5000 }).toBe('ok')
    const declared = broker.frames
      .slice(before)
      .filter(({ method }) => method.endsWith('.declare'))
      .map(({ method, args }) => `${method} ${String(args['exchange'] ?? args['queue'])}`)
    const shared = declared.filter((entity) => !/fanout_|demo\.[ab]/.test(entity)).toSorted()
    // The queue they share is each one's own business: it may be gone for one alone.
    expect(shared).toEqual([
      'exchange.declare demo_fanout',
      'exchange.declare openstack',
      'queue.declare demo',
      'queue.declare demo',
    ])
    await other.close()
    await close()
  })

  it.each(['demo.a', 'demo'])(
    'P01 - notices that its consumer of %s is gone although nobody said so',
    async (queue) => {
      const broker = new FakeBroker()
      const { got, close } = await serve(broker, 8, { watchdogIntervalMs: 20 })
      broker.deafen(queue)
      broker.publish('openstack', queue, body(1))
      await expect.poll(() => numbers(got), { timeout: 3000 }).toEqual([1])
      await close()
    },
  )

  it('P15 - an error on one listener leaves the others alone', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const [one, two] = [new Target({ topic: 'one', server: 'a' }), new Target({ topic: 'two', server: 'a' })]
    const got: IncomingRequest[] = []
    const listeners = [
      await driver.listen(
        one,
        listenOptions<IncomingRequest>(() => {}),
      ),
      await driver.listen(
        two,
        listenOptions<IncomingRequest>((request) => void got.push(request)),
      ),
    ]
    const consuming = broker.frames.filter(({ method }) => method === 'basic.consume').length
    const channels = broker.open[0]?.channels.filter(({ isOpen }) => isOpen) ?? []
    channels[0]?.end(amqpError(406, 'PRECONDITION_FAILED - unknown delivery tag 7'))
    broker.publish('openstack', 'two', body(1))
    expect(numbers(got)).toEqual([1])
    await expect.poll(() => driver.health().status).toBe('ok')
    expect(broker.connections.length).toBe(1)
    expect(broker.frames.filter(({ method }) => method === 'basic.consume').length).toBe(consuming + 3)
    for (const listener of listeners) await listener.close()
    await driver.close()
  })

  it('is failed while its credentials are refused, says so, and consumes again when they are taken', async () => {
    const broker = new FakeBroker()
    const { driver, listener, got, close } = await serve(broker)
    let isOver = false
    listener.closed.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    broker.onConnect = () => {
      throw new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      )
    }
    broker.open[0]?.drop()
    const part = () => driver.health().components.find(({ kind }) => kind === 'listener')
    await expect.poll(() => part()?.state).toBe('failed')
    expect(part()?.reason).toMatch(/Login was refused/)
    broker.onConnect = () => {}
    await expect.poll(() => driver.health().status, { timeout: 5000 }).toBe('ok')
    expect(isOver).toBe(false)
    broker.publish('openstack', 'demo', body(1))
    expect(numbers(got)).toEqual([1])
    await close()
  })

  it('D16 - hands over no more than the prefetch, over all its queues together', async () => {
    const broker = new FakeBroker()
    const { got, close } = await serve(broker, 2)
    for (let n = 1; n <= 3; n += 1) broker.publish('openstack', 'demo', body(n))
    broker.publish('openstack', 'demo.a', body(4))
    expect(numbers(got)).toEqual([1, 2])
    got[0]?.acknowledge()
    expect(numbers(got)).toEqual([1, 2, 3])
    got[1]?.requeue()
    expect(numbers(got)).toEqual([1, 2, 3, 4])
    await close()
  })

  it('D16 - a request that expires while it waits here is not delivered', async () => {
    const broker = new FakeBroker()
    const { got, close } = await serve(broker, 1)
    broker.publish('openstack', 'demo', body(1))
    broker.publish('openstack', 'demo.a', body(2), { contentType: 'application/json', expiration: '0' })
    broker.publish('openstack', 'demo.a', body(3))
    got[0]?.acknowledge()
    expect(numbers(got)).toEqual([1, 3])
    await close()
  })

  it('D13 - after stop nothing is delivered, what is in hand can still be settled, and close gives the rest back', async () => {
    const broker = new FakeBroker()
    const { listener, got, driver } = await serve(broker, 2)
    for (let n = 1; n <= 4; n += 1) broker.publish('openstack', 'demo', body(n))
    await listener.stop()
    got[0]?.acknowledge()
    broker.publish('openstack', 'demo', body(5))
    expect(numbers(got)).toEqual([1, 2])
    await listener.close()
    await listener.closed
    const kept = broker.queues
      .get('demo')
      ?.messages.map(({ body: bytes }) => (JSON.parse(bytes.toString()) as { args: { n: number } }).args.n)
    expect(kept?.toSorted()).toEqual([2, 3, 4, 5])
    await driver.close()
  })

  it('a request that the broker took back aborts its signal; one that was acknowledged has none', async () => {
    const broker = new FakeBroker()
    const { got, driver, close } = await serve(broker)
    broker.publish('openstack', 'demo', body(1))
    broker.publish('openstack', 'demo', body(2))
    const [first, second] = got
    second?.acknowledge()
    broker.open[0]?.drop()
    expect(first?.signal?.aborted).toBe(true)
    expect(second?.signal).toBe(undefined)
    await expect.poll(() => driver.health().status).toBe('ok')
    await expect.poll(() => numbers(got).filter((n) => n === 1).length).toBe(2)
    await close()
  })

  it('a request that comes twice while it runs takes no place for good, with late acknowledgement', async () => {
    const broker = new FakeBroker()
    const { got, close } = await serve(broker, 4, { ack: 'after' })
    for (let n = 0; n < 30; n += 1) {
      const twice = JSON.stringify({ method: 'm', args: { n }, _unique_id: `id ${n}` })
      broker.publish('openstack', 'demo', twice)
      await expect.poll(() => got.length).toBe(n + 1)
      got[n]?.acknowledge()
      broker.publish('openstack', 'demo', twice)
      await new Promise((resolve) => setImmediate(resolve))
      got[n]?.finished?.()
    }
    const channels = broker.connections.flatMap((connection) => connection.channels)
    await expect.poll(() => channels.reduce((sum, { unacked }) => sum + unacked, 0)).toBe(0)
    expect(numbers(got)).toEqual(Array.from({ length: 30 }, (_, n) => n))
    await close()
  })

  it('P35 - what cannot be read is refused without requeue, and the next message is delivered', async () => {
    const broker = new FakeBroker()
    const { got, close } = await serve(broker, 1)
    broker.publish('openstack', 'demo', Buffer.from([0xff, 0xfe]))
    broker.publish('openstack', 'demo', 'no json')
    broker.publish('openstack', 'demo', body(1))
    expect(numbers(got)).toEqual([1])
    expect(broker.sent('basic.reject').map(({ args }) => args['requeue'])).toEqual([false, false])
    await close()
  })
})

describe('notification listener', () => {
  it('L5 requeue - delivers it again, marked as redelivered', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const got: IncomingNotification[] = []
    const listener = await driver.listenForNotifications(
      [{ target: new Target({ topic: 'n' }), priority: 'info' }],
      listenOptions<IncomingNotification>((notification) => {
        got.push(notification)
        if (got.length === 1) notification.requeue()
        else notification.acknowledge()
      }),
    )
    broker.publish('openstack', 'n.info', JSON.stringify({ event_type: 'e', _unique_id: 'x' }))
    await expect.poll(() => got.map(({ redelivered }) => redelivered)).toEqual([false, true])
    await listener.close()
    await driver.close()
  })

  it('a pool over two exchanges is one queue, bound to both and consumed once', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const sources = ['a', 'b'].map((exchange) => ({ target: new Target({ topic: 'n', exchange }), priority: 'info' }))
    const listener = await driver.listenForNotifications(
      sources,
      listenOptions<IncomingNotification>(() => {}, { pool: 'audit' }),
    )
    expect(
      broker
        .sent('queue.bind')
        .map(({ args }) => `${String(args['exchange'])} ${String(args['queue'])} ${String(args['routing_key'])}`),
    ).toEqual(['a audit n.info', 'b audit n.info'])
    expect(broker.sent('basic.consume').length).toBe(1)
    await listener.close()
    await driver.close()
  })
})

describe('streams', () => {
  const options = { rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true, rabbit_qos_prefetch_count: 10 }

  it('go on after the last offset seen when the connection breaks, and from the beginning of a stream that holds fewer: one that was made anew', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { options })
    let handled = 0
    const listener = await driver.listen(
      target,
      listenOptions<IncomingRequest>((request) => {
        handled += 1
        request.acknowledge()
      }),
    )
    const offsets = () =>
      broker
        .sent('basic.consume')
        .filter(({ args }) => args['queue'] === 'demo_fanout')
        .map(({ args }) => (args['arguments'] as Record<string, unknown>)['x-stream-offset'])
    const publish = (n: number, offset: number) =>
      broker.publish('demo_fanout', '', body(n), {
        contentType: 'application/json',
        headers: { 'x-stream-offset': offset },
      })
    const hold = (stored: number) => Object.assign(broker.queues.get('demo_fanout') ?? {}, { stored })
    publish(1, 41)
    hold(42)
    broker.open[0]?.drop()
    await expect.poll(offsets).toEqual(['last', 41])
    // Its oldest are gone: what is read again is not handled again.
    hold(10)
    broker.open[0]?.drop()
    await expect.poll(offsets, { timeout: 5000 }).toEqual(['last', 41, 'first'])
    publish(2, 40)
    publish(3, 42)
    await expect.poll(() => handled).toBe(2)
    broker.deleteQueue('demo_fanout')
    await expect.poll(offsets, { timeout: 5000 }).toEqual(['last', 41, 'first', 'first'])
    publish(4, 0)
    publish(5, 1)
    await expect.poll(() => handled).toBe(4)
    await listener.close()
    await driver.close()
  })
})

describe('close', () => {
  it('is idempotent, and leaves no connection', async () => {
    const broker = new FakeBroker()
    const { driver, listener } = await serve(broker)
    await driver.send(target, { context: {}, message: { method: 'm', args: {} } }, castOptions())
    await Promise.all([driver.close(), driver.close(), listener.close()])
    await driver.close()
    expect(broker.open).toEqual([])
  })
})
