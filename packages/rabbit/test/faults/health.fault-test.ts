import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcServer, getRpcTransport, loadConfig } from '@oslo-messaging/core'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rabbitDriver } from '../../src/index.ts'
import { openReal, unique } from '../support/broker.ts'
import { waitFor } from '../support/load.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit')
})
afterAll(async () => await broker.close())

async function vhostUrl(): Promise<{ vhost: string; url: string }> {
  const vhost = unique('health')
  await broker.control.vhost(vhost)
  return { vhost, url: broker.urlFor({ vhost }) }
}

const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })

describe('P25 - health', () => {
  it('P25 - tells broker down, blocked, queue deleted and rights revoked apart, and comes back', async () => {
    const { vhost } = await vhostUrl()
    const user = unique('u')
    await broker.control.addUser(user, 'secret', { vhost })
    const driver = openReal(broker.urlFor({ vhost, user, password: 'secret' }), { options: { rabbit_interval_max: 1 } })
    const topic = unique('t')
    const target = new Target({ topic })
    const listener = await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(echo))
    listener.closed.catch(() => {})
    await driver.send(target, request(1), callOptions())
    const status = (wanted: string) => async () =>
      await waitFor(`status ${wanted}`, () => driver.health().status === wanted, 5000)
    await status('ok')()

    await broker.control.deleteQueue(topic, vhost)
    await status('degraded')()
    await status('ok')()

    await broker.control.setMemoryAlarm()
    const blocked = driver.send(target, request(2), castOptions({ timeoutMs: 5000 })).catch(() => {})
    await status('blocked')()
    await broker.control.clearMemoryAlarm()
    await blocked
    await status('ok')()

    await broker.stop()
    await status('degraded')()
    await broker.start()
    await waitFor('recovery', () => driver.health().status === 'ok', 15_000)

    await broker.control.deleteUser(user)
    await status('failed')()
    const part = () => driver.health().components.find(({ kind }) => kind === 'listener')
    await waitFor('the listener to be failed', () => part()?.state === 'failed', 5000)
    expect(part()?.reason).toContain('Refused')
    expect(JSON.stringify(driver.health())).not.toContain('secret')
    await listener.close()
    await driver.close()
  }, 60_000)

  it('P25 - tells a blocked event loop and draining apart, too, and comes back', async () => {
    const { url } = await vhostUrl()
    const overrides = { oslo_messaging_rabbit: { heartbeat_timeout_threshold: 2, kombu_reconnect_delay: 0.1 } }
    const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
    const transport = await getRpcTransport(await loadConfig({ overrides }), { url, registry })
    const gate = { open: () => {} }
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve
    })
    let begun = false
    const endpoint = {
      async work() {
        begun = true
        await opened
      },
    }
    const target = new Target({ topic: unique('t') })
    const server = getRpcServer(transport, target.with({ server: 'a' }), [endpoint])
    await server.start()
    expect(transport.health().status).toBe('ok')

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6500)
    await waitFor('it to be noticed', () => transport.health().status === 'degraded', 5000)
    expect(JSON.stringify(transport.health())).toMatch(/event loop was blocked for \d+ ms/)
    await waitFor('recovery', () => transport.health().status === 'ok', 5000)

    await getRpcClient(transport, target).cast({}, 'work', {})
    await waitFor('the method', () => begun, 5000)
    const closing = transport.close()
    expect(transport.health().status).toBe('draining')
    gate.open()
    await closing
    expect(transport.health().status).toBe('closed')
  }, 60_000)
})
