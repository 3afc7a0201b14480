import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { OddNetwork } from '../support/odd-network.ts'
import { callOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const request = { context: {}, message: { method: 'echo', args: { n: 1 } } }
const CONNECTION_OPEN = Buffer.from([0, 10, 0, 40])

describe.skipIf(broker === undefined)('a broker that closes a connection in the moment it opens it', () => {
  if (broker === undefined) return
  const ends: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const end of ends.toReversed()) await end()
  })

  it('open-ok and close in one read: the listener consumes and calls are answered a moment later', async () => {
    const { control } = broker
    const vhost = unique('held')
    await control.vhost(vhost)
    ends.push(async () => await control.deleteVhost(vhost))
    const [host] = broker.hosts
    const network = await OddNetwork.to(host?.port ?? 0)
    ends.push(async () => await network.close())
    const driver = openReal(broker.urlFor({ vhost, via: [network] }), {
      options: { rabbit_retry_interval: 0.1 },
    })
    ends.push(async () => await driver.close())

    let closed = 0
    network.onBytes = (direction, bytes) => {
      if (direction === 'toServer' && closed < 2 && bytes.includes(CONNECTION_OPEN)) network.hold('toClient')
    }
    const closeHeld = async (): Promise<void> => {
      await expect.poll(() => network.held('toClient'), { timeout: 10_000 }).toBeGreaterThan(0)
      const before = network.held('toClient')
      await control.closeAllConnections({ vhost })
      await expect.poll(() => network.held('toClient'), { timeout: 10_000 }).toBeGreaterThan(before)
      closed += 1
      network.release('toClient')
    }
    const target = new Target({ topic: unique('t') })
    const listening = driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(echo, { deadline: callOptions({ timeoutMs: 20_000 }).deadline }),
    )
    await closeHeld()
    await closeHeld()
    await listening
    expect(await driver.send(target, request, callOptions({ timeoutMs: 10_000 }))).toMatchObject({ result: 1 })
    expect(driver.health().status).toBe('ok')
  })
})
