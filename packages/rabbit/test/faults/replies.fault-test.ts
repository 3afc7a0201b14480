import { rmSync } from 'node:fs'
import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { rejection, waitFor } from '../support/load.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit')
})
afterAll(async () => await broker.close())

async function newVhost(): Promise<{ vhost: string; url: string }> {
  const vhost = unique('rep')
  await broker.control.vhost(vhost)
  return { vhost, url: broker.urlFor({ vhost }) }
}

const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })

describe('P03 - the way back', () => {
  it('P03 - the reply queue is deleted with 50 calls pending: all settle within five seconds, the 51st succeeds, the server goes on serving others', async () => {
    const { vhost, url } = await newVhost()
    const [client, other, server] = [openReal(url), openReal(url), openReal(url)]
    const target = new Target({ topic: unique('t') })
    const held: IncomingRequest[] = []
    const state = { hold: true }
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(
        (incoming) => {
          if (!state.hold) return echo(incoming)
          incoming.acknowledge()
          held.push(incoming)
        },
        { prefetch: 100 },
      ),
    )
    const calls = Array.from(
      { length: 50 },
      async (_, n) => await rejection(client.send(target, request(n), callOptions({ timeoutMs: 60_000 }))),
    )
    await waitFor('the requests', () => held.length === 50, 5000)
    state.hold = false
    const replyQueue = client.health().components.find(({ kind }) => kind === 'reply-path')?.name ?? ''
    expect(replyQueue).toMatch(/^reply_[0-9a-f]{32}$/)
    await broker.control.deleteQueue(replyQueue, vhost)
    const start = performance.now()
    const served = other.send(target, request(52), callOptions())
    expect(await client.send(target, request(51), callOptions())).toEqual({ result: 51, failure: null })
    expect(await served).toEqual({ result: 52, failure: null })
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST', delivery: 'unknown' })
    expect(performance.now() - start).toBeLessThan(5000)
    await listener.close()
    await Promise.all([client, other, server].map(async (driver) => await driver.close()))
  })

  it('P03 - the reply queue expired behind a healthy connection: noticed, restored, and the next call works', async () => {
    const { vhost, url } = await newVhost()
    const [client, server] = [openReal(url, { settings: { watchdogIntervalMs: 500 } }), openReal(url)]
    const target = new Target({ topic: unique('t') })
    const listener = await server.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await client.send(target, request(1), callOptions())
    const queue = client.health().components.find(({ kind }) => kind === 'reply-path')?.name ?? ''
    // The consumer is gone without a word, then the queue: what an expired reply queue looks like to its owner.
    await broker.control.eval(
      `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${queue}">>)),` +
        '[gen_server2:call(amqqueue:get_pid(Q),{basic_cancel,element(1,C),element(2,C),undefined,<<"me">>})||C<-rabbit_amqqueue:consumers(Q)],' +
        'rabbit_amqqueue:delete(Q,false,false,<<"me">>)',
    )
    await waitFor('the loss to be noticed', () => client.health().status !== 'ok', 5000)
    await waitFor('the queue to be restored', () => client.health().status === 'ok', 5000)
    expect(await client.send(target, request(2), callOptions())).toEqual({ result: 2, failure: null })
    await listener.close()
    await client.close()
    await server.close()
  })

  it('P03 - a reset while a call runs: the reply still arrives', async () => {
    const { vhost, url } = await newVhost()
    const proxy = await broker.proxy()
    const [client, server] = [openReal(broker.urlFor({ vhost, via: [proxy] })), openReal(url)]
    const target = new Target({ topic: unique('t') })
    const held: IncomingRequest[] = []
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => (incoming.acknowledge(), held.push(incoming))),
    )
    const call = client.send(target, request(1), callOptions({ timeoutMs: 10_000 }))
    await waitFor('the request', () => held.length === 1, 5000)
    proxy.reset()
    await held[0]?.reply({ result: 'kept', failure: null })
    expect(await call).toEqual({ result: 'kept', failure: null })
    await listener.close()
    await client.close()
    await server.close()
  })
})

describe('P22 - dead servers', () => {
  it('P22 - a monitored call whose server dies rejects as ServerLost after the monitor timeout, not after its own', async () => {
    const { url } = await newVhost()
    const [client, server] = [openReal(url), openReal(url)]
    const target = new Target({ topic: unique('t') })
    const beats: NodeJS.Timeout[] = []
    await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        incoming.acknowledge()
        beats.push(setInterval(() => void incoming.heartbeat(), 1000))
      }),
    )
    const start = performance.now()
    const call = rejection(
      client.send(target, request(1), callOptions({ timeoutMs: 600_000, callMonitorTimeoutMs: 2000 })),
    )
    await waitFor('the request', () => beats.length === 1, 5000)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    for (const beat of beats) clearInterval(beat)
    await server.close({ signal: AbortSignal.abort() })
    expect(await call).toMatchObject({ code: 'OSLO_MESSAGING_SERVER_LOST', monitorTimeoutMs: 2000 })
    expect(performance.now() - start).toBeLessThan(6000)
    await client.close()
  })

  it('P22 - a call nobody can take rejects as undeliverable at once when at-least-once is asked for', async () => {
    const { url } = await newVhost()
    const client = openReal(url)
    const start = performance.now()
    const error = await rejection(
      client.send(new Target({ topic: unique('nobody') }), request(1), callOptions({ atLeastOnce: true })),
    )
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_UNDELIVERABLE', exchange: 'openstack' })
    expect(performance.now() - start).toBeLessThan(2000)
    await client.close()
  })
})

