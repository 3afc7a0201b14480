import { randomUUID } from 'node:crypto'
import { Deadline, type Driver, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AmqpOptions } from '../src/config.ts'
import { artemis } from './support/artemis.ts'
import { openDriver } from './support/open-driver.ts'

/** What a real broker and a bad network do. Every driver of this file must leave the console alone. */
// What has no expiry must not get one: the depth of a queue is counted long after the messages were sent.
const broker = await artemis({ config: { 'test.min.expiry': '-1' } })

let closers: (() => Promise<unknown>)[]
let target: Target
beforeEach(() => {
  closers = []
  target = new Target({ topic: `t-${randomUUID().slice(0, 8)}` })
  vi.spyOn(console, 'error')
  vi.spyOn(console, 'warn')
})
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  expect(console.error).not.toHaveBeenCalled()
  expect(console.warn).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

async function aDriver(url: string, options: Partial<AmqpOptions> = {}): Promise<Driver> {
  const driver = await openDriver(url, options, { random: () => 0 })
  closers.push(() => driver.close({ signal: AbortSignal.timeout(200) }))
  return driver
}
const within = (ms: number): Deadline => Deadline.after(ms)
const request = { context: {}, message: { method: 'm', args: {} } }
const call = (driver: Driver, ms = 10_000): Promise<unknown> =>
  driver.send(target, request, {
    waitForReply: true,
    deadline: within(ms),
    expiresInMs: ms,
    callMonitorTimeoutMs: null,
    retries: null,
    atLeastOnce: false,
  })
const echo = (incoming: IncomingRequest): void => {
  incoming.acknowledge()
  void incoming.reply({ result: 'pong', failure: null })
}
const serve = (driver: Driver, onMessage = echo): Promise<unknown> =>
  driver.listen(target.with({ server: 's' }), { deadline: within(20_000), prefetch: 10, onMessage })
const notify = (driver: Driver, payload: unknown = 1, ms = 10_000): Promise<void> =>
  driver.sendNotification(
    new Target({ topic: `${target.topic}.info` }),
    {
      context: {},
      message: { message_id: 'm', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload, timestamp: 't' },
    },
    { version: '2.0', deadline: within(ms), retries: null },
  )
const pong = { result: 'pong', failure: null }
const answers = (driver: Driver, timeout = 20_000): Promise<void> =>
  expect.poll(() => call(driver, 3_000).catch((error: unknown) => error), { timeout }).toEqual(pong)
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )

