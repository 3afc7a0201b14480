import { randomUUID } from 'node:crypto'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { amqpDriver } from '../../src/index.ts'
import { openDriver } from './open-driver.ts'
import { runPoolSuite } from './pool-suite.ts'
import { put } from './put.ts'

const NOTIFICATION = {
  publisher_id: 'test',
  event_type: 'test',
  priority: 'INFO',
  payload: 1,
  timestamp: '2026-01-01 00:00:00.000000',
} as const

/** RabbitMQ 4 speaks AMQP 1.0 on the port of 0-9-1, with addresses of its own. */
export async function runOnRabbitMQ(version: '4.0' | '4.3'): Promise<void> {
  const broker = await skipOrFail(startBroker('rabbit', { version }))
  describe.skipIf(broker === undefined)(`amqp on RabbitMQ ${version}`, () => {
    if (broker === undefined) return
    afterAll(() => broker.close())
    const url = (options = {}): string => broker.urlFor(options).replace(/^rabbit/, 'amqp')

    runDriverConformance({
      describe,
      it,
      beforeAll,
      afterAll,
      capabilities: amqpDriver.capabilities,
      // The virtual host is part of the names here, as in the other addressings.
      createDriver: ({ vhost }) => openDriver(url(vhost === undefined ? {} : { vhost })),
      knobs: {
        timeScale: 2,
        vhosts: ['one', 'two'],
        disconnect: async () => void (await broker.control.dropAllConnections()),
        async makeUnreadable({ kind, topic, priority, text }) {
          const [port = 0] = broker.ports
          const name = kind === 'request' ? topic : `${topic}.${priority}`
          const place = { port, username: 'guest', password: 'guest' }
          await put(place, `/queues/${encodeURIComponent(`unicast.openstack.${name}`)}`, { body: text })
        },
        secret: { definition: amqpDriver, url: (password) => url({ user: 'nobody', password }) },
      },
    })

    describe('pools', () => {
      runPoolSuite({ open: () => openDriver(url()), restart: () => broker.restart() })
    })

    describe('recovery', () => {
      const target = new Target({ topic: `t-${randomUUID().slice(0, 8)}` })
      const request = { context: {}, message: { method: 'm', args: {} } }
      const call = (driver: Driver): Promise<unknown> =>
        driver.send(target, request, {
          waitForReply: true,
          deadline: Deadline.after(5_000),
          expiresInMs: 5_000,
          callMonitorTimeoutMs: null,
          retries: null,
          atLeastOnce: false,
        })
      const answers = (driver: Driver): Promise<void> =>
        expect
          .poll(() => call(driver).catch((error: unknown) => error), { timeout: 60_000 })
          .toEqual({ result: 'pong', failure: null })

      it('P14 20 cuts and restarts - everything is attached again, and calls work', { timeout: 280_000 }, async () => {
        const [server, client] = [await openDriver(url()), await openDriver(url())]
        await server.listen(target.with({ server: 's' }), {
          deadline: Deadline.after(20_000),
          prefetch: 10,
          onMessage(incoming) {
            incoming.acknowledge()
            void incoming.reply({ result: 'pong', failure: null })
          },
        })
        for (let round = 0; round < 20; round += 1) {
          await answers(client)
          if (round % 7 === 6) await broker.restart()
          else await broker.control.dropAllConnections()
        }
        await answers(client)
        await expect.poll(() => server.health().status, { timeout: 10_000 }).toBe('ok')
        await Promise.all([server.close(), client.close()])
      })

      it('a notification that one of two queues refused, and the other has, is not said to be unsent', async () => {
        const driver = await openDriver(url())
        const topic = `t-${randomUUID().slice(0, 8)}`
        const send = (): Promise<void> =>
          driver.sendNotification(
            new Target({ topic: `${topic}.info` }),
            { context: {}, message: { ...NOTIFICATION, message_id: randomUUID() } },
            { version: '2.0', deadline: Deadline.after(5_000), retries: 0 },
          )
        await send()
        const name = `unicast.openstack.${topic}.info`
        const full = '[{<<"x-max-length">>,long,0},{<<"x-overflow">>,longstr,<<"reject-publish">>}]'
        await broker.control.eval(
          `Q=rabbit_misc:r(<<"/">>,queue,<<"full-${topic}">>),rabbit_amqqueue:declare(Q,true,false,${full},none,<<"tests">>),` +
            `rabbit_binding:add({binding,rabbit_misc:r(<<"/">>,exchange,<<"${name}">>),<<>>,Q,[]},<<"tests">>)`,
        )
        await expect(send()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', delivery: 'unknown' })
        await expect.poll(async () => (await broker.control.queue(name))?.messages).toBe(2)
        await driver.close()
      })

      it('one driver calls itself: its replies come to a link of its own connection', async () => {
        const driver = await openDriver(url())
        const seen: unknown[] = []
        await driver.listen(target.with({ server: 's' }), {
          deadline: Deadline.after(20_000),
          prefetch: 10,
          onMessage(incoming) {
            incoming.acknowledge()
            seen.push(incoming.expectsReply)
            void incoming.reply({ result: 'pong', failure: null })
          },
        })
        await answers(driver)
        expect(seen).toEqual([true])
        await driver.close()
      })
    })
  })
}
