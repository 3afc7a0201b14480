import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { idleNat } from '../support/idle-nat.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }

describe.skipIf(broker === undefined)('a peer that says nothing', () => {
  if (broker === undefined) return
  const vhost = unique('silence')
  beforeAll(async () => void (await broker.vhost(vhost)))
  afterAll(async () => await broker.control.deleteVhost(vhost))

  it('P17 - a connection that becomes a black hole is given up after the heartbeat threshold, and comes back', async () => {
    const proxy = await broker.proxy()
    const thresholdMs = 1000
    const driver = openReal(broker.urlFor({ vhost, via: [proxy] }), {
      options: { heartbeat_timeout_threshold: thresholdMs / 1000, heartbeat_rate: 3, kombu_reconnect_delay: 0.1 },
    })
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request, callOptions())
    proxy.blackhole()
    const silentAt = performance.now()
    await expect.poll(() => driver.health().status, { timeout: 5000, interval: 5 }).not.toBe('ok')
    const afterMs = performance.now() - silentAt
    // Heartbeats come every half threshold; looked at six times in one.
    expect(afterMs).toBeGreaterThan(thresholdMs / 2)
    expect(afterMs).toBeLessThan(thresholdMs * 1.5)
    const reasons = driver.health().components.map(({ reason = '' }) => reason)
    expect(reasons.join('\n')).toMatch(/Nothing heard from the broker for \d+ ms/)
    proxy.pass()
    await expect.poll(() => driver.health().status, { timeout: 10_000 }).toBe('ok')
    expect(await driver.send(target, request, callOptions())).toEqual({ result: 1, failure: null })
    await listener.close()
    await driver.close()
    await proxy.close()
  })

  it('P17 - behind a router that forgets idle connections heartbeats keep them alive', async () => {
    const [host] = broker.hosts
    if (host === undefined) throw new Error('The broker has no address')
    const nat = await idleNat(host, 2000)
    const target = new Target({ topic: unique('t') })
    const driver = openReal(broker.urlFor({ vhost, via: [nat] }), { options: { heartbeat_timeout_threshold: 1 } })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request, callOptions())
    const since = driver.health().components.map(({ sinceMs }) => sinceMs)
    // More than twice as long as the router would bear without heartbeats.
    const idleUntil = performance.now() + 5000
    await expect.poll(() => performance.now() > idleUntil, { timeout: 10_000, interval: 100 }).toBe(true)
    expect(await driver.send(target, request, callOptions())).toEqual({ result: 1, failure: null })
    expect(driver.health().components.map(({ sinceMs }) => sinceMs)).toEqual(since)
    expect(nat.forgotten).toBe(0)
    await listener.close()
    await driver.close()
    await nat.close()
  })

  it('P08 - closing while a connection attempt meets silence ends the attempt and its socket at once', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const driver = openReal(`rabbit://guest:guest@127.0.0.1:${port}/`)
    const cast = driver.send(new Target({ topic: 't' }), request, castOptions({ timeoutMs: 30_000 }))
    const settled = expect(cast).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
    const [socket] = await once(server, 'connection')
    socket.resume()
    const gone = once(socket, 'close')
    const startedAt = performance.now()
    await driver.close()
    await settled
    await gone
    expect(performance.now() - startedAt).toBeLessThan(1000)
    await new Promise((resolve) => server.close(resolve))
  })

  it('P08 - closing when the broker has fallen silent takes no longer than the caller has patience', async () => {
    const proxy = await broker.proxy()
    const driver = openReal(broker.urlFor({ vhost, via: [proxy] }))
    const target = new Target({ topic: unique('t') })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await driver.send(target, request, callOptions())
    proxy.blackhole()
    const startedAt = performance.now()
    await driver.close({ signal: AbortSignal.timeout(300) })
    const tookMs = performance.now() - startedAt
    expect(tookMs).toBeGreaterThan(250)
    expect(tookMs).toBeLessThan(1000)
    await expect.poll(() => proxy.connections, { timeout: 2000 }).toBe(0)
    await proxy.close()
  })
})
