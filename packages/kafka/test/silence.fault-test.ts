import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FaultProxy, type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { unique } from './support/broker.ts'
import { listen, openReal, send } from './support/open-driver.ts'

const broker: KafkaBroker | undefined = await skipOrFail(startBroker('kafka'))
/** A broker owes an answer for 12 s before its connection is given up, and a send has 2 s. */
const NOTICED_MS = 20_000

describe.skipIf(broker === undefined)('kafka behind a network that says nothing', () => {
  if (broker === undefined) return
  let proxy: FaultProxy

  beforeAll(async () => {
    proxy = await broker.proxy(0)
  })

  afterAll(async () => {
    await broker.close()
  })

  it('a connection whose other end is gone without a word - sends get through on another one', async () => {
    const driver = await openReal(broker.urlFor({ via: [proxy] }))
    const topic = unique('half-open')
    await send(driver, `${topic}.info`, 0)
    proxy.halfOpen()
    const since = performance.now()
    for (let isSent = false; !isSent && performance.now() - since < NOTICED_MS;) {
      isSent = await send(driver, `${topic}.info`, 1, { timeoutMs: 2000 }).then(
        () => true,
        () => false,
      )
    }
    expect(performance.now() - since).toBeLessThan(NOTICED_MS)
    await driver.close()
  })

  it('a broker that stands still - listening ends with its deadline', async () => {
    const driver = await openReal(broker.urlFor({ via: [proxy] }))
    const topic = unique('still')
    await send(driver, `${topic}.info`, 0)
    proxy.stall()
    const since = performance.now()
    await expect(listen(driver, topic, { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    expect(performance.now() - since).toBeLessThan(4000)
    proxy.reset()
    await driver.close()
  })
})
