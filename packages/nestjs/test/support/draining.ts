import 'reflect-metadata'
import { randomUUID } from 'node:crypto'
import { Test } from '@nestjs/testing'
import { type SharedKafka, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, getMessaging, Messaging } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { OsloMessagingModule, OsloServer } from '../../src/index.ts'
import { WorkController } from './work.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka: SharedKafka | undefined = await skipOrFail(sharedBroker('kafka'))
const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver], discover: false })
const WORKING = 20
const MORE = 10

async function open(name: string, server: string, notifyUrl: string) {
  const compiled = await Test.createTestingModule({
    imports: [
      OsloMessagingModule.forRoot({
        messaging: { url: rabbit?.url ?? '', notifyUrl, registry },
        server: {
          topic: name,
          server,
          rpc: { workers: WORKING },
          notifications: { topic: `${name}-events` },
          listener: { pool: `${name}-pool`, workers: WORKING },
        },
      }),
    ],
    controllers: [WorkController],
  }).compile()
  const service = compiled.createNestMicroservice({ strategy: compiled.get(OsloServer), logger: false })
  await service.listen()
  await compiled.get(Messaging).ready()
  return service
}

/** A service that is closed while it handles messages: nothing is lost, nothing is done twice. */
export function describeDraining(version: string): void {
  describe.skipIf(rabbit === undefined || kafka === undefined)(
    `Nest ${version}, closed while messages are handled`,
    () => {
      it.each([
        ['rabbit', () => rabbit?.url ?? ''],
        ['kafka', () => kafka?.url ?? ''],
      ])('20 calls, and notifications over %s: all are done first, once', async (_name, notifyUrl) => {
        const name = `nest-${randomUUID().slice(0, 8)}`
        const tally = WorkController.reset()
        const service = await open(name, 'one', notifyUrl())
        const outside = await getMessaging({ url: rabbit?.url ?? '', notifyUrl: notifyUrl(), registry })
        const client = outside.client({ topic: name })
        const notifier = outside.notifier({ driver: 'messagingv2', topics: [`${name}-events`] })
        const numbers = Array.from({ length: WORKING }, (_each, index) => index)
        const call = async (number: number): Promise<unknown> =>
          await client.call(null, 'work', { number }, { timeoutMs: 60_000 })
        await Promise.all(numbers.map(async (number) => await notifier.info(null, 'event', { number })))
        const calls = numbers.map(call)
        const begun = (what: string): number => tally.begun.filter((each) => each === what).length
        // Kafka gives a listener the records of one partition one at a time.
        await expect.poll(() => begun('call'), { timeout: 30_000 }).toBe(WORKING)
        await expect.poll(() => begun('notification'), { timeout: 30_000 }).toBeGreaterThan(0)

        const closing = service.close()
        const later = Array.from({ length: MORE }, (_each, index) => WORKING + index)
        const callsOfLater = later.map(call)
        tally.finish()
        await closing
        expect(await Promise.all(calls)).toEqual(numbers)

        // What was not taken waits for the next.
        const next = await open(name, 'two', notifyUrl())
        expect(await Promise.all(callsOfLater)).toEqual(later)
        await expect.poll(() => tally.notifications.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(WORKING)
        await next.close()
        await outside.drain()
        const sorted = (all: readonly number[]): number[] => all.toSorted((one, other) => one - other)
        expect(sorted(tally.calls)).toEqual([...numbers, ...later])
        expect(sorted(tally.notifications)).toEqual(numbers)
      })
    },
  )
}