describe('P17 - a blocked event loop', () => {
  it('P17 - held up for three heartbeats it recovers by itself, and the reason is named with its length', async () => {
    const { url } = await newVhost()
    const driver = openReal(url, { options: { heartbeat_timeout_threshold: 1 } })
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request(1), callOptions())
    const reasons: string[] = []
    const until = performance.now() + 4000
    while (performance.now() < until);
    await waitFor(
      'the loss',
      () => {
        for (const { reason } of driver.health().components) if (reason !== undefined) reasons.push(reason)
        return reasons.length > 0
      },
      5000,
    )
    expect(reasons.join('\n')).toMatch(/event loop was blocked for (3[5-9]|4)\d+ ms/)
    await waitFor('recovery', () => driver.health().status === 'ok', 5000)
    expect(await driver.send(target, request(2), callOptions())).toEqual({ result: 2, failure: null })
    await listener.close()
    await driver.close()
  })

  it('P17 - an idle connection stays', async () => {
    const { url } = await newVhost()
    const driver = openReal(url, { options: { heartbeat_timeout_threshold: 1 } })
    await driver.send(new Target({ topic: unique('t') }), request(1), castOptions())
    const [before] = driver.health().components
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(driver.health().components[0]).toEqual(before)
    await driver.close()
  })
})

describe('P20 - long handlers', () => {
  it('P20, P01 - acknowledged after it has run: the broker closes the channel with 406, the method goes on, runs once, and its reply arrives', async () => {
    await broker.control.eval(
      'application:set_env(rabbit,consumer_timeout,1000),application:set_env(rabbit,channel_tick_interval,500)',
    )
    try {
      const { vhost, url } = await newVhost()
      const driver = openReal(url, { settings: { ack: 'after' } })
      const topic = unique('t')
      let runs = 0
      const listener = await driver.listen(
        new Target({ topic, server: 'a' }),
        listenOptions<IncomingRequest>((incoming) => {
          runs += 1
          incoming.acknowledge()
          setTimeout(() => {
            void incoming.reply({ result: 'long', failure: null }).then(() => incoming.finished?.())
          }, 4000)
        }),
      )
      const reasons: string[] = []
      const watch = setInterval(() => {
        for (const { kind, reason } of driver.health().components)
          if (kind === 'listener' && reason !== undefined) reasons.push(reason)
      }, 1)
      expect(await driver.send(new Target({ topic }), request(1), callOptions({ timeoutMs: 10_000 }))).toEqual({
        result: 'long',
        failure: null,
      })
      clearInterval(watch)
      expect(reasons.join('\n')).toMatch(/acknowledgement.*timed out/)
      await waitFor('the listener', () => driver.health().status === 'ok', 5000)
      await waitFor(
        'the request to be gone',
        async () => (await broker.control.queue(topic, vhost))?.messages === 0,
        5000,
      )
      await listener.close()
      expect(await broker.control.queue(topic, vhost)).toMatchObject({ messages: 0 })
      expect(runs).toBe(1)
      await driver.close()
    } finally {
      await broker.control.eval(
        'application:set_env(rabbit,consumer_timeout,1800000),application:set_env(rabbit,channel_tick_interval,60000)',
      )
    }
  })

  it('P20 - longer than the consumer timeout of the broker: acknowledged before it runs, the channel stays and the reply arrives', async () => {
    await broker.control.eval(
      'application:set_env(rabbit,consumer_timeout,1000),application:set_env(rabbit,channel_tick_interval,500)',
    )
    try {
      const { url } = await newVhost()
      const driver = openReal(url)
      const target = new Target({ topic: unique('t') })
      const listener = await driver.listen(
        target.with({ server: 'a' }),
        listenOptions<IncomingRequest>((incoming) => {
          incoming.acknowledge()
          setTimeout(() => void incoming.reply({ result: 'long', failure: null }), 4000)
        }),
      )
      const since = () => driver.health().components.find(({ kind }) => kind === 'listener')?.sinceMs
      const before = since()
      expect(await driver.send(target, request(1), callOptions({ timeoutMs: 10_000 }))).toEqual({
        result: 'long',
        failure: null,
      })
      expect(since()).toBe(before)
      await listener.close()
      await driver.close()
    } finally {
      await broker.control.eval(
        'application:set_env(rabbit,consumer_timeout,1800000),application:set_env(rabbit,channel_tick_interval,60000)',
      )
    }
  })
})

describe('P24 - queues left behind', () => {
  it('P24 - with the queue manager a hundred restarts leave the number of queues as it was', async () => {
    const { vhost, url } = await newVhost()
    const options = {
      options: {
        use_queue_manager: true,
        hostname: unique('host'),
        processname: 'service',
        rabbit_transient_queues_ttl: 600,
      },
    }
    const topic = unique('t')
    const count = async () => Number(await broker.control.eval(`length(rabbit_amqqueue:list(<<"${vhost}">>))`))
    const counts: number[] = []
    for (let restart = 0; restart < 100; restart += 1) {
      const driver = openReal(url, options)
      const listener = await driver.listen(new Target({ topic, server: 'a' }), listenOptions<IncomingRequest>(echo))
      await driver.send(new Target({ topic }), request(1), callOptions())
      await listener.close()
      await driver.close()
      counts.push(await count())
      forgetNumbers(options.options.hostname)
    }
    expect(new Set(counts).size).toBe(1)
  })
})

/** A restarted process has a process group of its own, in which numbers start again. */
function forgetNumbers(hostname: string): void {
  rmSync(`/dev/shm/${hostname}_service_qmanager`, { force: true })
}
