/// <reference lib="esnext.disposable" />
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { getMetrics } from '@oslo-messaging/prometheus'
import { expect, it } from 'vitest'

import { sumOf, until } from './support/measured.ts'
import { unique } from './support/ours.ts'

const broker = await skipOrFail(startBroker('rabbit'))
const CALLERS = 20

it.runIf(broker)(
  'P25 a broker killed and restarted under load - readiness follows, and the counters add up',
  async () => {
    if (broker === undefined) return
    const topic = unique('loaded')
    await using messaging = await getMessaging({
      url: await broker.vhost(),
      overrides: { oslo_messaging_notifications: { driver: ['messagingv2'], topics: [topic] } },
    })
    const metrics = getMetrics(messaging)
    using probes = getProbes(messaging, { metrics: () => metrics.text() })
    const isReady = async (): Promise<boolean> => (await probes.answer('GET', '/readyz')).code === 200
    const made = { calls: 0, failedCalls: 0, notifications: 0, failedNotifications: 0, served: 0, heard: 0 }
    messaging.server({ topic, server: 's' }, { add: () => (made.served += 1) })
    messaging.listener([{ topic }], [{ info: () => void (made.heard += 1) }])
    await messaging.start()
    await until(isReady, 'ready at first', 20_000)

    const enough = new AbortController()
    const client = messaging.client({ topic }, { timeoutMs: 20_000 })
    const notifier = messaging.notifier()
    const caller = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        made.calls += 1
        await client.call({}, 'add').catch(() => (made.failedCalls += 1))
        made.notifications += 1
        await notifier.info({}, 'e', {}).catch(() => (made.failedNotifications += 1))
      }
    }
    const load = Array.from({ length: CALLERS }, caller)
    await until(async () => made.served > 200, 'loaded', 20_000)

    await broker.kill()
    const downMs = await until(async () => !(await isReady()), 'not ready', 5000)
    await broker.start()
    const upMs = await until(isReady, 'ready again', 10_000)
    const before = made.served
    await until(async () => made.served > before + 200, 'loaded again', 20_000)
    enough.abort()
    await Promise.all(load)
    // What was delivered twice or late is still being handled.
    await until(
      async () =>
        messaging.transports.every(({ load: { servers } }) =>
          servers.every(({ running, waiting }) => running + waiting === 0),
        ),
      'quiet',
      20_000,
    )

    const text = await metrics.text()
    const count = (operation: string, ...labels: string[]): number =>
      sumOf(text, 'oslo_messaging_sends_total', `operation="${operation}"`, ...labels)
    expect(count('call')).toBe(made.calls)
    expect(count('call', 'error=""')).toBe(made.calls - made.failedCalls)
    expect(count('notify')).toBe(made.notifications)
    expect(count('notify', 'error=""')).toBe(made.notifications - made.failedNotifications)
    expect(sumOf(text, 'oslo_messaging_handled_total', 'operation="serve"')).toBe(made.served)
    expect(sumOf(text, 'oslo_messaging_handled_total', 'operation="listen"')).toBe(made.heard)
    // Each call that was answered was handled, whatever the broker did in between.
    expect(made.served).toBeGreaterThanOrEqual(made.calls - made.failedCalls)
    expect(sumOf(text, 'oslo_messaging_state_changes_total', 'state="recovering"')).toBeGreaterThan(0)
    metrics.close()
    console.log(
      `not ready after ${downMs.toFixed(0)} ms, ready again ${upMs.toFixed(0)} ms after the broker answered: ${JSON.stringify(made)}`,
    )
  },
)
