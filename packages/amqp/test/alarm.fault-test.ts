import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openDriver } from './support/open-driver.ts'
import { cast, ending, request } from './support/scene.ts'

// A broker short of memory takes no transfers: it closes the window of every session, whatever the credit of the links.

describe.each(['4.3', '4.0'] as const)('RabbitMQ %s under a memory alarm', async (version) => {
  const broker = await skipOrFail(startBroker('rabbit', { version }))
  const drivers: Driver[] = []
  afterAll(async () => {
    for (const driver of drivers) await driver.close({ signal: AbortSignal.timeout(1_000) })
    await broker?.close()
  })

  it.skipIf(broker === undefined)(
    'nothing resolves that the broker has not got, health says blocked, and what still waits arrives afterwards',
    { timeout: 60_000 },
    async () => {
      if (broker === undefined) return
      const driver = await openDriver(broker.url.replace(/^rabbit/, 'amqp'))
      drivers.push(driver)
      const topic = `alarm-${version}`
      const send = (ms: number): Promise<unknown> => ending(driver.send(new Target({ topic }), request, cast(ms)))
      const notify = (ms: number): Promise<unknown> =>
        ending(
          driver.sendNotification(
            new Target({ topic: `${topic}.info` }),
            { context: {}, message: { event_type: 'e' } as never },
            { version: '2.0', deadline: Deadline.after(ms), retries: null },
          ),
        )
      const depth = async (): Promise<number> =>
        Number(
          await broker.control.eval(
            `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"unicast.openstack.${topic}">>)), {ok, N, _} = rabbit_amqqueue:stat(Q), N`,
          ),
        )
      expect([await send(5_000), await notify(5_000)]).toEqual([undefined, undefined])
      await expect.poll(depth, { timeout: 5_000 }).toBe(1)
      await broker.control.setMemoryAlarm()
      try {
        // The broker needs a moment to tell its sessions.
        await expect.poll(async () => (await send(1_000)) instanceof Error, { timeout: 10_000 }).toBe(true)
        const before = await depth()
        const sending = Promise.all(Array.from({ length: 50 }, () => send(4_000)))
        await expect.poll(() => driver.health().status, { timeout: 3_000 }).toBe('blocked')
        const sent = await sending
        expect(new Set(sent.map((end) => (end as { delivery?: string } | undefined)?.delivery))).toEqual(
          new Set(['not-sent']),
        )
        expect(await notify(1_500)).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
        const waiting = Promise.all(Array.from({ length: 20 }, () => send(30_000)))
        await broker.control.clearMemoryAlarm()
        expect(new Set(await waiting)).toEqual(new Set([undefined]))
        await expect.poll(depth, { timeout: 10_000 }).toBe(before + 20)
        await expect.poll(() => driver.health().status, { timeout: 5_000 }).toBe('ok')
      } finally {
        await broker.control.clearMemoryAlarm()
      }
    },
  )
})
