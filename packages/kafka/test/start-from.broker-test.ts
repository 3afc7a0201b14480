import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import { kafkaDriver } from '../src/index.ts'
import { encodeRecord } from '../src/wire/record.ts'
import { sharedKafka, store, unique } from './support/broker.ts'
import { eventually, notification } from './support/open-driver.ts'

const broker = await sharedKafka()
const texts = (...payloads: unknown[]): string[] => payloads.map((each) => encodeRecord(notification(each)).toString())

describe.skipIf(broker === undefined)('startFrom of a listener', () => {
  if (broker === undefined) return

  it('a time, an offset, the oldest - each pool that has never read begins there; backlog() says what waits', async () => {
    const topic = unique('from')
    await store(broker, `${topic}.info`, texts('a', 'b'))
    await sleep(20)
    const between = new Date()
    await sleep(20)
    await store(broker, `${topic}.info`, texts('c', 'd', 'e'))
    const registry = createDriverRegistry({ drivers: [kafkaDriver] })
    await using bus = await getNotificationTransport(await loadConfig(), { url: broker.url, registry })
    const read = async (
      startFrom: Parameters<typeof getNotificationListener>[3],
      count: number,
    ): Promise<unknown[]> => {
      const got: unknown[] = []
      const endpoint = { info: (_c: object, _p: unknown, _t: unknown, payload: unknown) => void got.push(payload) }
      const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], {
        pool: unique('pool'),
        ...startFrom,
      })
      await listener.start()
      await eventually(() => got.length >= count, `${count} notifications`)
      await eventually(() => listener.backlog()[0]?.waiting === 0, 'nothing waits')
      expect(listener.backlog()).toEqual([{ source: `${topic}.info/0`, position: 5, end: 5, waiting: 0 }])
      await listener.stop()
      await listener.wait()
      return got
    }
    expect(await read({ startFrom: { timestamp: between } }, 3)).toEqual(['c', 'd', 'e'])
    expect(await read({ startFrom: { offset: 1 } }, 4)).toEqual(['b', 'c', 'd', 'e'])
    expect(await read({ startFrom: 'earliest' }, 5)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})
