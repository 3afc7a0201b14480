/// <reference lib="esnext.disposable" />
import { startBroker, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { unique } from './support/ours.ts'
import { type Service, startService, type ServiceProcess } from './support/service-process.ts'

const COUNT = 200
const HANDLER_MS = 2000
const PATIENCE_MS = 60_000

async function started(service: Omit<Service, 'handlerMs'>): Promise<ServiceProcess> {
  return await startService({ ...service, handlerMs: HANDLER_MS })
}

const numbers = Array.from({ length: COUNT }, (_, index) => index)
const sorted = (ids: readonly number[]): number[] => ids.toSorted((one, other) => one - other)
const workers = { DEFAULT: { executor_thread_pool_size: COUNT } }

function describeRpc(name: string, url: () => Promise<string>, acknowledge: 'before' | 'after'): void {
  it(`P08 ${name} - SIGTERM with 200 handlers of 2 s in flight: all replies, no redelivery, exit code 0`, async () => {
    const [at, topic] = [await url(), unique('drain')]
    await using service = await started({ url: at, topic, kind: 'rpc', overrides: workers, timeoutMs: 25_000 })
    await using messaging = await getMessaging({ url: at, notifications: false })
    const client = messaging.client<{ work(args: { id: number }): string }>({ topic })
    const calls = numbers.map(async (id) => await client.call({}, 'work', { id }, { timeoutMs: PATIENCE_MS }))
    await service.begun.atLeast(COUNT, undefined, PATIENCE_MS)
    // Another process of the service, which must get none of them.
    const elsewhere: number[] = []
    messaging.server(
      { topic, server: 'second' },
      { work: (_context: object, { id }: { id: number }) => elsewhere.push(id) },
    )
    await messaging.start()
    const code = await service.end()
    expect(await Promise.all(calls)).toEqual(numbers.map((id) => `first ${id}`))
    expect({ code, elsewhere, begun: service.begun.items.length }).toEqual({ code: 0, elsewhere: [], begun: COUNT })
  })

  it(`P08 ${name} - with a deadline of 1 s what was not acknowledged is handled exactly once elsewhere`, async () => {
    const [at, topic] = [await url(), unique('drain')]
    // What is acknowledged before its method runs is lost with it, so there only some of them are in hands.
    const inHands = acknowledge === 'after' ? COUNT : COUNT / 4
    const overrides = {
      DEFAULT: { executor_thread_pool_size: inHands },
      oslo_messaging_nodejs: { rpc_acknowledge: acknowledge },
    }
    await using service = await started({ url: at, topic, kind: 'rpc', overrides, timeoutMs: 1000 })
    await using messaging = await getMessaging({ url: at, notifications: false })
    const client = messaging.client<{ work(args: { id: number }): string }>({ topic })
    const calls = numbers.map(async (id) => await client.call({}, 'work', { id }, { timeoutMs: 20_000 }))
    const settled = Promise.allSettled(calls)
    await service.begun.atLeast(inHands, undefined, PATIENCE_MS)
    const elsewhere: number[] = []
    const code = service.end()
    messaging.server(
      { topic, server: 'second' },
      {
        work(_context: object, { id }: { id: number }) {
          elsewhere.push(id)
          return `second ${id}`
        },
      },
    )
    await messaging.start()
    expect(await code).toBe(1)
    const lost = acknowledge === 'after' ? [] : service.begun.items
    const kept = numbers.filter((id) => !lost.includes(id))
    const answered = (await settled).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(answered).toEqual(kept.map((id) => `second ${id}`))
    expect({ elsewhere: sorted(elsewhere), begun: service.begun.items.length }).toEqual({
      elsewhere: kept,
      begun: inHands,
    })
  })
}

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const artemis = await skipOrFail(startBroker('artemis'))
const kafka = await skipOrFail(sharedBroker('kafka'))

describe.skipIf(rabbit === undefined)('rabbit', () => {
  describeRpc('rabbit', async () => (await rabbit?.vhost()) ?? '', 'after')
})

describe.skipIf(artemis === undefined)('amqp', () => {
  describeRpc('amqp', async () => await Promise.resolve(artemis?.url ?? ''), 'before')
})

describe.skipIf(kafka === undefined)('kafka', () => {
  const scene = async (mode: 'before' | 'after', timeoutMs: number) => {
    const topic = unique('drain')
    // Messages of a partition go one after the other, so each gets one of its own.
    await kafka?.createTopics([`${topic}.info`], { partitions: COUNT })
    const url = kafka?.url ?? ''
    const kafkaOptions = { kafka_commit_mode: mode, consumer_group: unique('group') }
    const overrides = { ...workers, oslo_messaging_kafka: kafkaOptions }
    const service = await started({ url, topic, kind: 'notifications', overrides, timeoutMs })
    return { topic, url, overrides, service }
  }

  it.each([
    ['SIGTERM with 200 handlers of 2 s in flight: all finish, no redelivery, exit code 0', 'before', 25_000, 0],
    ['with a deadline of 1 s what was not committed is handled exactly once elsewhere', 'after', 1000, 1],
  ] as const)('P08 kafka - %s', async (_title, mode, timeoutMs, expected) => {
    const { topic, url, overrides, service: given } = await scene(mode, timeoutMs)
    await using service = given
    await using messaging = await getMessaging({ url, rpc: false, overrides })
    const notifier = messaging.notifier({ driver: 'messagingv2', topics: [topic] })
    // One after the other: what is sent together shares a request, and with it a partition.
    const all = Array.from({ length: COUNT * 2 }, (_, index) => index + 1)
    for (const id of all) await notifier.info({}, 'work', id)
    await service.begun.atLeast(COUNT, undefined, PATIENCE_MS)
    const code = await service.end()
    expect(code).toBe(expected)
    const begun = new Set(service.begun.items)
    const done = new Set(service.done.items)
    const elsewhere = new Inbox<number>()
    messaging.listener(
      [{ topic }],
      [{ info: (_context, _publisherId, _eventType, payload) => elsewhere.add(Number(payload)) }],
    )
    await messaging.start()
    // All that was not done, begun or not, comes to the next process once.
    const left = all.filter((id) => !done.has(id))
    await elsewhere.atLeast(left.length, (id) => !done.has(id), PATIENCE_MS)
    expect(sorted(elsewhere.items.filter((id) => !done.has(id)))).toEqual(left)
    expect(new Set(elsewhere.items).size).toBe(elsewhere.items.length)
    const abandoned = [...begun].filter((id) => !done.has(id)).length
    if (mode === 'before') expect([elsewhere.items.length, abandoned, service.abandoned]).toEqual([left.length, 0, 0])
    else expect(service.abandoned).toBeGreaterThanOrEqual(Math.max(1, abandoned))
  })
})
