import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import { type IncomingNotification, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { Arrivals, rejection, Traffic, unhandledDuring, waitFor } from '../support/load.ts'
import { callOptions, echo, listenOptions } from '../support/open-driver.ts'

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit')
})
afterAll(async () => await broker.close())

const quick = { options: { rabbit_interval_max: 2 }, settings: { watchdogIntervalMs: 2000 } }

/** Runs a fault under traffic: deliveries go on within ten seconds, health names the listener while they do not, and
 *  nothing escapes. */
async function survives(fault: (topic: string, vhost: string) => Promise<unknown>, seesGap = true): Promise<void> {
  const vhost = unique('p01')
  await broker.control.vhost(vhost)
  const url = broker.urlFor({ vhost })
  const unhandled = await unhandledDuring(async () => {
    const [sender, receiver] = [openReal(url, quick), openReal(url, quick)]
    const topic = unique('topic')
    const target = new Target({ topic })
    const arrivals = new Arrivals()
    const listener = await receiver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(arrivals.onMessage),
    )
    const traffic = new Traffic(sender, target)
    await waitFor('traffic', () => arrivals.numbers.length > 20, 5000)
    const degraded: unknown[] = []
    const watch = setInterval(() => {
      const { status, components } = receiver.health()
      const part = components.find(({ kind }) => kind === 'listener')
      if (status === 'degraded' && part?.state === 'recovering') degraded.push(part.name)
    }, 1)
    await fault(topic, vhost)
    const before = arrivals.numbers.length
    await waitFor('first delivery after the fault', () => arrivals.numbers.length > before + 20, 10_000)
    clearInterval(watch)
    if (seesGap) expect(degraded).toContain(`rpc ${topic}.a`)
    expect(receiver.health().status).toBe('ok')
    await traffic.stop()
    await listener.close()
    await sender.close()
    await receiver.close()
  })
  expect(unhandled).toEqual([])
}

/** Takes the consumers of a queue away inside the broker; nobody is told. */
async function deafen(queue: string, vhost: string): Promise<void> {
  await broker.control.eval(
    `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${queue}">>)),` +
      '[gen_server2:call(amqqueue:get_pid(Q),{basic_cancel,element(1,C),element(2,C),undefined,<<"me">>})||C<-rabbit_amqqueue:consumers(Q)]',
  )
}

describe('P01 - a listener goes on, under traffic, after', () => {
  it('P01 - its queue was deleted', async () =>
    await survives(async (topic, vhost) => await broker.control.deleteQueue(topic, vhost)))
  it('P01 - its consumer was taken away without a word', async () => await survives(deafen))
  it('P01 - its channel was closed with an error', async () =>
    await survives(async () => await broker.control.crashChannels()))
  it('P01 - its connection was closed by an operator', async () =>
    await survives(async (_topic, vhost) => await broker.control.closeAllConnections({ vhost })))
  it('P01 - its connection was reset', async () =>
    await survives(async (_topic, vhost) => await broker.control.dropAllConnections({ vhost })))
  it('P01 - the process of its queue crashed', async () =>
    await survives(async (topic, vhost) => await broker.control.crashQueue(topic, vhost), false))
  it('P01 - the broker was restarted', async () => await survives(async () => await broker.restart()))
  it('P01 - the broker was killed and started again', async () => {
    await survives(async () => {
      await broker.control.flush()
      await broker.kill()
      await broker.start()
    })
  }, 60_000)
  it('P01 - the broker was frozen for longer than the heartbeat', async () => {
    const vhost = unique('p01')
    await broker.control.vhost(vhost)
    const options = {
      options: { heartbeat_timeout_threshold: 2, rabbit_interval_max: 1 },
      settings: { connectTimeoutMs: 1000 },
    }
    const driver = openReal(broker.urlFor({ vhost }), options)
    const topic = unique('topic')
    const arrivals = new Arrivals()
    const listener = await driver.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>(arrivals.onMessage),
    )
    await broker.freeze()
    const noticedMs = await waitFor('the silence to be noticed', () => driver.health().status === 'degraded', 5000)
    expect(noticedMs).toBeGreaterThan(1000)
    await broker.thaw()
    await waitFor('recovery', () => driver.health().status === 'ok', 10_000)
    await listener.close()
    await driver.close()
  })
})

describe('P02 - restarts', () => {
  it('P02 - five restarts under load: nothing unhandled, calls settle typed, the next one works', async () => {
    const vhost = unique('p02')
    await broker.control.vhost(vhost)
    const url = broker.urlFor({ vhost })
    const unhandled = await unhandledDuring(async () => {
      const [client, server] = [openReal(url, quick), openReal(url, quick)]
      const target = new Target({ topic: unique('topic') })
      const listener = await server.listen(
        target.with({ server: 'a' }),
        listenOptions<IncomingRequest>(echo, { prefetch: 64 }),
      )
      const call = async (timeoutMs: number) =>
        await client.send(target, { context: {}, message: { method: 'm', args: { n: 1 } } }, callOptions({ timeoutMs }))
      const state = { running: true, answered: 0 }
      const load = Array.from({ length: 8 }, async () => {
        while (state.running)
          try {
            await call(2000)
            state.answered += 1
          } catch (error) {
            expect(error).toMatchObject({
              code: expect.stringMatching(/^OSLO_MESSAGING_/) as string,
              delivery: expect.any(String) as string,
            })
          }
      })
      for (let round = 0; round < 5; round += 1) {
        await broker.restart()
        const before = state.answered
        await waitFor('calls to be answered again', () => state.answered > before + 10, 15_000)
      }
      state.running = false
      await Promise.all(load)
      await listener.close()
      await client.close()
      await server.close()
    })
    expect(unhandled).toEqual([])
  }, 120_000)

  it('P02 - moves to the next host when the one in use goes away', async () => {
    const vhost = unique('p02')
    await broker.control.vhost(vhost)
    const [one, two] = [await broker.proxy(), await broker.proxy()]
    const driver = openReal(broker.urlFor({ vhost, via: [one, two] }), quick)
    const arrivals = new Arrivals()
    const target = new Target({ topic: unique('topic'), server: 'a' })
    const listener = await driver.listen(target, listenOptions<IncomingRequest>(arrivals.onMessage))
    for (const gone of [one, two]) {
      await gone.refuse()
      const traffic = new Traffic(driver, target)
      const before = arrivals.numbers.length
      await waitFor('deliveries through the other host', () => arrivals.numbers.length > before + 5, 10_000)
      await traffic.stop()
      await gone.accept()
    }
    await listener.close()
    await driver.close()
  })
})