describe.skipIf(broker === undefined)('faults on Artemis', () => {
  if (broker === undefined) return
  afterAll(() => broker.close())
  const address = (kind = 'rpc'): string => `openstack.org/om/${kind}/anycast/openstack/${target.topic}`

  it('forced detach - the queue is deleted under a server: it is attached again', async () => {
    const server = await aDriver(broker.url)
    await serve(server)
    const client = await aDriver(broker.url)
    await answers(client)
    await broker.destroyQueue(address())
    await answers(client)
    await expect.poll(() => server.health().status, { timeout: 10_000 }).toBe('ok')
  })

  it('every connection cut without a word - calls under way end as REPLY_PATH_LOST, the next one works', async () => {
    const [server, client] = [await aDriver(broker.url), await aDriver(broker.url)]
    let seen = 0
    await serve(server, (incoming) => {
      seen += 1
      if (seen > 1) echo(incoming)
      else incoming.acknowledge()
    })
    const waiting = rejection(call(client, 30_000))
    await expect.poll(() => seen, { timeout: 10_000 }).toBe(1)
    await broker.cutConnections()
    expect(await waiting).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST', delivery: 'confirmed' })
    await answers(client)
  })

  it('a call that nobody serves says confirmed only because a queue has it', async () => {
    const driver = await aDriver(broker.url, { addressing_mode: 'legacy' })
    await expect(call(driver, 500)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
      delivery: 'confirmed',
    })
    expect(await broker.depth(`unicast.openstack.${String(target.topic)}`)).toBe(1)
  })

  it('credit withheld - the blocked address times out in phase publish, not sent, health blocked; free again it goes on', async () => {
    const driver = await aDriver(broker.url)
    await notify(await aDriver(broker.url))
    const name = `${address('notify')}.info`
    await broker.block(name)
    const blocked = rejection(notify(driver, 1, 2_500))
    await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('blocked')
    expect(await blocked).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'publish', delivery: 'not-sent' })
    const waiting = notify(driver, 1, 20_000)
    await broker.unblock(name)
    await waiting
    expect(driver.health().status).toBe('ok')
  })

  it('address missing and not made - times out with the refusal as its cause', async () => {
    const driver = await aDriver(broker.url, { addressing_mode: 'legacy', group_request_prefix: 'nocreate' })
    expect(await rejection(notify(driver, 1, 2_500))).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'not-sent',
      cause: { brokerCode: 'amqp:not-found' },
    })
  })

  it('permission missing - AUTHENTICATION at once', async () => {
    const driver = await aDriver(broker.urlFor({ user: 'reader', password: 'reader' }), {
      addressing_mode: 'legacy',
      group_request_prefix: 'DLQ',
    })
    await notify(await aDriver(broker.url, { addressing_mode: 'legacy', group_request_prefix: 'DLQ' }))
    const startedAt = performance.now()
    expect(await rejection(notify(driver, 1, 20_000))).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it('wrong password - AUTHENTICATION at once and for good, without the password in it', async () => {
    const driver = await aDriver(broker.urlFor({ password: 'wr0ng-pass' }))
    const error = await rejection(notify(driver, 1, 20_000))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
    expect(String(error)).not.toContain('wr0ng-pass')
    expect(driver.health().status).toBe('failed')
  })

  it('black hole - a call ends at its deadline; with idle_timeout the connection is found dead and mended', async () => {
    const proxy = await broker.broker.proxy()
    const url = broker.urlFor({ via: [proxy] })
    await serve(await aDriver(broker.url))
    const client = await aDriver(url, { idle_timeout: 2 })
    await answers(client)
    proxy.blackhole()
    const startedAt = performance.now()
    expect(await rejection(call(client, 2_000))).toMatchObject({
      code: expect.stringMatching(/TIMEOUT|REPLY_PATH_LOST/),
    })
    expect(performance.now() - startedAt).toBeLessThan(2_250)
    await expect.poll(() => client.health().status, { timeout: 10_000 }).toBe('degraded')
    proxy.pass()
    await answers(client)
  })

  it('half-open - the broker is frozen: idle_timeout notices, and the next host takes over', async () => {
    const other = await artemis()
    if (other === undefined) throw new Error('no second broker')
    closers.push(() => other.close())
    const [first, second] = [broker.broker.hosts[0], other.broker.hosts[0]]
    if (first === undefined || second === undefined) throw new Error('no hosts')
    const url = broker.urlFor({ via: [first, second] })
    const [server, client] = [await aDriver(url, { idle_timeout: 2 }), await aDriver(url, { idle_timeout: 2 })]
    await serve(server)
    await answers(client)
    await broker.broker.freeze()
    try {
      await answers(client, 40_000)
      expect(client.health().components.find(({ kind }) => kind === 'connection')?.host).toBe(
        `127.0.0.1:${second.port}`,
      )
    } finally {
      await broker.broker.thaw()
    }
  })

  it('broker killed in the middle of 2,000 notifications - every promise ends, and nothing resolved is missing (P05)', async () => {
    const driver = await aDriver(broker.url)
    await notify(driver, 'first')
    let resolved = 1
    const sendOne = async (n: number): Promise<void> => {
      await notify(driver, n, 60_000)
      resolved += 1
    }
    const all = Promise.allSettled(Array.from({ length: 2_000 }, (_, n) => sendOne(n)))
    await expect.poll(() => resolved, { timeout: 20_000 }).toBeGreaterThan(100)
    await broker.broker.kill()
    await broker.broker.start()
    const results = await all
    const failed = results.filter((result) => result.status === 'rejected')
    for (const { reason } of failed) expect(reason).toMatchObject({ delivery: 'unknown' })
    expect(await broker.depth(`${address('notify')}.info`)).toBeGreaterThanOrEqual(resolved)
  })

  it('20 resets and restarts - everything is attached again, and calls work', { timeout: 280_000 }, async () => {
    const [server, client] = [await aDriver(broker.url), await aDriver(broker.url)]
    await serve(server)
    for (let round = 0; round < 20; round += 1) {
      await answers(client)
      if (round % 5 === 4) await broker.broker.restart()
      else await broker.cutConnections()
    }
    await answers(client)
    await expect.poll(() => server.health().status, { timeout: 10_000 }).toBe('ok')
  })
})

const secure = await artemis({ tls: true })

describe.skipIf(secure === undefined)('TLS on Artemis', () => {
  const { tls } = secure?.broker ?? {}
  if (secure === undefined || tls === undefined) return
  afterAll(() => secure.close())
  const { ca, clientCert, clientKey } = tls.certificates
  const at = (host: string, port = tls.port): string => `amqp://app:secret@${host}:${port}/`

  it('the certificate is verified by the CA given', async () => {
    await notify(await aDriver(at('localhost'), { ssl_ca_file: ca }))
  })

  it('an unknown CA is AUTHENTICATION at once', async () => {
    expect(await rejection(notify(await aDriver(at('localhost'), { ssl: true }), 1, 20_000))).toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
    })
  })

  it('a certificate of another host is AUTHENTICATION at once', async () => {
    const driver = await aDriver(at('localhost', tls.otherHostPort), { ssl_ca_file: ca })
    expect(await rejection(notify(driver, 1, 20_000))).toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('ssl_verify_vhost - the virtual host is the name that counts', async () => {
    const options = { ssl_ca_file: ca, ssl_verify_vhost: true }
    await notify(await aDriver(`${at('127.0.0.1')}localhost`, options))
    expect(await rejection(notify(await aDriver(`${at('localhost')}elsewhere`, options), 1, 20_000))).toMatchObject({
      brokerCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('client certificate - with it the connection opens, without it not', async () => {
    const options = { ssl_ca_file: ca, ssl_cert_file: clientCert, ssl_key_file: clientKey }
    const url = at('localhost', tls.mutualPort)
    await notify(await aDriver(url, options))
    expect(await rejection(notify(await aDriver(url, { ssl_ca_file: ca }), 1, 2_000))).toMatchObject({
      name: expect.stringMatching(/Error|Timeout/),
    })
  })

  it('TLS to the plain port - said nothing back: ends at the deadline', async () => {
    const driver = await aDriver(secure.url.replace('127.0.0.1', 'localhost'), { ssl_ca_file: ca })
    const startedAt = performance.now()
    expect(await rejection(notify(driver, 1, 1_500))).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'connect',
      delivery: 'not-sent',
    })
    expect(performance.now() - startedAt).toBeLessThan(1_750)
  })
})
