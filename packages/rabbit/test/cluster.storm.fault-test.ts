import { type IncomingRequest, Target, TransportURL } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { unique } from './support/broker.ts'
import { countingClient } from './support/counting-client.ts'
import { echo, listenOptions, openDriver } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()
const CLIENTS = Number(process.env['STORM_CLIENTS'] ?? '200')

describe.skipIf(broker === undefined)('a broker that comes back to many clients', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it.each([
    { name: 'a splay of 9 s', options: { kombu_reconnect_delay: 1, kombu_reconnect_splay: 9 }, windowMs: 10_000 },
    { name: 'the defaults', options: { kombu_reconnect_delay: 1 }, windowMs: 1000 },
  ])(
    `P23 - ${CLIENTS} clients with $name and a broker restart: connects are spread over the window, all consume within 60 s, nothing is declared twice`,
    async ({ options, windowMs }) => {
      const url = TransportURL.parse(await broker.vhost(unique('storm')))
      const clients = Array.from({ length: CLIENTS }, () => {
        const client = countingClient()
        return { client, driver: openDriver(client, { url, options }) }
      })
      const listeners = []
      for (const [index, { driver }] of clients.entries())
        listeners.push(
          await driver.listen(
            new Target({ topic: `storm_${index % 20}`, server: `s${index}` }),
            listenOptions<IncomingRequest>(echo, {}),
          ),
        )
      for (const { client } of clients) {
        client.counts.connectedAt.length = 0
        client.counts.declared.clear()
        client.counts.done.clear()
      }
      await broker.restart()
      const upAt = performance.now()
      await expect
        .poll(() => clients.filter(({ driver }) => driver.health().status !== 'ok').length, { timeout: 60_000 })
        .toBe(0)
      const backMs = performance.now() - upAt
      const connects = clients.flatMap(({ client }) => client.counts.connectedAt).toSorted((a, b) => a - b)
      const peak = Math.max(
        ...connects.map((at) => connects.filter((other) => other >= at && other < at + 1000).length),
      )
      const declared = clients.flatMap(({ client }) => [...client.counts.done])
      tell(
        `${CLIENTS} clients, window ${windowMs} ms: ${connects.length} connects, peak ${peak} in one second, all back ${Math.round(backMs)} ms after the broker; ${declared.reduce((sum, [, count]) => sum + count, 0)} declarations`,
      )
      // What comes while nobody listens costs the broker nothing; after that every client has one attempt, or a few that found it not ready.
      expect(connects.filter((at) => at >= upAt).length).toBeLessThanOrEqual(1.5 * CLIENTS)
      // Three times the average: chance is not even, and two hundred clients share one event loop here.
      expect(peak).toBeLessThanOrEqual((3 * CLIENTS * 1000) / windowMs)
      // Queues and bindings once; the topic exchange for each of the two queues it leads to, as Python's services do.
      expect(Math.max(...declared.map(([entity, count]) => (entity.startsWith('exchange') ? count / 2 : count)))).toBe(
        1,
      )
      for (const listener of listeners) await listener.close()
      for (const { driver } of clients) await driver.close()
    },
  )
})
