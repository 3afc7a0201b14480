import { inspect } from 'node:util'
import { type IncomingNotification, type IncomingRequest, Target, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { planMigration } from '../../src/admin/migration.ts'
import type { RabbitOptions } from '../../src/config.ts'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { notificationOf } from '../support/notification.ts'
import { castOptions, listenOptions, rabbitOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const CONFIGURATIONS: Readonly<Record<string, Partial<RabbitOptions>>> = {
  plain: {},
  durable: { amqp_durable_queues: true },
  'auto-delete': { amqp_auto_delete: true },
  quorum: { rabbit_quorum_queue: true },
  limited: { rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 5 },
  'transient quorum': { rabbit_transient_quorum_queue: true },
  stream: { rabbit_transient_quorum_queue: true, rabbit_stream_fanout: true, rabbit_qos_prefetch_count: 10 },
  'other time to live': { rabbit_transient_queues_ttl: 600 },
}
const names = Object.keys(CONFIGURATIONS)
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const))

describe.skipIf(broker === undefined)(
  'what the plan of a migration says about old and new services beside each other',
  () => {
    if (broker === undefined) return

    it('is what the broker does, for every pair of configurations', async () => {
      const vhost = unique('migration')
      await broker.vhost(vhost)
      const url = broker.urlFor({ vhost })
      const target = new Target({ topic: 'topic', server: 'server' })
      const start = async (
        options: Partial<RabbitOptions>,
        exchange: string,
      ): Promise<{ readonly error: unknown; close(): Promise<void> }> => {
        const driver = openReal(url, { options })
        const close = async (): Promise<void> => await driver.close()
        try {
          await driver.listen(
            target.with({ exchange, topic: exchange }),
            listenOptions<IncomingRequest>(() => {}),
          )
          await driver.listenForNotifications(
            [{ target: target.with({ exchange, topic: `${exchange}-events` }), priority: 'info' }],
            listenOptions<IncomingNotification>(() => {}),
          )
          return { error: undefined, close }
        } catch (error) {
          return { error, close }
        }
      }
      const wrong: string[] = []
      try {
        for (const [from, to] of pairs) {
          const [before, after] = [CONFIGURATIONS[from] ?? {}, CONFIGURATIONS[to] ?? {}]
          const side = (options: Partial<RabbitOptions>, name: string) => ({
            url: TransportURL.parse(url),
            options: rabbitOptions(options),
            defaultExchange: name,
          })
          const plan = planMigration(side(before, 'x'), side(after, 'x'))
          const exchange = unique('t')
          const old = await start(before, exchange)
          const next = await start(after, exchange)
          const isRefused = plan.changes.some(({ effect }) => effect === 'refused')
          if (old.error !== undefined) wrong.push(`${from}: ${inspect(old.error)}`)
          if (isRefused !== (next.error !== undefined))
            wrong.push(`${from} to ${to}: planned ${isRefused ? 'refused' : plan.kind}, and got ${inspect(next.error)}`)
          await Promise.all([old.close(), next.close()])
        }
      } finally {
        await broker.control.deleteVhost(vhost)
      }
      expect(wrong).toEqual([])
    })

    it('loses nothing while senders go on: both read, switched, drained, switched off', async () => {
      const [before, after] = [unique('before'), unique('after')]
      await Promise.all([broker.vhost(before), broker.vhost(after)])
      const open = (vhost: string, options: Partial<RabbitOptions>) =>
        openReal(broker.urlFor({ vhost }), { options: { rabbit_qos_prefetch_count: 4, ...options } })
      const [old, next] = [open(before, {}), open(after, { rabbit_quorum_queue: true })]
      const handled = new Map<string, number>()
      const read = async (driver: typeof old): Promise<void> => {
        const source = { target: new Target({ topic: 'events' }), priority: 'info' }
        await driver.listenForNotifications(
          [source],
          listenOptions<IncomingNotification>((incoming) => {
            const id = String(incoming.message['payload'])
            handled.set(id, (handled.get(id) ?? 0) + 1)
            incoming.acknowledge()
          }),
        )
      }
      try {
        await read(old)
        let place = old
        const sent: string[] = []
        const sender = async (name: string): Promise<void> => {
          for (let n = 0; n < 300; n += 1) {
            const id = `${name}-${n}`
            const options = { version: '2.0', deadline: castOptions().deadline, retries: null } as const
            await place.sendNotification(new Target({ topic: 'events.info' }), notificationOf(id), options)
            sent.push(id)
          }
        }
        const senders = ['a', 'b', 'c'].map(sender)
        await expect.poll(() => handled.size, { timeout: 10_000, interval: 1 }).toBeGreaterThan(50)
        await read(next)
        place = next
        const switched = sent.length
        await Promise.all(senders)
        expect(sent.length).toBeGreaterThan(switched)
        await expect.poll(() => handled.size, { timeout: 10_000 }).toBe(sent.length)
        expect([...handled.values()].every((times) => times === 1)).toBe(true)
        await old.close()
      } finally {
        await Promise.all([old.close(), next.close()])
        await Promise.all([broker.control.deleteVhost(before), broker.control.deleteVhost(after)])
      }
    })
  },
)
