import { randomUUID } from 'node:crypto'
import { type Broker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openDriver } from './support/open-driver.ts'
import { cast, ending, pong, request, serve, within } from './support/scene.ts'

// More clients, topics and listeners than one session of the broker, or than all its sessions one by one, can take.

const CLIENTS = 300
const TOPICS = 1_000
const LISTENERS = 300

const brokers: Readonly<Record<string, () => Promise<Broker>>> = {
  'RabbitMQ 4.3': () => startBroker('rabbit', { version: '4.3' }),
  'RabbitMQ 4.0': () => startBroker('rabbit', { version: '4.0' }),
  Artemis: () => startBroker('artemis'),
}

describe.each(Object.entries(brokers))('limits of %s', async (name, start) => {
  const broker = await skipOrFail(start())
  const proxy = await broker?.proxy()
  /** Connections that the broker has, which is said as well. */
  const connectionsFor = (what: string): number | undefined => {
    process.stdout.write(`${name}: ${what}: ${proxy?.connections} connections\n`)
    return proxy?.connections
  }
  const drivers: Driver[] = []
  const aDriver = async (): Promise<Driver> => {
    if (proxy === undefined) throw new Error('no broker')
    const driver = await openDriver(proxy.url.replace(/^rabbit/, 'amqp'))
    drivers.push(driver)
    return driver
  }
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close({ signal: AbortSignal.timeout(2_000) })))
  })

  it.skipIf(broker === undefined)(
    `${CLIENTS} clients of one server - each call of three rounds is answered`,
    { timeout: 240_000 },
    async () => {
      const topic = `t-${randomUUID().slice(0, 8)}`
      const server = await aDriver()
      await serve(server, topic)
      const clients: Driver[] = []
      for (let n = 0; n < CLIENTS; n += 1) clients.push(await aDriver())
      for (let round = 0; round < 3; round += 1) {
        const calls = clients.map((client) => ending(client.send(new Target({ topic }), request, within(60_000))))
        const failed = (await Promise.all(calls)).filter((end) => end instanceof Error)
        expect(failed.slice(0, 3)).toEqual([])
      }
      expect(server.health().status).toBe('ok')
      expect(connectionsFor(`${CLIENTS} clients and a server`)).toBe(CLIENTS + 1)
    },
  )

  it.skipIf(broker === undefined)(
    `${TOPICS} topics of one client, over one connection - each cast is sent`,
    { timeout: 240_000 },
    async () => {
      const prefix = `t-${randomUUID().slice(0, 8)}`
      const client = await aDriver()
      const sending = Array.from({ length: TOPICS }, (_, n) =>
        ending(client.send(new Target({ topic: `${prefix}-${n}` }), request, cast(120_000))),
      )
      const failed = (await Promise.all(sending)).filter((end) => end instanceof Error)
      expect(failed.slice(0, 3)).toEqual([])
      expect(client.health().status).toBe('ok')
      expect(connectionsFor(`${TOPICS} topics of one client`)).toBe(1)
    },
  )

  it.skipIf(broker === undefined)(
    `${LISTENERS} servers in one process, over one connection - each answers, and none flaps`,
    { timeout: 240_000 },
    async () => {
      const prefix = `t-${randomUUID().slice(0, 8)}`
      const [driver, client] = [await aDriver(), await aDriver()]
      const deadline = Deadline.after(120_000)
      for (let n = 0; n < LISTENERS; n += 1)
        await driver.listen(new Target({ topic: `${prefix}-${n}`, server: 's' }), {
          deadline,
          prefetch: 4,
          onMessage(incoming) {
            incoming.acknowledge()
            void incoming.reply(pong)
          },
        })
      const since = (): unknown => driver.health().components.find(({ kind }) => kind === 'connection')?.sinceMs
      const opened = since()
      const calls = Array.from({ length: LISTENERS }, (_, n) =>
        ending(client.send(new Target({ topic: `${prefix}-${n}` }), request, within(60_000))),
      )
      const failed = (await Promise.all(calls)).filter((end) => end instanceof Error)
      expect(failed.slice(0, 3)).toEqual([])
      expect(driver.health().status).toBe('ok')
      expect(since()).toBe(opened)
      expect(connectionsFor(`${LISTENERS} servers in one process and a client`)).toBe(2)
    },
  )

  afterAll(async () => await broker?.close())
})
