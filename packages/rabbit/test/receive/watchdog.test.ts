import { type IncomingRequest, type Logger, silentLogger, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { amqpError, FakeBroker } from '../support/fake-broker.ts'
import { echo, listenOptions, openDriver } from '../support/open-driver.ts'

const elapsed = async (ms: number): Promise<void> => {
  const until = performance.now() + ms
  await expect.poll(() => performance.now() > until, { timeout: ms + 5000, interval: 20 }).toBe(true)
}

describe('the watchdog', () => {
  it('says once that it may not ask, in health as well, and stops asking', async () => {
    const broker = new FakeBroker()
    const lines: string[] = []
    const logger: Logger = { ...silentLogger, warn: (text) => void lines.push(text) }
    const driver = openDriver(broker, { settings: { watchdogIntervalMs: 20 }, logger })
    const listener = await driver.listen(new Target({ topic: 't', server: 'a' }), listenOptions<IncomingRequest>(echo))
    broker.onMethod = (method) => {
      if (method === 'queue.check') throw amqpError(403, "ACCESS_REFUSED - configure access to queue 't' refused")
    }
    await expect.poll(() => lines.length).toBeGreaterThan(0)
    await elapsed(500)
    // One question for each of the three queues of a server.
    expect(broker.sent('queue.check').length).toBe(3)
    expect(lines).toEqual([expect.stringMatching(/cannot be verified.*configure access to queue/)])
    const health = driver.health()
    expect(health.status).toBe('ok')
    expect(health.components.find(({ kind }) => kind === 'listener')?.reason).toMatch(/cannot be verified/)
    await listener.close()
    await driver.close()
  })

  it('asks again on a new connection, whose user may be allowed to', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { settings: { watchdogIntervalMs: 20 } })
    const listener = await driver.listen(new Target({ topic: 't', server: 'a' }), listenOptions<IncomingRequest>(echo))
    broker.onMethod = (method) => {
      if (method === 'queue.check') throw amqpError(403, "ACCESS_REFUSED - configure access to queue 't' refused")
    }
    const reason = (): string | undefined => driver.health().components.find(({ kind }) => kind === 'listener')?.reason
    await expect.poll(reason).toMatch(/cannot be verified/)
    broker.onMethod = () => {}
    broker.open[0]?.drop()
    await expect.poll(() => driver.health().status).toBe('ok')
    await expect.poll(reason).toBeUndefined()
    await listener.close()
    await driver.close()
  })

  it('asks no more than eight questions a second, however many servers are idle', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { settings: { watchdogIntervalMs: 250 } })
    const listeners = await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        driver.listen(new Target({ topic: `t${index}`, server: 'a' }), listenOptions<IncomingRequest>(echo)),
      ),
    )
    await expect.poll(() => broker.sent('queue.check').length, { timeout: 3000 }).toBeGreaterThan(0)
    const before = broker.sent('queue.check').length
    const since = performance.now()
    await elapsed(2000)
    const perSecond = ((broker.sent('queue.check').length - before) / (performance.now() - since)) * 1000
    expect(perSecond).toBeGreaterThan(2)
    expect(perSecond).toBeLessThan(10)
    // Every queue has its turn, whatever is asked first.
    const asked = broker.sent('queue.check').map(({ args }) => args['queue'])
    expect(new Set(asked).size).toBe(asked.length)
    await Promise.all(listeners.map(async (listener) => await listener.close()))
    await driver.close()
  })
})
