import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import type { IncomingRequest } from '@oslo-messaging/core/driver'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRabbitDriver } from '../../src/index.ts'
import { openReal, unique } from '../support/broker.ts'
import { waitFor } from '../support/load.ts'
import { callOptions, castOptions, listenOptions } from '../support/open-driver.ts'

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit')
})
afterAll(async () => await broker.close())

async function notifications(options = '') {
  const vhost = unique('settle')
  await broker.control.vhost(vhost)
  const registry = createDriverRegistry({ drivers: [createRabbitDriver()], discover: false })
  const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
  const bus = await getNotificationTransport(conf, { url: broker.urlFor({ vhost }) + options, registry })
  const topic = unique('n')
  const notifier = new Notifier(bus, { publisherId: 'p', topics: [topic] })
  return { vhost, bus, topic, notifier }
}

async function amqp(vhost: string) {
  return await connect(broker.urlFor({ vhost }).replace('rabbit://', 'amqp://'), { noDelay: true })
}

describe('P09 - poison notifications', () => {
  it.each(['', '?rabbit_quorum_queue=true'])(
    'P09 - an endpoint that always throws: tried so often and no more, kept with its reason, and the next one is not held up (queue %s)',
    async (query) => {
      const onFailure = { attempts: 3, backoff: 200, then: 'dead-letter' } as const
      const { vhost, bus, topic, notifier } = await notifications(query)
      const tries: number[] = []
      const handled: unknown[] = []
      const endpoint = {
        info: (_ctxt: unknown, _publisher: unknown, _event: unknown, payload: unknown) => {
          if (payload !== 'poison') return void handled.push(payload)
          tries.push(performance.now())
          throw new RangeError('cannot digest this')
        },
      }
      const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], { onFailure })
      await listener.start()
      await notifier.info({ user: 'u' }, 'e', 'poison')
      await notifier.info({}, 'e', 'fine')
      await waitFor('the next one', () => handled.includes('fine'), 1000)
      const queue = `${topic}.info`
      await waitFor(
        'the dead letter',
        async () => (await broker.control.queue(`${queue}.dead`, vhost))?.messages === 1,
        5000,
      )
      expect(tries.length).toBe(3)
      for (const [index, at] of tries.entries())
        if (index > 0) expect(at - (tries[index - 1] ?? 0)).toBeGreaterThan(190)

      const connection = await amqp(vhost)
      const channel = await connection.createChannel()
      const dead = await channel.get(`${queue}.dead`, { noAck: true })
      if (dead === false) throw new Error('no dead letter')
      expect(dead.properties.headers).toMatchObject({
        'x-oslo-attempts': '3',
        'x-oslo-reason': 'RangeError: cannot digest this',
        'x-oslo-origin': queue,
        'x-oslo-stack': expect.stringContaining('RangeError') as string,
      })
      const envelope = JSON.parse(dead.content.toString()) as Record<string, string>
      expect(JSON.parse(envelope['oslo.message'] ?? '')).toMatchObject({ payload: 'poison', _context_user: 'u' })
      await connection.close()
      expect(await broker.control.queue(queue, vhost)).toMatchObject({ messages: 0 })
      await listener.stop()
      await listener.wait()
      await bus.close()
    },
  )

  it('P09 - what cannot be read takes the same way, with its reason', async () => {
    const { vhost, bus, topic } = await notifications()
    const onFailure = 'dead-letter'
    const listener = getNotificationListener(bus, [new Target({ topic })], [{ info: () => {} }], { onFailure })
    await listener.start()
    const connection = await amqp(vhost)
    const channel = await connection.createConfirmChannel()
    channel.publish('openstack', `${topic}.info`, Buffer.from('no json'), { contentType: 'application/json' })
    await waitFor(
      'the dead letter',
      async () => (await broker.control.queue(`${topic}.info.dead`, vhost))?.messages === 1,
      5000,
    )
    await connection.close()
    await listener.stop()
    await listener.wait()
    await bus.close()
  })

  it('P09 - an error text of 70,000 characters: the dead letter is kept with what fits, and the notification is not handled without end', async () => {
    const { vhost, bus, topic, notifier } = await notifications()
    let tries = 0
    const endpoint = {
      info: () => {
        tries += 1
        throw new Error('x'.repeat(70_000))
      },
    }
    const onFailure = { attempts: 2, backoff: 50, then: 'dead-letter' } as const
    const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], { onFailure })
    await listener.start()
    await notifier.info({}, 'e', 'x')
    const queue = `${topic}.info.dead`
    await waitFor('the dead letter', async () => (await broker.control.queue(queue, vhost))?.messages === 1, 5000)
    expect(tries).toBe(2)
    await listener.stop()
    await listener.wait()
    await bus.close()
  })

  it('P09 - stop: the listener ends with the error and the notification stays', async () => {
    const { vhost, bus, topic, notifier } = await notifications()
    const failure = new Error('give up')
    const listener = getNotificationListener(
      bus,
      [new Target({ topic })],
      [
        {
          info: () => {
            throw failure
          },
        },
      ],
      { onFailure: 'stop' },
    )
    await listener.start()
    const closed = listener.closed.catch((error: unknown) => error)
    await notifier.info({}, 'e', 'x')
    expect(await closed).toBe(failure)
    await waitFor(
      'it to be back',
      async () => (await broker.control.queue(`${topic}.info`, vhost))?.messages === 1,
      5000,
    )
    await bus.close()
  })

  it('P09 - discard: rejected, and gone when the queue has no dead-letter exchange', async () => {
    const { vhost, bus, topic, notifier } = await notifications()
    let tries = 0
    const listener = getNotificationListener(
      bus,
      [new Target({ topic })],
      [
        {
          info: () => {
            tries += 1
            throw new Error('no')
          },
        },
      ],
      { onFailure: 'discard' },
    )
    await listener.start()
    await notifier.info({}, 'e', 'x')
    await waitFor('it to be tried', () => tries === 1, 5000)
    await listener.stop()
    await listener.wait()
    expect(await broker.control.queue(`${topic}.info`, vhost)).toMatchObject({ messages: 0 })
    await bus.close()
  })
})

