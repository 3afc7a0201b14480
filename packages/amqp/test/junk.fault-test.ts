import { randomUUID } from 'node:crypto'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { encodeMessage } from '../src/wire/encode-message.ts'
import { artemis } from './support/artemis.ts'
import { BAD_MESSAGES } from './support/odd-peer/message.ts'
import { openDriver } from './support/open-driver.ts'
import { putBytes } from './support/put-bytes.ts'
import { pong, request, within } from './support/scene.ts'

// What another client has put into the broker is not ours to choose. A server goes on whatever it is, on the connection
// it has.

/** More by the environment: `AMQP_MUTATED=10000`. */
const MUTATED = Number(process.env['AMQP_MUTATED'] ?? 1_000)
const broker = await artemis({ config: { 'test.min.expiry': '-1' } })

let closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})
const aDriver = async (): Promise<Driver> => {
  const driver = await openDriver(broker?.url ?? '')
  closers.push(() => driver.close({ signal: AbortSignal.timeout(1_000) }))
  return driver
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A server, how often it has handled something, and since when it has its connection. */
async function served(topic: string) {
  const driver = await aDriver()
  let handled = 0
  await driver.listen(new Target({ topic, server: 's' }), {
    deadline: Deadline.after(20_000),
    prefetch: 50,
    onMessage(incoming) {
      handled += 1
      incoming.acknowledge()
      void incoming.reply(pong)
    },
  })
  const since = (): unknown => driver.health().components.find(({ kind }) => kind === 'connection')?.sinceMs
  return { handled: () => handled, since }
}

describe.skipIf(broker === undefined)('junk in Artemis', () => {
  if (broker === undefined) return
  afterAll(() => broker.close())
  const topicOf = (): string => `t-${randomUUID().slice(0, 8)}`
  const addressOf = (topic: string): string => `openstack.org/om/rpc/anycast/openstack/${topic}`

  it.each(Object.entries(BAD_MESSAGES))(
    '%s - the server lives, on its connection, and answers the next call',
    { timeout: 60_000 },
    async (_name, bad) => {
      const topic = topicOf()
      const server = await served(topic)
      const opened = server.since()
      await putBytes(broker.place, addressOf(topic), [bad]).catch(() => 0)
      const client = await aDriver()
      expect(await client.send(new Target({ topic }), request, within(20_000))).toEqual(pong)
      expect(server.since()).toBe(opened)
    },
  )

  it(
    `${MUTATED} messages with bytes changed at random, and as many good ones in between - every good one is handled`,
    { timeout: 120_000 + 100 * MUTATED },
    async () => {
      const topic = topicOf()
      const server = await served(topic)
      const opened = server.since()
      const random = seeded(20_261_128)
      const good = encodeMessage({
        to: addressOf(topic),
        message_id: 'm',
        body: '{"request": {"method": "m", "args": {"n": 1}}, "context": {}}',
        ttl: 600_000,
        application_properties: { traceparent: '00-1' },
      })
      const mutated = (): Buffer => {
        const bytes = Buffer.from(good)
        const changes = 1 + Math.floor(random() * 4)
        for (let n = 0; n < changes; n += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
        return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
      }
      let goodOnes = 0
      // What Artemis itself refuses ends the connection of whoever sends it; so in small parts.
      for (let part = 0; part < MUTATED; part += 50) {
        const payloads = Array.from({ length: 50 }, mutated)
        for (const payload of payloads) await putBytes(broker.place, addressOf(topic), [payload]).catch(() => 0)
        goodOnes += await putBytes(broker.place, addressOf(topic), [good, good])
      }
      await expect.poll(() => server.handled(), { timeout: 60_000 }).toBeGreaterThanOrEqual(goodOnes)
      expect(server.since()).toBe(opened)
      process.stdout.write(
        `${MUTATED} mutated, ${goodOnes} good ones accepted, ${server.handled()} handled, 0 restarts\n`,
      )
    },
  )
})
