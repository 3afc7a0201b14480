import { createServer, type AddressInfo } from 'node:net'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }

/** Reasons that the client library swallows, or tells in its own words. */
describe.skipIf(broker === undefined)('what the broker said', () => {
  if (broker === undefined) return
  const { control } = broker
  const vhost = unique('hidden')
  const user = unique('user')
  const made: string[] = [vhost]
  beforeAll(async () => {
    await control.vhost(vhost)
    await control.addUser(user, 'secret', { vhost })
  })
  afterAll(async () => {
    await control.deleteUser(user)
    for (const name of made) await control.deleteVhost(name).catch(() => {})
  })

  async function vhostOfItsOwn(): Promise<string> {
    const name = unique('own')
    await control.vhost(name)
    made.push(name)
    return name
  }

  it.each([
    {
      what: 'a virtual host that is missing',
      url: async () => broker.urlFor({ vhost: 'nope' }),
      text: /vhost nope not found: check the virtual host in transport_url/,
      brokerCode: 530,
    },
    {
      what: 'a user without rights on the virtual host',
      url: async () => broker.urlFor({ vhost: await vhostOfItsOwn(), user, password: 'secret' }),
      text: /access to vhost .* refused for user .*check the virtual host in transport_url, and the permissions of its user/,
      brokerCode: 530,
    },
    {
      what: 'a wrong password',
      url: async () => broker.urlFor({ vhost, user, password: 'wrong' }),
      text: /Login was refused.*Check user and password in transport_url/,
      brokerCode: 403,
    },
  ])(
    'connecting to $what fails at once with the code and the words of the broker',
    async ({ url, text, brokerCode }) => {
      const driver = openReal(await url())
      const startedAt = performance.now()
      const attempt = driver.send(new Target({ topic: 't' }), request, castOptions({ timeoutMs: 20_000 }))
      await expect(attempt).rejects.toMatchObject({
        code: 'OSLO_MESSAGING_AUTHENTICATION',
        brokerCode,
        phase: 'connect',
        delivery: 'not-sent',
        message: expect.stringMatching(text) as string,
      })
      expect(performance.now() - startedAt).toBeLessThan(5000)
      expect(driver.health().status).toBe('failed')
      await driver.close()
    },
  )

  it('a limit of connections that is reached: it is tried again, named in the timeout, and gone when there is room', async () => {
    const full = await vhostOfItsOwn()
    const limit = async (most: number): Promise<unknown> =>
      await control.eval(`rabbit_vhost_limit:set(<<"${full}">>,[{<<"max-connections">>,${most}}],<<"tests">>)`)
    await limit(0)
    const driver = openReal(broker.urlFor({ vhost: full }), { options: { rabbit_retry_interval: 0.1 } })
    const target = new Target({ topic: unique('t') })
    await expect(driver.send(target, request, castOptions({ timeoutMs: 1000 }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      message: expect.stringMatching(/connection limit \(0\) is reached/) as string,
    })
    expect(driver.health().status).toBe('degraded')
    const waiting = driver.send(target, request, castOptions({ timeoutMs: 10_000 }))
    await limit(10)
    await waiting
    await driver.close()
  })

  it('a limit of connections that is reached for a while: the listener is not lost', async () => {
    const full = await vhostOfItsOwn()
    const limit = async (most: number): Promise<unknown> =>
      await control.eval(`rabbit_vhost_limit:set(<<"${full}">>,[{<<"max-connections">>,${most}}],<<"tests">>)`)
    const driver = openReal(broker.urlFor({ vhost: full }), { options: { rabbit_retry_interval: 0.1 } })
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await limit(0)
    await control.closeAllConnections({ vhost: full })
    const reasons = (): string =>
      driver
        .health()
        .components.map(({ reason = '' }) => reason)
        .join('\n')
    await expect.poll(reasons, { timeout: 5000, interval: 5 }).toMatch(/connection limit \(0\) is reached/)
    await limit(10)
    expect(await driver.send(target, request, callOptions({ timeoutMs: 10_000 }))).toMatchObject({ result: 1 })
    // Queues of the server that this call did not need may come a moment later.
    await expect.poll(() => driver.health().status, { timeout: 5000, interval: 5 }).toBe('ok')
    await listener.close()
    await driver.close()
  })

  it('a port that resets, or speaks another protocol, is tried again, and named in the end', async () => {
    for (const answer of [null, 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
      const server = createServer((socket) => {
        socket.on('error', () => {}).resume()
        if (answer === null) socket.resetAndDestroy()
        else socket.end(answer)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const driver = openReal(`rabbit://127.0.0.1:${port}/`)
      await expect(
        driver.send(new Target({ topic: 't' }), request, castOptions({ timeoutMs: 5000, retries: 0 })),
      ).rejects.toMatchObject({
        code: 'OSLO_MESSAGING_DELIVERY',
        phase: 'connect',
        delivery: 'not-sent',
        cause: { host: `127.0.0.1:${port}`, retryable: true },
      })
      await driver.close()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('320, which comes without an error event: a call in flight learns of it, and the listener comes back', async () => {
    const own = await vhostOfItsOwn()
    const driver = openReal(broker.urlFor({ vhost: own }))
    const target = new Target({ topic: unique('t') })
    const taken = { count: 0 }
    const listener = await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((incoming) => {
        taken.count += 1
        if (taken.count > 1) echo(incoming)
      }),
    )
    const cast = driver.send(target, request, castOptions())
    await cast
    await expect.poll(() => taken.count).toBe(1)
    await control.closeAllConnections({ vhost: own })
    await expect
      .poll(
        () =>
          driver
            .health()
            .components.map(({ reason = '' }) => reason)
            .join('\n'),
        { interval: 1 },
      )
      .toMatch(/CONNECTION_FORCED|tests|closed/i)
    // Not acknowledged, so it is delivered again.
    await expect.poll(() => taken.count, { timeout: 10_000 }).toBe(2)
    expect(await driver.send(target, request, callOptions())).toEqual({ result: 1, failure: null })
    await listener.close()
    await driver.close()
  })

  it('a right that is taken away while connected: the next message is refused with 403, the connection stays', async () => {
    const own = await vhostOfItsOwn()
    const limited = unique('user')
    await control.addUser(limited, 'secret', { vhost: own })
    const driver = openReal(broker.urlFor({ vhost: own, user: limited, password: 'secret' }))
    const target = new Target({ topic: unique('t') })
    await driver.send(target, request, castOptions())
    const since = driver.health().components.map(({ sinceMs }) => sinceMs)
    await control.eval(
      `rabbit_auth_backend_internal:set_permissions(<<"${limited}">>,<<"${own}">>,<<".*">>,<<"^$">>,<<".*">>,<<"tests">>)`,
    )
    // The broker remembers rights of a channel for a moment: a fresh exchange is not among them.
    await expect(driver.send(target.with({ exchange: unique('x') }), request, castOptions())).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 403,
      message: expect.stringMatching(/access to exchange .* refused/) as string,
      phase: 'confirm',
      delivery: 'not-sent',
    })
    expect(driver.health().components.map(({ sinceMs }) => sinceMs)).toEqual(since)
    await driver.close()
    await control.deleteUser(limited)
  })

  it('an exchange that vanished: the refused message is known not to have arrived, so it is sent again', async () => {
    const own = await vhostOfItsOwn()
    const driver = openReal(broker.urlFor({ vhost: own }))
    const target = new Target({ topic: unique('t'), exchange: 'gone' })
    await driver.send(target, request, castOptions())
    const since = driver.health().components.map(({ sinceMs }) => sinceMs)
    await control.eval(`rabbit_exchange:delete(rabbit_misc:r(<<"${own}">>,exchange,<<"gone">>),false,<<"tests">>)`)
    await driver.send(target, request, castOptions())
    expect(driver.health().components.map(({ sinceMs }) => sinceMs)).toEqual(since)
    await driver.close()
  })

  it('a virtual host that is deleted under a listener: it is failed, and says why', async () => {
    const own = await vhostOfItsOwn()
    const driver = openReal(broker.urlFor({ vhost: own }), { options: { rabbit_interval_max: 1 } })
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const part = () => driver.health().components.find(({ kind }) => kind === 'listener')
    await control.deleteVhost(own)
    await expect.poll(() => part()?.state, { timeout: 10_000 }).toBe('failed')
    // Whichever the deletion has come to: rights go first, then the virtual host.
    expect(part()?.reason).toMatch(/vhost '?own-[^]* (not found|refused)/)
    await control.vhost(own)
    await expect.poll(() => driver.health().status, { timeout: 10_000 }).toBe('ok')
    expect(await driver.send(target, request, callOptions())).toEqual({ result: 1, failure: null })
    await listener.close()
    await driver.close()
  })

  it('a message that the client library cannot encode is refused once; what is sent with it is confirmed as itself', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const target = new Target({ topic: unique('t') })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const headers = { ['x'.repeat(256)]: '1' }
    const outcomes = await Promise.allSettled([
      driver.send(target, request, castOptions()),
      driver.send(target, { ...request, headers }, castOptions()),
      driver.send(target, request, callOptions()),
      driver.send(target.with({ server: 'nobody' }), request, castOptions({ atLeastOnce: true })),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'OSLO_MESSAGING_SERIALIZATION', phase: 'publish', delivery: 'not-sent' } },
      { value: { result: 1 } },
      { reason: { code: 'OSLO_MESSAGING_UNDELIVERABLE' } },
    ])
    await listener.close()
    await driver.close()
  })
})
