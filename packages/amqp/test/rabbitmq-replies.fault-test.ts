import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openDriver } from './support/open-driver.ts'
import { ending, pong, request, serve, within } from './support/scene.ts'

/** Rounds of each kind; more by the environment. */
const ROUNDS = Number(process.env['AMQP_REPLY_ROUNDS'] ?? 3)
const CALLS = 2_000

describe.each(['4.0', '4.3'] as const)('RabbitMQ %s', async (version) => {
  const broker = await skipOrFail(startBroker('rabbit', { version }))
  describe.skipIf(broker === undefined)('replies and queues', () => {
    if (broker === undefined) return
    const drivers: Driver[] = []
    afterAll(async () => {
      for (const driver of drivers) await driver.close()
      await broker.close()
    })
    const aDriver = async (): Promise<Driver> => {
      const driver = await openDriver(broker.url.replace(/^rabbit/, 'amqp'))
      drivers.push(driver)
      return driver
    }
    /** Names of the queues that begin so. */
    const queues = async (prefix: string): Promise<string[]> => {
      const names = await broker.control.eval('[binary_to_list(N)||{resource,_,queue,N}<-rabbit_amqqueue:list_names()]')
      return [...names.matchAll(/"([^"]*)"/g)].map(([, name = '']) => name).filter((name) => name.startsWith(prefix))
    }

    it.each(['as they come', '1,000 in one turn'])(
      `${CALLS} calls at once, ${ROUNDS} rounds, answered %s - no reply is lost`,
      { timeout: 60_000 * ROUNDS },
      async (how) => {
        const [server, client] = [await aDriver(), await aDriver()]
        const topic = `burst-${how.length}`
        const held: (() => unknown)[] = []
        await serve(server, topic, (incoming) => {
          incoming.acknowledge()
          held.push(() => incoming.reply(pong))
          if (how === 'as they come' || held.length === CALLS / 2) for (const reply of held.splice(0)) void reply()
        })
        for (let round = 0; round < ROUNDS; round += 1) {
          const calls = Array.from({ length: CALLS }, () =>
            ending(client.send(new Target({ topic }), request, within(55_000))),
          )
          const failed = (await Promise.all(calls)).filter((end) => end instanceof Error)
          expect(failed.slice(0, 3)).toEqual([])
        }
      },
    )

    it('a server that is started and closed five times leaves no queue for its fanout, and one while it runs', async () => {
      const driver = await aDriver()
      const target = new Target({ topic: 'restarted', server: 's' })
      for (let round = 0; round < 5; round += 1) {
        const options = { deadline: Deadline.after(10_000), prefetch: 10, onMessage: () => {} }
        const listener = await driver.listen(target, options)
        expect(await queues('broadcast.openstack.restarted')).toHaveLength(1)
        await listener.close()
        await expect.poll(() => queues('broadcast.openstack.restarted'), { timeout: 10_000 }).toEqual([])
      }
    })

    it('one address that is refused ends its own sends, and no others', async () => {
      await broker.control.addUser('limited', 'limited', { write: '^(?!.*secret).*$' })
      const driver = await openDriver(broker.url.replace(/^rabbit:\/\/[^@]*@/, 'amqp://limited:limited@'), {
        pre_settled: [],
      })
      drivers.push(driver)
      const server = await aDriver()
      const fanout = (topic: string): Promise<unknown> =>
        ending(driver.send(new Target({ topic, fanout: true }), request, within(10_000, { waitForReply: false })))
      const topics = ['one', 'secret', 'two', 'three']
      for (const topic of topics) await serve(server, topic, (incoming) => incoming.acknowledge())
      expect(await Promise.all(topics.map(fanout))).toEqual([
        undefined,
        expect.objectContaining({ code: 'OSLO_MESSAGING_AUTHENTICATION' }),
        undefined,
        undefined,
      ])
    })
  })
})
