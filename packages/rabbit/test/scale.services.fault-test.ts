import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  createDriverRegistry,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import {
  type DiagnosticEvents,
  Deadline,
  type IncomingNotification,
  type IncomingRequest,
} from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { rabbitDriver } from '../src/index.ts'
import { openReal, unique } from './support/broker.ts'
import { heapCollector } from './support/heap.ts'
import { JobProcess } from './support/job-process.ts'
import { notificationOf } from './support/notification.ts'
import { callOptions, castOptions, listenOptions } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()
const MIB = 2 ** 20

describe.skipIf(broker === undefined)('services under load', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it.each([
    { cache: 10_000, runs: 1000 },
    // The repeats come in the order of the first time: each drives out one id that was still to come.
    { cache: 16, runs: 2000 },
  ])(
    'P21 - the broker delivers 1,000 handled notifications again: with a cache of $cache ids handlers run $runs times, each repeat is counted as held back or handled again, and says that it is delivered again',
    async ({ cache, runs }) => {
      const vhost = unique('replay')
      const url = await broker.vhost(vhost)
      const proxy = await broker.proxy()
      const sender = openReal(url)
      const receiver = openReal(broker.urlFor({ vhost, via: [proxy] }), {
        settings: { duplicateCacheSize: cache },
        options: { kombu_reconnect_delay: 0.1 },
      })
      const topic = unique('t')
      let duplicates = 0
      const count = (event: unknown): void => {
        if ((event as DiagnosticEvents['oslo-messaging:message-dropped']).reason === 'duplicate') duplicates += 1
      }
      let again = 0
      const countAgain = (): void => void (again += 1)
      subscribe('oslo-messaging:message-dropped', count)
      subscribe('oslo-messaging:duplicate-handled', countAgain)
      const handled: IncomingNotification[] = []
      let replayed = false
      const listener = await receiver.listenForNotifications(
        [{ target: new Target({ topic }), priority: 'info' }],
        listenOptions<IncomingNotification>(
          (notification) => {
            handled.push(notification)
            if (replayed) notification.acknowledge()
          },
          { prefetch: 1000 },
        ),
      )
      await Promise.all(
        Array.from({ length: 1000 }, async (_, n) => {
          await sender.sendNotification(new Target({ topic: `${topic}.info` }), notificationOf(n), {
            version: '2.0',
            deadline: Deadline.after(10_000),
            retries: null,
          })
        }),
      )
      await expect.poll(() => handled.length, { timeout: 10_000 }).toBe(1000)
      // All are acknowledged here, and the connection is lost before the broker hears of it.
      for (const notification of handled) notification.acknowledge()
      replayed = true
      proxy.reset()
      await expect.poll(() => handled.length + duplicates, { timeout: 10_000 }).toBe(2000)
      expect(handled.length).toBe(runs)
      expect(duplicates).toBe(2000 - runs)
      expect(again).toBe(runs - 1000)
      expect(handled.slice(1000).every(({ redelivered }) => redelivered)).toBe(true)
      tell(
        `1,000 replayed, cache of ${cache}: handlers ran ${handled.length} times, ${duplicates} duplicates held back, ${again} counted as handled again`,
      )
      unsubscribe('oslo-messaging:message-dropped', count)
      unsubscribe('oslo-messaging:duplicate-handled', countAgain)
      await listener.close()
      await receiver.close()
      await sender.close()
      await proxy.close()
    },
  )

  it('P08 - SIGTERM with 200 handlers of 2 s under way: all replies arrive, nothing is delivered again, exit code 0', async () => {
    const url = await broker.vhost(unique('drain'))
    const topic = unique('t')
    await using service = new JobProcess('drain', url, { topic, workers: 200, handlerMs: 2000, drainMs: 20_000 })
    await service.fact('listening')
    const client = openReal(url)
    const calls = Array.from(
      { length: 200 },
      async (_, n) =>
        await client.send(
          new Target({ topic }),
          { context: {}, message: { method: 'slow', args: { n } } },
          callOptions({ timeoutMs: 30_000 }),
        ),
    )
    const answers = Promise.all(calls)
    await service.fact('started')
    service.terminate()
    expect(await answers).toEqual(Array.from({ length: 200 }, () => ({ result: 'done', failure: null })))
    expect(await service.exited).toBe(0)
    const told = await service.fact('inTime')
    expect(told).toMatchObject({ started: 200, finished: 200, inTime: true })
    tell(`drained: ${JSON.stringify(told)}`)
    // Nobody gets anything a second time.
    const again: IncomingRequest[] = []
    const other = await client.listen(
      new Target({ topic, server: 'b' }),
      listenOptions<IncomingRequest>((request) => again.push(request)),
    )
    await client.send(new Target({ topic }), { context: {}, message: { method: 'last', args: {} } }, castOptions())
    await expect.poll(() => again.map(({ message }) => message['method'])).toEqual(['last'])
    await other.close()
    await client.close()
  })

  it('P08 - with a drain of 1 s, 200 notifications whose handlers take longer are delivered once more elsewhere, none is lost', async () => {
    const url = await broker.vhost(unique('drain'))
    const topic = unique('t')
    const given = { topic, workers: 200, handlerMs: 20_000, drainMs: 1000, notifications: true }
    await using service = new JobProcess('drain', url, given)
    await service.fact('listening')
    const driver = openReal(url)
    for (let n = 0; n < 200; n += 1)
      await driver.sendNotification(new Target({ topic: `${topic}.info` }), notificationOf(n), {
        version: '2.0',
        deadline: Deadline.after(10_000),
        retries: null,
      })
    await service.fact('started')
    service.terminate()
    expect(await service.exited).toBe(0)
    const told = await service.fact('inTime')
    expect(told).toMatchObject({ finished: 0, inTime: false })
    expect(Number(told['tookMs'])).toBeLessThan(4000)
    const taken: IncomingNotification[] = []
    const listener = await driver.listenForNotifications(
      [{ target: new Target({ topic }), priority: 'info' }],
      listenOptions<IncomingNotification>((notification) => {
        taken.push(notification)
        notification.acknowledge()
      }),
    )
    await expect.poll(() => taken.length, { timeout: 10_000 }).toBe(200)
    expect(new Set(taken.map(({ message }) => message['payload'])).size).toBe(200)
    expect(taken.every(({ redelivered }) => redelivered)).toBe(true)
    tell(`drain of 1 s: ${JSON.stringify(told)}; ${taken.length} delivered once more elsewhere`)
    await listener.close()
    await driver.close()
  })

  it('P07 - a slow consumer with a backlog of 50,000: never more than the prefetch is unacknowledged, the heap stays flat', async () => {
    const vhost = unique('slow')
    const url = await broker.vhost(vhost)
    const driver = openReal(url, { options: { amqp_durable_queues: true } })
    const topic = unique('t')
    const prefetch = 32
    const collect = heapCollector()
    let handled = 0
    const slow = (request: IncomingRequest): void => {
      setTimeout(() => {
        request.acknowledge()
        handled += 1
      }, 10)
    }
    const target = new Target({ topic })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions(slow, { prefetch }))
    const text = 'x'.repeat(1024)
    let sent = 0
    const work = async (): Promise<void> => {
      while (sent < 50_000) {
        sent += 1
        await driver.send(
          target,
          { context: {}, message: { method: 'm', args: { text } } },
          castOptions({ timeoutMs: 60_000 }),
        )
      }
    }
    await Promise.all(Array.from({ length: 256 }, work))
    const unacknowledged =
      `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${topic}">>)),` +
      'proplists:get_value(messages_unacknowledged,rabbit_amqqueue:info(Q,[messages_unacknowledged]))'
    const heaps: number[] = []
    let most = 0
    for (let sample = 0; sample < 20; sample += 1) {
      most = Math.max(most, Number(await broker.control.eval(unacknowledged)))
      heaps.push(collect() / MIB)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    const [first = 0] = heaps
    tell(
      `backlog: ${handled} of 50,000 handled, most unacknowledged ${most} (prefetch ${prefetch}), heap ${first.toFixed(1)} to ${(heaps.at(-1) ?? 0).toFixed(1)} MiB`,
    )
    expect(handled).toBeGreaterThan(0)
    expect(handled).toBeLessThan(50_000)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(prefetch)
    expect(Math.max(...heaps)).toBeLessThan(first * 1.1 + 2)
    await listener.close()
    await driver.close()
  })

  it('500 servers in one process listen within 30 s, and answer, over two connections', async () => {
    const vhost = unique('many')
    const url = await broker.vhost(vhost)
    const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
    const transport = await getRpcTransport(await loadConfig(), { url, registry })
    class Echo {
      echo(_context: object, { n }: { n: number }): number {
        return n
      }
    }
    const topic = unique('t')
    const servers = Array.from({ length: 500 }, (_, index) =>
      getRpcServer(transport, new Target({ topic: `${topic}_${index % 50}`, server: `s${index}` }), [new Echo()]),
    )
    const startedAt = performance.now()
    await Promise.all(servers.map(async (server) => await server.start({ timeoutMs: 30_000 })))
    const tookMs = performance.now() - startedAt
    const client = getRpcClient<{ echo(args: { n: number }): number }>(transport, new Target({ topic: `${topic}_0` }))
    const answers = await Promise.all(
      servers.map(
        async (_, n) => await client.prepare({ topic: `${topic}_${n % 50}`, server: `s${n}` }).call({}, 'echo', { n }),
      ),
    )
    expect(answers).toEqual(servers.map((_, n) => n))
    const connections = Number(
      await broker.control.eval(
        `length([P||P<-rabbit_networking:local_connections(),(catch rabbit_networking:connection_info(P,[vhost]))=:=[{vhost,<<"${vhost}">>}]])`,
      ),
    )
    tell(`500 servers listen after ${Math.round(tookMs)} ms, over ${connections} connections`)
    expect(tookMs).toBeLessThan(30_000)
    // One to consume, one to publish replies and requests: blocked publishing must not stop consuming. Each server has
    // a channel.
    expect(connections).toBe(2)
    await Promise.all(servers.map(async (server) => await server.stop()))
    await Promise.all(servers.map(async (server) => await server.wait()))
    await transport.close()
  }, 120_000)
})
