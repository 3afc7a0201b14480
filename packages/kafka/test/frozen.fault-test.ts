import { describe, expect, it } from 'vitest'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique } from './support/broker.ts'
import { eventually, listen, openReal, recordingLogger, send } from './support/open-driver.ts'

const broker = await skipOrFail(startBroker('kafka'))

const stateOf = (driver: Driver): string | undefined =>
  driver.health().components.find(({ kind }) => kind === 'listener')?.state

describe.skipIf(broker === undefined)('kafka broker that is frozen', () => {
  if (broker === undefined) return

  it('health says so within 10 s, a listener goes on when it is back, and one that is stopped ends within its patience and reports what it cannot give back', async () => {
    const topic = unique('frozen')
    const driver = await openReal(broker.url)
    const lasting = await listen(driver, topic, { pool: unique('pool') })
    const logger = recordingLogger()
    const own = await openReal(broker.url, { logger })
    // Holds what it is handed, so that more is committed than handed out.
    const stopped = await listen(own, topic, { pool: unique('pool'), prefetch: 2, onMessage: () => {} })
    await Promise.all(Array.from({ length: 200 }, async (_, n) => await send(driver, `${topic}.info`, n)))
    await Promise.all([lasting.until(200), stopped.until(2)])
    await broker.freeze()
    try {
      const since = performance.now()
      await eventually(() => stateOf(driver) === 'recovering', 'recovering', 15_000)
      const noticedMs = performance.now() - since
      const stopping = performance.now()
      await stopped.listener.stop()
      const stoppedMs = performance.now() - stopping
      console.log(`frozen broker: noticed after ${Math.round(noticedMs)} ms, stopped in ${Math.round(stoppedMs)} ms`)
      expect(noticedMs).toBeLessThan(10_000)
      expect(stoppedMs).toBeLessThan(9000)
    } finally {
      await broker.thaw()
    }
    // 200 were committed for it, and two handed out.
    const report = logger.lines.find(({ message }) => message.includes('could not be given back'))
    expect(report?.fields).toMatchObject({ count: 198 })
    await send(driver, `${topic}.info`, 'after', { timeoutMs: 30_000 })
    await lasting.until(201, 60_000)
    await eventually(() => stateOf(driver) === 'consuming', 'consuming', 30_000)
    await Promise.all([driver.close(), own.close()])
    await broker.close()
  })
})
