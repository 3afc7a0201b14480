import { type IncomingRequest, isMessagingError, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { callOptions, echo, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()

describe.skipIf(broker === undefined)('P02 - resets under load', () => {
  if (broker === undefined) return
  const vhost = unique('resets')

  beforeAll(async () => void (await broker.vhost(vhost)))
  afterAll(async () => await broker.control.deleteVhost(vhost))

  it('P02 - twenty random resets: calls in flight settle with typed errors, nothing is unhandled, the next call works', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): unknown => unhandled.push(reason)
    process.on('unhandledRejection', note)
    process.on('uncaughtException', note)
    const proxy = await broker.proxy()
    const url = broker.urlFor({ vhost, via: [proxy] })
    const options = { options: { kombu_reconnect_delay: 0.1, rabbit_interval_max: 1 } }
    const [client, server] = [openReal(url, options), openReal(url, options)]
    const target = new Target({ topic: unique('topic') })
    const listener = await server.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>(echo, { prefetch: 64 }),
    )
    const call = async (n: number) =>
      await client.send(
        target,
        { context: {}, message: { method: 'echo', args: { n } } },
        callOptions({ timeoutMs: 3000 }),
      )
    await call(0)

    const load = { running: true }
    const counts = { answered: 0, failed: 0 }
    const workers = Array.from({ length: 16 }, async () => {
      while (load.running)
        try {
          await call(1)
          counts.answered += 1
        } catch (error) {
          counts.failed += 1
          expect(isMessagingError(error)).toBe(true)
          expect(error).toMatchObject({ phase: expect.any(String) as string, delivery: expect.any(String) as string })
        }
    })
    for (let reset = 0; reset < 20; reset += 1) {
      const before = counts.answered
      proxy.reset()
      await expect.poll(() => counts.answered, { timeout: 10_000, interval: 5 }).toBeGreaterThan(before)
    }
    load.running = false
    await Promise.all(workers)

    expect(await call(7)).toEqual({ result: 7, failure: null })
    expect(client.health().status).toBe('ok')
    expect(counts.answered).toBeGreaterThan(20)
    expect(unhandled).toEqual([])
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
    await listener.close()
    await client.close()
    await server.close()
    await proxy.close()
  })
})
