/// <reference lib="esnext.disposable" />
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDriverRegistry, getMessaging } from '@oslo-messaging/core'
import { getProbes, type ProbesOptions } from '@oslo-messaging/core/probes'
import { createMemoryBroker, createMemoryDriver } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'

async function scene(options: ProbesOptions = {}) {
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker: createMemoryBroker() })] })
  const messaging = await getMessaging({
    url: 'memory://',
    registry,
    overrides: { DEFAULT: { rpc_ping_enabled: true } },
  })
  messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
  const probes = getProbes(messaging, options)
  const http = createServer(probes.handle)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return { code: response.status, text: await response.text(), type: response.headers.get('content-type') }
  }
  const close = async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    probes.close()
    await messaging.drain()
  }
  return { messaging, probes, get, [Symbol.asyncDispose]: close }
}

it('probes - not ready before the start and while draining, with the reason; alive all the time', async () => {
  await using at = await scene()
  expect(await at.get('/readyz')).toMatchObject({ code: 503, text: '{"ready":false,"reason":"it was not started"}\n' })
  expect((await at.get('/livez')).code).toBe(200)
  await at.messaging.start()
  const ready = await at.get('/readyz')
  expect(ready.code).toBe(200)
  expect(JSON.parse(ready.text)).toEqual({ ready: true, since: expect.any(String) as string })
  expect(JSON.parse((await at.get('/health?pretty')).text)).toMatchObject({
    status: 'ok',
    ready: true,
    rpc: { status: 'ok' },
    load: { rpc: { outstanding: 0, servers: [{ running: 0, waiting: 0, workers: 64 }] } },
  })
  await at.messaging.drain()
  expect((await at.get('/readyz')).code).toBe(503)
  expect((await at.get('/livez')).code).toBe(200)
})

it('probes - a loop that was held up for too long is not alive', async () => {
  await using at = await scene({ maxLoopDelayMs: 1000 })
  expect((await at.get('/livez')).code).toBe(200)
  const afterHoldUp = async () => {
    const until = performance.now() + 1300
    while (performance.now() < until);
    return (await at.get('/livez')).code
  }
  // Node measures from its first look on, and a quick machine is here before that one: then it is held up once more.
  await expect.poll(afterHoldUp, { timeout: 15_000 }).toBe(503)
  expect((await at.get('/livez')).text).toContain('the event loop was held up for')
})

it('probes - metrics are those given, in the format of Prometheus', async () => {
  await using at = await scene({ metrics: () => 'up 1\n' })
  expect(await at.get('/metrics')).toEqual({
    code: 200,
    text: 'up 1\n',
    type: 'text/plain; version=0.0.4; charset=utf-8',
  })
  expect((await at.get('/other')).code).toBe(404)
  expect((await at.get('/livez', 'POST')).code).toBe(405)
  await using without = await scene()
  expect((await without.get('/metrics')).code).toBe(404)
})

it('probes - metrics that are no text are an error of that answer, and not the end of the process', async () => {
  const json = { metrics: () => [{ name: 'up' }] }
  await using at = await scene(Object(json))
  const answer = await at.get('/metrics')
  expect(answer.code).toBe(500)
  expect(answer.text).toContain('metrics must give text, not a list')
})

it('probes - readiness by a call of itself, over the broker and back', async () => {
  await using at = await scene({ ping: { topic: 't', server: 's' }, pingTimeoutMs: 5000 })
  await at.messaging.start()
  expect((await at.get('/readyz')).code).toBe(200)
  await using deaf = await scene({ ping: { topic: 't', server: 'another' }, pingTimeoutMs: 50 })
  await deaf.messaging.start()
  const answer = await deaf.get('/readyz')
  expect(answer.code).toBe(503)
  expect(answer.text).toContain('its own ping failed')
})

it('probes - a ping that no server would answer is refused at once', async () => {
  const messaging = await getMessaging({ url: 'memory://', notifications: false })
  expect(() => getProbes(messaging, { ping: { topic: 't', server: 's' } })).toThrow('rpc_ping_enabled')
  expect(() => getProbes(messaging, { pong: {} } as ProbesOptions)).toThrow('did you mean ping?')
  await messaging.drain()
})
