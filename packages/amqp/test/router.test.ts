import { randomUUID } from 'node:crypto'
import { Deadline, type Driver, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AmqpOptions } from '../src/config.ts'
import { degradedBy } from './support/health.ts'
import { openDriver } from './support/open-driver.ts'
import { type Router, startRouter } from './support/router.ts'

const within = (ms: number): Deadline => Deadline.after(ms)
const request = { context: {}, message: { method: 'm', args: {} } }
const pong = { result: 'pong', failure: null }

describe('a message router', () => {
  let router: Router
  let closers: (() => Promise<unknown>)[]
  let target: Target
  beforeEach(async () => {
    router = await startRouter()
    closers = [() => router.close()]
    target = new Target({ topic: `t-${randomUUID().slice(0, 8)}` })
  })
  afterEach(async () => {
    for (const close of closers.reverse()) await close()
  })
  const aDriver = async (options: Partial<AmqpOptions> = {}): Promise<Driver> => {
    const driver = await openDriver(`amqp://127.0.0.1:${router.port}/`, options)
    closers.push(() => driver.close({ signal: AbortSignal.timeout(200) }))
    return driver
  }
  const call = (driver: Driver, ms = 10_000): Promise<unknown> =>
    driver.send(target, request, {
      waitForReply: true,
      deadline: within(ms),
      expiresInMs: ms,
      callMonitorTimeoutMs: null,
      retries: null,
      atLeastOnce: false,
    })
  const notify = (driver: Driver, ms: number, retries: number | null): Promise<void> =>
    driver.sendNotification(
      new Target({ topic: `${target.topic}.info` }),
      {
        context: {},
        message: { message_id: 'm', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload: 1, timestamp: 't' },
      },
      { version: '2.0', deadline: within(ms), retries },
    )
  const echo = (incoming: IncomingRequest): void => {
    incoming.acknowledge()
    void incoming.reply(pong)
  }
  const serve = (driver: Driver): Promise<unknown> =>
    driver.listen(target.with({ server: 's' }), { deadline: within(10_000), prefetch: 10, onMessage: echo })
  const address = (): string => `openstack.org/om/rpc/anycast/openstack/${target.topic}`

  it('is spoken to in routable addresses, because of the product it names', async () => {
    await serve(await aDriver())
    expect(router.consumers(address())).toBe(1)
    expect(router.consumers(`openstack.org/om/rpc/unicast/openstack/${target.topic}/s`)).toBe(1)
    expect(router.consumers(`openstack.org/om/rpc/multicast/openstack/${target.topic}`)).toBe(1)
    expect(await call(await aDriver())).toEqual(pong)
  })

  it('nobody takes messages of the address - no credit: times out in phase publish, not sent (P22)', async () => {
    const client = await aDriver()
    await expect(call(client, 1_500)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'publish',
      delivery: 'not-sent',
    })
    const waiting = call(client)
    await serve(await aDriver())
    expect(await waiting).toEqual(pong)
  })

  it('the last listener has gone - released to the sender, who sends again until there is another', async () => {
    const first = await aDriver()
    const sender = await aDriver()
    const listen = async (driver: Driver, seen: () => void): Promise<unknown> =>
      await driver.listenForNotifications([{ target, priority: 'info' }], {
        deadline: within(5_000),
        prefetch: 10,
        pool: null,
        allowRequeue: true,
        onMessage(incoming) {
          seen()
          incoming.acknowledge()
        },
      })
    let seen = 0
    await listen(first, () => (seen += 1))
    await notify(sender, 5_000, null)
    await first.close()
    await expect(notify(sender, 5_000, 0)).rejects.toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY' })
    const waiting = notify(sender, 10_000, null)
    await expect.poll(() => router.outcomes.filter((outcome) => outcome === 'released').length).toBeGreaterThan(1)
    await listen(await aDriver(), () => (seen += 1))
    await waiting
    expect(seen).toBe(2)
  })

  it('a listener that hands a notification back - the sender hears it, for a router keeps nothing', async () => {
    const driver = await aDriver()
    let times = 0
    await driver.listenForNotifications([{ target, priority: 'info' }], {
      deadline: within(5_000),
      prefetch: 10,
      pool: null,
      allowRequeue: true,
      onMessage(incoming) {
        times += 1
        if (times === 1) incoming.requeue()
        else incoming.acknowledge()
      },
    })
    await notify(driver, 10_000, null)
    expect([times, router.outcomes]).toEqual([2, ['released', 'accepted']])
  })

  it('a link detached for want of a route - attached again, and calls work', async () => {
    const [server, client] = [await aDriver(), await aDriver()]
    await serve(server)
    expect(await call(client)).toEqual(pong)
    await degradedBy(server, () => router.detach(address(), 'qd:no-route-to-dest'))
    expect(await call(client)).toEqual(pong)
    expect(server.health().status).toBe('ok')
    expect(router.consumers(address())).toBe(1)
  })

  it('restarts - every link comes back once, calls under way end as REPLY_PATH_LOST or are answered (P14)', async () => {
    const [server, client] = [await aDriver(), await aDriver()]
    await serve(server)
    for (let round = 0; round < 5; round += 1) {
      await expect.poll(() => call(client, 2_000).catch(() => undefined), { timeout: 10_000 }).toEqual(pong)
      const underWay = Promise.allSettled(Array.from({ length: 20 }, () => call(client, 10_000)))
      await router.restart()
      for (const result of await underWay)
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: expect.stringMatching(/REPLY_PATH_LOST|DELIVERY/) })
    }
    expect(await call(client)).toEqual(pong)
    expect(router.consumers(address())).toBe(1)
  })
})
