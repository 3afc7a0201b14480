import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { callOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }

describe.skipIf(broker === undefined)('credentials that change under a running service', () => {
  if (broker === undefined) return
  const { control } = broker
  const vhost = unique('rotation')
  const user = unique('user')
  beforeAll(async () => {
    await control.vhost(vhost)
    await control.addUser(user, 'first', { vhost })
  })
  afterAll(async () => {
    await control.deleteUser(user)
    await control.deleteVhost(vhost)
  })

  it('a password that is changed at the broker, with the connections closed: the listener is back with the new one, without a restart', async () => {
    let password = 'first'
    const driver = openReal(broker.urlFor({ vhost }), {
      options: { rabbit_interval_max: 1, rabbit_retry_interval: 0.1 },
      credentials: () => ({ username: user, password }),
    })
    const target = new Target({ topic: unique('t') })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    await control.eval(`rabbit_auth_backend_internal:change_password(<<"${user}">>, <<"second">>, <<"tests">>)`)
    await control.closeAllConnections({ vhost })
    await expect.poll(() => driver.health().status, { timeout: 10_000 }).toBe('failed')
    password = 'second'
    await expect.poll(() => driver.health().status, { timeout: 10_000 }).toBe('ok')
    expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 1 })
    await driver.close()
  })

  it('credentials that expire every second: calls are answered all the time', async () => {
    let asked = 0
    const driver = openReal(broker.urlFor({ vhost }), {
      options: { rabbit_retry_interval: 0.1 },
      credentials: () => {
        asked += 1
        return { username: user, password: 'second', expiresInMs: 1000 }
      },
    })
    const target = new Target({ topic: unique('t') })
    await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    const until = performance.now() + 2500
    let answered = 0
    while (performance.now() < until) {
      expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 1 })
      answered += 1
    }
    expect(answered).toBeGreaterThan(10)
    expect(asked).toBeGreaterThan(3)
    await driver.close()
  })
})
