import { Deadline, type IncomingRequest, Target, TransportURL } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { unique } from './support/broker.ts'
import { countingClient } from './support/counting-client.ts'
import { echo, listenOptions, openDriver } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()
const CLIENTS = Number(process.env['STORM_CLIENTS'] ?? '500')

describe.skipIf(broker === undefined)('a broker that comes back to many clients', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it.each([
    // Nobody tells the clients apart, so chance is not even: drawn from twice the window, no second of it gets more
    // than its share.
    { name: 'a splay of 20 s', options: { kombu_reconnect_delay: 1, kombu_reconnect_splay: 20 }, windowMs: 10_000 },
    { name: 'the defaults', options: { kombu_reconnect_delay: 1 }, windowMs: 1000 },
  ])(
    `P23 - ${CLIENTS} clients with $name and a broker restart: no second has more connects than N / window, all consume within 60 s, each entity is declared once by each client`,
    async ({ options, windowMs }) => {
      const url = TransportURL.parse(await broker.vhost(unique('storm')))
      const clients = Array.from({ length: CLIENTS }, () => {
        const client = countingClient()
        return { client, driver: openDriver(client, { url, options }) }
      })
      const listeners = await Promise.all(
        clients.map(
          async ({ driver }, index) =>
            await driver.listen(
              new Target({ topic: `storm_${index % 20}`, server: `s${index}` }),
              listenOptions<IncomingRequest>(echo, { deadline: Deadline.after(60_000) }),
            ),
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
      // What comes while nobody listens costs the broker nothing.
      const connects = clients
        .flatMap(({ client }) => client.counts.connectedAt)
        .filter((at) => at >= upAt)
        .toSorted((a, b) => a - b)
      const peak = Math.max(
        ...connects.map((at) => connects.filter((other) => other >= at && other < at + 1000).length),
      )
      const declared = clients.flatMap(({ client }) => [...client.counts.done])
      tell(
        `${CLIENTS} clients, window ${windowMs} ms: ${connects.length} connects, peak ${peak} in one second, all back ${Math.round(backMs)} ms after the broker; ${declared.reduce((sum, [, count]) => sum + count, 0)} declarations`,
      )
      expect(backMs).toBeLessThan(60_000)
      // After that every client has one attempt, or a few that found the broker not ready.
      expect(connects.length).toBeLessThanOrEqual(1.5 * CLIENTS)
      expect(peak).toBeLessThanOrEqual((CLIENTS * 1000) / windowMs)
      expect(Math.max(...declared.map(([, count]) => count))).toBe(1)
      await Promise.all(listeners.map(async (listener) => await listener.close()))
      await Promise.all(clients.map(async ({ driver }) => await driver.close()))
    },
    240_000,
  )
})
