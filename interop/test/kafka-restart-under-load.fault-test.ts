/// <reference lib="esnext.disposable" />
import { setTimeout as sleep } from 'node:timers/promises'

import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { getMetrics } from '@oslo-messaging/prometheus'
import { expect, it } from 'vitest'

import { sumOf, until } from './support/measured.ts'
import { unique } from './support/ours.ts'

const broker = await skipOrFail(startBroker('kafka'))
const SENDERS = 20

it.runIf(broker)(
  'P25 Kafka killed and restarted under load - readiness follows, and what resolved is what is stored, counted and handled',
  async () => {
    if (broker === undefined) return
    const topic = unique('loaded')
    await using messaging = await getMessaging({
      url: broker.url,
      rpc: false,
      overrides: { oslo_messaging_notifications: { driver: ['messagingv2'], topics: [topic] } },
    })
    const metrics = getMetrics(messaging)
    using probes = getProbes(messaging, { metrics: () => metrics.text() })
    const isReady = async (): Promise<boolean> => (await probes.answer('GET', '/readyz')).code === 200
    const [resolved, failed, heard, stored] = [
      new Set<number>(),
      new Set<number>(),
      new Set<number>(),
      new Set<number>(),
    ]
    let handled = 0
    const hear = (into: Set<number>) => ({
      info: (_ctxt: object, _publisher: unknown, _type: unknown, id: unknown) => void into.add(Number(id)),
    })
    messaging.listener([{ topic }], [{ info: () => void (handled += 1) }, hear(heard)], {
      pool: 'under-load',
      startFrom: 'earliest',
    })
    await messaging.start()
    await until(isReady, 'ready at first', 30_000)

    const enough = new AbortController()
    const notifier = messaging.notifier()
    let last = 0
    const sender = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        const id = (last += 1)
        await notifier.info({}, 'e', id, { timeoutMs: 20_000 }).then(
          () => resolved.add(id),
          () => failed.add(id),
        )
      }
    }
    const load = Array.from({ length: SENDERS }, sender)
    await until(async () => handled > 200, 'loaded', 30_000)

    await broker.kill()
    const downMs = await until(async () => !(await isReady()), 'not ready', 5000)
    await broker.start()
    const upMs = await until(isReady, 'ready again', 10_000)
    const before = resolved.size
    await until(async () => resolved.size > before + 200, 'loaded again', 30_000)
    enough.abort()
    await Promise.all(load)
    await until(async () => [...resolved].every((id) => heard.has(id)), 'handled', 30_000)
    // Somebody who reads from the beginning gets what the broker has, however often it has it.
    let records = 0
    const reader = messaging.listener([{ topic }], [{ info: () => void (records += 1) }, hear(stored)], {
      pool: 'counted',
      startFrom: 'earliest',
    })
    await reader.start()
    await until(async () => [...resolved].every((id) => stored.has(id)), 'read again', 30_000)
    await sleep(1000)

    const text = await metrics.text()
    expect(sumOf(text, 'oslo_messaging_sends_total', 'operation="notify"')).toBe(resolved.size + failed.size)
    expect(sumOf(text, 'oslo_messaging_sends_total', 'operation="notify"', 'error=""')).toBe(resolved.size)
    expect(sumOf(text, 'oslo_messaging_handled_total', 'operation="listen"')).toBe(handled + records)
    expect(sumOf(text, 'oslo_messaging_state_changes_total', 'state="recovering"')).toBeGreaterThan(0)
    // What failed may be stored all the same: its answer was lost with the broker.
    expect([...stored].filter((id) => !resolved.has(id) && !failed.has(id))).toEqual([])
    expect(heard).toEqual(stored)
    expect(records).toBe(stored.size)
    expect(handled).toBe(heard.size)
    metrics.close()
    console.log(
      `not ready after ${downMs.toFixed(0)} ms, ready again ${upMs.toFixed(0)} ms after the broker answered: ${resolved.size} resolved, ${failed.size} failed, ${stored.size} stored, ${handled} handled`,
    )
  },
)
