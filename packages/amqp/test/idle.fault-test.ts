import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { type Driver, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { artemis } from './support/artemis.ts'
import { openDriver } from './support/open-driver.ts'
import { cast, pong, request, serve, within } from './support/scene.ts'

// Whoever watches must not see ghosts: sessions that have been used and are idle now stay what they are, whether the
// broker answers the question for a sign of life or not.

const brokers = {
  'RabbitMQ 4.3': async () => await skipOrFail(startBroker('rabbit', { version: '4.3' })),
  'RabbitMQ 4.0': async () => await skipOrFail(startBroker('rabbit', { version: '4.0' })),
  Artemis: async () => await artemis(),
}

describe.each(Object.entries(brokers))('idle on %s', (_name, start) => {
  it('three idle timeouts long - nothing is lost, and calls go on', { timeout: 90_000 }, async () => {
    const broker = await start()
    if (broker === undefined) return
    const drivers: Driver[] = []
    const changes: unknown[] = []
    const onChange = (change: unknown): void => void changes.push(change)
    try {
      const aDriver = async (): Promise<Driver> => {
        const driver = await openDriver(broker.url.replace(/^rabbit/, 'amqp'), { idle_timeout: 4 })
        drivers.push(driver)
        return driver
      }
      const [server, client] = [await aDriver(), await aDriver()]
      const topic = `t-${randomUUID().slice(0, 8)}`
      await serve(server, topic)
      // Enough for windows to be given back in between.
      for (let round = 0; round < 10; round += 1)
        await Promise.all(Array.from({ length: 500 }, () => client.send(new Target({ topic }), request, cast(20_000))))
      expect(await client.send(new Target({ topic }), request, within(20_000))).toEqual(pong)
      subscribe('oslo-messaging:state', onChange)
      await new Promise((resolve) => setTimeout(resolve, 14_000))
      expect(await client.send(new Target({ topic }), request, within(20_000))).toEqual(pong)
      expect(changes).toEqual([])
    } finally {
      unsubscribe('oslo-messaging:state', onChange)
      await Promise.all(drivers.map((driver) => driver.close({ signal: AbortSignal.timeout(2_000) })))
      await broker.close()
    }
  })
})
