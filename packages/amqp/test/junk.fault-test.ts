import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
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
/** Of the mutated ones, over so many connections. */
const AT_ONCE = 10
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

/** A server, what it was given, and since when it has its connection. */
async function served(topic: string) {
  const driver = await aDriver()
  const handled: unknown[] = []
  await driver.listen(new Target({ topic, server: 's' }), {
    deadline: Deadline.after(20_000),
    prefetch: 50,
    onMessage(incoming) {
      handled.push(incoming.message['args'])
      incoming.acknowledge()
      void incoming.reply(pong)
    },
  })
  const since = (): unknown => driver.health().components.find(({ kind }) => kind === 'connection')?.sinceMs
  return { handled, since }
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
    `${MUTATED} messages with bytes changed at random, and good ones in between - every good one is handled`,
    { timeout: 120_000 + 100 * MUTATED },
    async () => {
      const topic = topicOf()
      let refused = 0
      const onDropped = (): void => void (refused += 1)
      subscribe('oslo-messaging:message-dropped', onDropped)
      closers.push(async () => unsubscribe('oslo-messaging:message-dropped', onDropped))
      const server = await served(topic)
      const opened = server.since()
      const random = seeded(20_261_128)
      const message = (args: string): Buffer =>
        encodeMessage({
          to: addressOf(topic),
          message_id: 'm',
          body: `{"request": {"method": "m", "args": ${args}}, "context": {}}`,
          ttl: 600_000,
          application_properties: { traceparent: '00-1' },
        })
      const model = message('{"n": 1}')
      const mutated = (): Buffer => {
        const bytes = Buffer.from(model)
        const changes = 1 + Math.floor(random() * 4)
        for (let n = 0; n < changes; n += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
        return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
      }
      const put = async (payloads: readonly Buffer[]): Promise<number> =>
        await putBytes(broker.place, addressOf(topic), payloads)
      let taken = 0
      const good: string[] = []
      for (let part = 0; part < MUTATED; part += AT_ONCE) {
        // What Artemis itself refuses ends the connection of whoever sends it, so each comes over one of its own.
        const sent = Array.from({ length: AT_ONCE }, mutated).map((payload) => put([payload]).catch(() => 0))
        for (const accepted of await Promise.all(sent)) taken += accepted
        good.push(`good ${part}`)
        expect(await put([message(`"${good.at(-1)}"`)])).toBe(1)
      }
      const missing = (): string[] => good.filter((each) => !server.handled.includes(each))
      await expect.poll(missing, { timeout: 60_000 }).toEqual([])
      const counted = (): number => server.handled.length + refused
      await expect.poll(counted, { timeout: 60_000 }).toBe(taken + good.length)
      expect(server.since()).toBe(opened)
      process.stdout.write(
        `${MUTATED} mutated: Artemis took ${taken}, the server refused ${refused} and handled the others; ` +
          `${good.length} good ones, all handled; 0 restarts\n`,
      )
    },
  )
})
