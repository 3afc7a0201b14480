import { Deadline, isMessagingError, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { amqpError, FakeBroker } from '../support/fake-broker.ts'
import { callOptions, castOptions, openDriver, type OpenOptions } from '../support/open-driver.ts'

const request = (n = 1) => ({ context: {}, message: { method: 'm', args: { n } } })
const target = new Target({ topic: 'demo' })
const quick: OpenOptions = { options: { rabbit_retry_interval: 1 } }

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => {
      throw new Error('resolved')
    },
    (error: unknown) => error,
  )
}

/** A driver whose first cast has gone through, so that its channel is open. */
async function warm(broker: FakeBroker, options: OpenOptions = quick) {
  const driver = openDriver(broker, options)
  await driver.send(target, request(0), castOptions())
  return driver
}

const RAISE_MESSAGES = /^\d messages .* raise maxWaitingMessages of createRabbitDriver$/
const RAISE_BYTES = /^\d messages .* raise maxWaitingBytes of createRabbitDriver$/

describe('publishing', () => {
  it('P05 - confirmed: resolves when the broker has confirmed, not before', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.holdConfirms = true
    let settled = false
    const sent = driver.send(target, request(), castOptions()).then(() => {
      settled = true
    })
    await expect.poll(() => broker.sent('basic.publish').length).toBe(2)
    expect(settled).toBe(false)
    broker.settleHeld()
    await sent
    await driver.close()
  })

  it('P05 - returned: rejects with MessageUndeliverable, which names exchange and key', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    const error = await rejection(
      driver.send(target.with({ server: 'nobody' }), request(), castOptions({ atLeastOnce: true })),
    )
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_UNDELIVERABLE',
      exchange: 'openstack',
      routingKey: 'demo.nobody',
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('P05 - nacked: a fresh channel is tried, and the same message is sent', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.nack = true
    const sent = driver.send(target, request(), castOptions())
    await expect.poll(() => broker.sent('basic.publish').length).toBeGreaterThan(2)
    broker.nack = false
    await sent
    const [, ...tried] = broker.sent('basic.publish').map(({ args }) => args['body'])
    expect(new Set(tried).size).toBe(1)
    expect(broker.sent('confirm.select').length).toBeGreaterThan(1)
    await driver.close()
  })

  it('P05 - nacked: rejects when the attempts are spent, and says that a queue may have it', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.nack = true
    const error = await rejection(driver.send(target, request(), castOptions({ retries: 1 })))
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      attempts: 2,
      phase: 'confirm',
      delivery: 'unknown',
    })
    await driver.close()
  })

  it('P05 - unknown: a cast whose connection breaks before the confirm is not sent again, and says so', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.holdConfirms = true
    const failed = rejection(driver.send(target, request(), castOptions()))
    await expect.poll(() => broker.sent('basic.publish').length).toBe(2)
    broker.open[0]?.drop()
    expect(await failed).toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      phase: 'confirm',
      delivery: 'unknown',
      retryable: true,
    })
    broker.holdConfirms = false
    await driver.send(target, request(2), castOptions())
    expect(broker.sent('basic.publish').length).toBe(3)
    await driver.close()
  })

  it('P05 - unknown: a notification is sent again with the same id, which listeners recognise', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, quick)
    broker.holdConfirms = true
    const sent = driver.sendNotification(
      new Target({ topic: 'notifications.info' }),
      {
        context: {},
        message: { message_id: 'i', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload: 1, timestamp: 't' },
      },
      { version: '2.0', deadline: castOptions().deadline, retries: null },
    )
    await expect.poll(() => broker.sent('basic.publish').length).toBe(1)
    broker.holdConfirms = false
    broker.open[0]?.drop()
    await sent
    const [first, second] = broker.sent('basic.publish')
    expect(second?.args['body']).toBe(first?.args['body'])
    await driver.close()
  })

  it('P05 - unknown: what a dying connection may still be sending is not written over after the next attempt', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, quick)
    const notify = async (letter: string): Promise<void> =>
      await driver.sendNotification(
        new Target({ topic: 'notifications.info' }),
        {
          context: {},
          message: {
            message_id: 'i',
            publisher_id: 'p',
            event_type: 'e',
            priority: 'INFO',
            payload: letter.repeat(70_000),
            timestamp: 't',
          },
        },
        { version: '2.0', deadline: castOptions().deadline, retries: null },
      )
    broker.holdConfirms = true
    const sent = notify('a')
    await expect.poll(() => broker.sent('basic.publish').length).toBe(1)
    broker.holdConfirms = false
    broker.open[0]?.drop()
    await sent
    await notify('b')
    const [first] = broker.sent('basic.publish')
    expect(String(first?.args['bytes']) === first?.args['body']).toBe(true)
    await driver.close()
  })

  it('P06 - a deadline that passes before the confirm names that phase', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.holdConfirms = true
    const error = await rejection(driver.send(target, request(), castOptions({ timeoutMs: 50 })))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'confirm', delivery: 'unknown' })
    await driver.close({ signal: AbortSignal.abort() })
  })

  it('P06 - a deadline that passes before there is a connection names that phase, with the last failure as its cause', async () => {
    const broker = new FakeBroker()
    broker.onConnect = () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    }
    const driver = openDriver(broker, quick)
    const error = await rejection(driver.send(target, request(), castOptions({ timeoutMs: 50 })))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'connect', delivery: 'not-sent' })
    expect((error as Error).cause).toMatchObject({ brokerCode: 'ECONNREFUSED', host: 'broker:5672' })
    await driver.close()
  })

  it('C11 retry - 0 is one attempt to connect, N are N more', async () => {
    for (const retries of [0, 1]) {
      const broker = new FakeBroker()
      broker.onConnect = () => {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      }
      const driver = openDriver(broker, quick)
      const error = await rejection(driver.send(target, request(), castOptions({ retries })))
      expect(error).toMatchObject({
        code: 'OSLO_MESSAGING_DELIVERY',
        attempts: retries + 1,
        phase: 'connect',
        delivery: 'not-sent',
      })
      expect(broker.attempts.length).toBe(retries + 1)
      await driver.close()
    }
  })

  it('P07 - while the broker is blocked a send waits until its deadline, and goes on when it is free', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.open[0]?.onBlocked?.('low on memory')
    expect(driver.health()).toMatchObject({
      status: 'blocked',
      components: [{ state: 'blocked', reason: 'low on memory' }],
    })
    const error = await rejection(driver.send(target, request(), castOptions({ timeoutMs: 50 })))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'publish', delivery: 'not-sent' })
    expect((error as Error).message).toContain('low on memory')
    const sent = driver.send(target, request(2), castOptions())
    broker.open[0]?.onBlocked?.(null)
    await sent
    expect(driver.health().status).toBe('ok')
    expect(broker.sent('basic.publish').length).toBe(2)
    await driver.close()
  })

  it('P07 - more than may be outstanding waits for room and then fails with BackpressureError', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker, { settings: { maxOutstandingMessages: 2 } })
    broker.holdConfirms = true
    const first = [driver.send(target, request(), castOptions()), driver.send(target, request(), castOptions())]
    const error = await rejection(driver.send(target, request(), castOptions({ timeoutMs: 50 })))
    expect(isMessagingError(error, 'BACKPRESSURE')).toBe(true)
    const waiting = driver.send(target, request(), castOptions())
    broker.settleHeld()
    await Promise.all([...first, waiting])
    await driver.close()
  })

  it.each([
    { name: 'messages', settings: { maxWaitingMessages: 2 }, taken: 4, remedy: RAISE_MESSAGES },
    { name: 'bytes', settings: { maxWaitingBytes: 100 }, taken: 3, remedy: RAISE_BYTES },
  ])(
    'P07 - what waits to be sent is bounded by $name: more is refused at once, with the option to raise',
    async ({ settings, taken, remedy }) => {
      const broker = new FakeBroker()
      const driver = await warm(broker, { settings: { maxOutstandingMessages: 2, ...settings } })
      broker.holdConfirms = true
      const casts = Array.from({ length: 8 }, async () => await driver.send(target, request(), castOptions()))
      const refused = Promise.allSettled(casts.slice(taken))
      const sent = Promise.all(casts.slice(0, taken))
      for (const outcome of await refused)
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: {
            code: 'OSLO_MESSAGING_BACKPRESSURE',
            phase: 'publish',
            delivery: 'not-sent',
            message: expect.stringMatching(remedy) as string,
          },
        })
      broker.settleHeld()
      await sent
      await driver.send(target, request(), castOptions())
      await driver.close()
    },
  )

  it('P15 - hundreds of messages that a full queue refuses hold up no message to another exchange', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, quick)
    const full = target.with({ exchange: 'full' })
    const abort = new AbortController()
    const options = () => ({ ...castOptions(), deadline: Deadline.after(5000, { signal: abort.signal }) })
    broker.nack = 'full'
    // Before there is a connection, so that all of them wait.
    const refused = Array.from({ length: 600 }, async (_, n) => await driver.send(full, request(n), options()))
    const settled = Promise.allSettled(refused)
    await expect.poll(() => broker.sent('basic.publish').length).toBeGreaterThan(200)
    await driver.send(target, request(), castOptions({ timeoutMs: 500 }))
    abort.abort(new Error('enough'))
    await settled
    await driver.close({ signal: AbortSignal.abort() })
  })

  it('P08 - closing sends what stands in line, too, when the broker takes messages', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker, { settings: { maxOutstandingMessages: 300, maxWaitingMessages: 4000 } })
    broker.holdConfirms = true
    const casts = Array.from({ length: 3000 }, async (_, n) => await driver.send(target, request(n), castOptions()))
    const closing = driver.close()
    await expect.poll(() => broker.sent('basic.publish').length).toBe(301)
    // The fake takes what was written in the next turn.
    const taken = async () => await new Promise((resolve) => setImmediate(resolve))
    await taken()
    broker.settleHeld()
    broker.holdConfirms = true
    await expect.poll(() => broker.sent('basic.publish').length).toBe(301 + 256)
    await taken()
    // All of them in one turn, as one confirm with `multiple` does: for a moment nothing is outstanding.
    broker.settleHeld()
    await Promise.all(casts)
    await closing
    expect(broker.sent('basic.publish').length).toBe(3001)
  })

  it('P07 - without a connection no more wait than may', async () => {
    const broker = new FakeBroker()
    broker.onConnect = () => new Promise(() => {})
    const driver = openDriver(broker, { settings: { maxWaitingMessages: 2, maxPendingCalls: 2 } })
    const waiting = Array.from({ length: 2 }, async () => await driver.send(target, request(), castOptions()))
    const calls = Array.from({ length: 2 }, async () => await driver.send(target, request(), callOptions()))
    expect(await rejection(driver.send(target, request(), castOptions()))).toMatchObject({
      code: 'OSLO_MESSAGING_BACKPRESSURE',
      message: expect.stringMatching(RAISE_MESSAGES) as string,
    })
    expect(await rejection(driver.send(target, request(), callOptions()))).toMatchObject({
      code: 'OSLO_MESSAGING_BACKPRESSURE',
      message: '2 calls are under way already: await earlier ones, or raise maxPendingCalls of createRabbitDriver',
    })
    await driver.close({ signal: AbortSignal.abort() })
    for (const outcome of await Promise.allSettled([...waiting, ...calls]))
      expect(outcome).toMatchObject({ status: 'rejected' })
  })

  it('P07 - calls that wait are bounded by their bytes as well, and the error names that bound', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker, { settings: { maxOutstandingMessages: 2, maxWaitingBytes: 100 } })
    broker.holdConfirms = true
    const calls = Array.from({ length: 8 }, async () => await driver.send(target, request(), callOptions()))
    const outcomes = Promise.allSettled(calls)
    for (const outcome of await Promise.allSettled(calls.slice(3)))
      expect(outcome).toMatchObject({
        reason: { code: 'OSLO_MESSAGING_BACKPRESSURE', message: expect.stringMatching(RAISE_BYTES) as string },
      })
    await driver.close({ signal: AbortSignal.abort() })
    for (const outcome of (await outcomes).slice(0, 3))
      expect(outcome).toMatchObject({ reason: { code: 'OSLO_MESSAGING_CLOSED' } })
  })

  it('P07 - calls that wait are bounded as calls: many at once are no flood', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker, { settings: { maxOutstandingMessages: 2, maxWaitingMessages: 1 } })
    broker.holdConfirms = true
    const published = broker.sent('basic.publish').length
    const calls = Promise.allSettled(
      Array.from({ length: 10 }, async () => await driver.send(target, request(), callOptions())),
    )
    await expect.poll(() => broker.sent('basic.publish').length).toBe(published + 2)
    broker.holdConfirms = false
    broker.settleHeld()
    await expect.poll(() => broker.sent('basic.publish').length).toBe(published + 10)
    await driver.close({ signal: AbortSignal.abort() })
    for (const outcome of await calls)
      expect(outcome).toMatchObject({ reason: { code: expect.not.stringContaining('BACKPRESSURE') as string } })
  })

  it('P05 - what no frame can carry is refused once and for all, and the confirms of others stay theirs', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.holdConfirms = true
    const before = driver.send(target, request(1), castOptions())
    const channels = broker.sent('confirm.select').length
    const headers = { ['x'.repeat(256)]: '1' }
    expect(await rejection(driver.send(target, { ...request(), headers }, castOptions()))).toMatchObject({
      code: 'OSLO_MESSAGING_SERIALIZATION',
      delivery: 'not-sent',
    })
    const after = driver.send(target, request(2), castOptions())
    await expect.poll(() => broker.sent('confirm.select').length).toBe(channels + 1)
    broker.holdConfirms = false
    broker.settleHeld()
    await Promise.all([before, after])
    await driver.close()
  })

  it('P15 - an exchange that is refused does not touch the others', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    broker.onMethod = (method, { exchange }) => {
      if (method === 'exchange.declare' && exchange === 'forbidden')
        throw amqpError(403, "ACCESS_REFUSED - access to exchange 'forbidden'")
    }
    const refused = await rejection(driver.send(target.with({ exchange: 'forbidden' }), request(), castOptions()))
    expect(isMessagingError(refused, 'AUTHENTICATION')).toBe(true)
    await driver.send(target, request(2), castOptions())
    expect(broker.connections.length).toBe(1)
    await driver.close()
  })

  it('P15 - an exchange that vanished is declared again and the message sent', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, quick)
    const fanout = target.with({ fanout: true })
    await driver.send(fanout, request(0), castOptions())
    broker.exchanges.delete('demo_fanout')
    await driver.send(fanout, request(1), castOptions())
    expect(broker.exchanges.has('demo_fanout')).toBe(true)
    expect(broker.connections.length).toBe(1)
    await driver.close()
  })

  it('declares an exchange once for a connection, and again after a reconnect', async () => {
    const broker = new FakeBroker()
    const driver = await warm(broker)
    for (let n = 1; n <= 3; n += 1) await driver.send(target, request(n), castOptions())
    expect(broker.sent('exchange.declare').length).toBe(1)
    broker.open[0]?.drop()
    await driver.send(target, request(4), castOptions())
    expect(broker.sent('exchange.declare').length).toBe(2)
    await driver.close()
  })

  it('wrong credentials fail at once, without a second attempt', async () => {
    const broker = new FakeBroker()
    broker.onConnect = () => {
      throw new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      )
    }
    const driver = openDriver(broker, quick)
    expect(isMessagingError(await rejection(driver.send(target, request(), castOptions())), 'AUTHENTICATION')).toBe(
      true,
    )
    expect(broker.attempts.length).toBe(1)
    expect(driver.health().status).toBe('failed')
    await driver.close()
  })

  it('failover - a pass tries every host before it waits, each with its own credentials', async () => {
    const broker = new FakeBroker()
    broker.onConnect = ({ hostname }) => {
      if (hostname !== 'c') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    }
    const { TransportHost, TransportURL } = await import('@oslo-messaging/core/driver')
    const hosts = ['a', 'b', 'c'].map(
      (hostname) => new TransportHost({ hostname, username: `user-${hostname}`, password: 'p' }),
    )
    const driver = openDriver(broker, { url: new TransportURL({ transport: 'rabbit', hosts }) })
    await driver.send(target, request(), castOptions({ timeoutMs: 500 }))
    for (const { hostname, username } of broker.attempts) expect(username).toBe(`user-${hostname}`)
    expect(broker.attempts.at(-1)?.hostname).toBe('c')
    await driver.close()
  })
})