describe('P20 - when a request is acknowledged', () => {
  /** A server dies while it works on a request; another one stands by. */
  async function death(ack: 'before' | 'after'): Promise<readonly string[]> {
    const vhost = unique('ack')
    await broker.control.vhost(vhost)
    const url = broker.urlFor({ vhost })
    const topic = unique('t')
    const ran: string[] = []
    const serve = async (name: string) => {
      const driver = openReal(url, { settings: { ack } })
      await driver.listen(
        new Target({ topic, server: name }),
        listenOptions<IncomingRequest>((request) => {
          request.acknowledge()
          ran.push(name)
          if (name === 'dying') return
          void request.reply({ result: name, failure: null }).then(() => request.finished?.())
        }),
      )
      return driver
    }
    const dying = await serve('dying')
    const client = openReal(url)
    const request = { context: {}, message: { method: 'm', args: {} } }
    const call = client.send(new Target({ topic }), request, callOptions({ timeoutMs: 3000 })).then(
      (reply) => reply?.result,
      () => 'timeout',
    )
    await waitFor('the first server to begin', () => ran.length === 1, 5000)
    const heir = await serve('heir')
    // As if the process were gone: nothing is settled any more.
    await dying.close({ signal: AbortSignal.abort() })
    const outcome = await call
    await heir.close()
    await client.close()
    return [...ran, String(outcome)]
  }

  it('P20 - before (as oslo): what a dying server was working on is lost, and runs at most once', async () => {
    expect(await death('before')).toEqual(['dying', 'timeout'])
  })

  it('P20 - after: it is delivered again to another server, which answers', async () => {
    expect(await death('after')).toEqual(['dying', 'heir', 'heir'])
  })

  it('P20 - after: a reset while the method runs does not run it again here, and it is acknowledged once', async () => {
    const vhost = unique('ack')
    await broker.control.vhost(vhost)
    const registry = createDriverRegistry({ drivers: [createRabbitDriver({ ack: 'after' })], discover: false })
    const transport = await getRpcTransport(await loadConfig(), { url: broker.urlFor({ vhost }), registry })
    const topic = unique('t')
    let runs = 0
    const gate = { open: () => {} }
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve
    })
    const server = getRpcServer(transport, new Target({ topic, server: 'a' }), [
      {
        async work() {
          runs += 1
          await opened
        },
      },
    ])
    await server.start()
    const client = openReal(broker.urlFor({ vhost }))
    await client.send(new Target({ topic }), { context: {}, message: { method: 'work', args: {} } }, castOptions())
    await waitFor('the method to run', () => runs === 1, 5000)
    await broker.control.dropAllConnections({ vhost })
    await waitFor('recovery', () => transport.health().status === 'ok', 10_000)
    await waitFor(
      'the request to be redelivered',
      async () => (await broker.control.queue(topic, vhost))?.messages === 0,
      5000,
    )
    gate.open()
    await server.stop()
    await server.wait()
    expect(runs).toBe(1)
    expect(await broker.control.queue(topic, vhost)).toMatchObject({ messages: 0 })
    await transport.close()
    await client.close()
  })
})