describe('P15 - isolation', () => {
  it('P15 - a listener that is refused leaves another listener, replies and casts alone, on the same connection', async () => {
    const vhost = unique('p15')
    await broker.control.vhost(vhost)
    const driver = openReal(broker.urlFor({ vhost }), quick)
    const target = new Target({ topic: unique('fine') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const call = async () =>
      await driver.send(target, { context: {}, message: { method: 'm', args: { n: 1 } } }, callOptions())
    await call()
    const state = { running: true, answered: 0 }
    const load = (async () => {
      while (state.running) {
        await call()
        state.answered += 1
      }
    })()
    const refusedTopic = unique('refused')
    await declare(vhost, refusedTopic, { 'x-max-length': 5 })
    const since = driver.health().components.map(({ sinceMs }) => sinceMs)
    const error = await rejection(
      driver.listen(
        new Target({ topic: refusedTopic, server: 'a' }),
        listenOptions<IncomingRequest>(() => {}),
      ),
    )
    expect(error['brokerCode']).toBe(406)
    const before = state.answered
    await waitFor('calls', () => state.answered > before + 10, 5000)
    state.running = false
    await load
    expect(driver.health().components.map(({ sinceMs }) => sinceMs)).toEqual(since)
    await listener.close()
    await driver.close()
  })
})

describe('P16 - topology conflicts', () => {
  it('P16 - a queue that exists otherwise fails the start within two seconds, with the difference; queue and messages stay', async () => {
    const vhost = unique('p16')
    await broker.control.vhost(vhost)
    const topic = unique('topic')
    await declare(vhost, topic, {}, 'kept')
    const driver = openReal(broker.urlFor({ vhost }), { options: { amqp_durable_queues: true } })
    const start = performance.now()
    const error = await rejection(
      driver.listen(
        new Target({ topic, server: 'a' }),
        listenOptions<IncomingRequest>(() => {}),
      ),
    )
    expect(performance.now() - start).toBeLessThan(2000)
    expect(error.message).toContain("'durable'")
    expect(error.message).toMatch(/asked for: durable = true\n {2}it has: {4}durable = false/)
    expect(error.message).toContain('amqp_durable_queues')
    expect(await broker.control.queue(topic, vhost)).toEqual({ messages: 1, consumers: 0 })
    await driver.close()
  })
})

describe('P35 - unreadable messages', () => {
  it('P35 - prefetch 1 and garbage: the next message is handled within a second, where one alone takes no time', async () => {
    const vhost = unique('p35')
    await broker.control.vhost(vhost)
    const driver = openReal(broker.urlFor({ vhost }))
    const topic = unique('topic')
    const got: IncomingNotification[] = []
    const listener = await driver.listenForNotifications(
      [{ target: new Target({ topic }), priority: 'info' }],
      listenOptions<IncomingNotification>((notification) => (got.push(notification), notification.acknowledge()), {
        prefetch: 1,
      }),
    )
    const connection = await connect(amqpUrl(vhost), { noDelay: true })
    const channel = await connection.createConfirmChannel()
    const send = (body: Buffer): boolean =>
      channel.publish('openstack', `${topic}.info`, body, { contentType: 'application/json' })
    const readable = Buffer.from('{"event_type": "e"}')
    // What cannot be read is handed over as well, for the policy of the listener.
    const read = (): IncomingNotification[] => got.filter(({ unreadable }) => unreadable === undefined)
    // What one takes alone says how busy this machine is.
    const startedAt = performance.now()
    send(readable)
    await waitFor('one alone', () => read().length === 1, 10_000)
    const aloneMs = performance.now() - startedAt
    send(Buffer.from([0xff, 0x00]))
    send(readable)
    await waitFor('the readable one', () => read().length === 2, 1000 + 10 * aloneMs)
    await connection.close()
    await listener.close()
    await driver.close()
  })
})

function amqpUrl(vhost: string): string {
  return broker.urlFor({ vhost }).replace('rabbit://', 'amqp://')
}

async function declare(vhost: string, queue: string, table: Record<string, unknown>, message?: string): Promise<void> {
  const connection = await connect(amqpUrl(vhost), { noDelay: true })
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(queue, { durable: false, arguments: table })
  if (message !== undefined) channel.sendToQueue(queue, Buffer.from(message))
  await channel.waitForConfirms()
  await connection.close()
}
