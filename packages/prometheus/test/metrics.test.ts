/// <reference lib="esnext.disposable" />
import { readFile } from 'node:fs/promises'
import { createDriverRegistry, getMessaging, RuntimeError } from '@oslo-messaging/core'
import { createMemoryBroker, createMemoryDriver } from '@oslo-messaging/core/testing'
import { getMetrics, METRIC_NAMES } from '@oslo-messaging/prometheus'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'

async function scene() {
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker: createMemoryBroker() })] })
  const messaging = await getMessaging({ url: 'memory://', registry })
  const kept = new Registry()
  const metrics = getMetrics(messaging, { registry: kept })
  const close = async (): Promise<void> => {
    metrics.close()
    await messaging.drain()
  }
  return { messaging, metrics, kept, [Symbol.asyncDispose]: close }
}

/** Lines of the text format that begin with the name. */
async function lines(metrics: { text(): Promise<string> }, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

it('metrics - what is sent and handled is counted and measured, with the class of what failed', async () => {
  await using at = await scene()
  const { messaging, metrics } = at
  const fail = (): never => {
    throw new RuntimeError('no')
  }
  messaging.server({ topic: 't', server: 's' }, { ok: () => 1, fail })
  await messaging.start()
  const client = messaging.client({ topic: 't' })
  await client.call({}, 'ok')
  await client.call({}, 'ok')
  await expect(client.call({}, 'fail')).rejects.toThrow('no')
  await messaging.notifier({ driver: 'messagingv2', topics: ['events'] }).info({}, 'e', {})
  const labels = 'driver="memory",operation="call",destination="t"'
  expect(await lines(metrics, 'oslo_messaging_sends_total')).toEqual([
    `oslo_messaging_sends_total{${labels},method="ok",error=""} 2`,
    `oslo_messaging_sends_total{${labels},method="fail",error="RuntimeError"} 1`,
    'oslo_messaging_sends_total{driver="memory",operation="notify",destination="events",method="info",error=""} 1',
  ])
  expect(await lines(metrics, 'oslo_messaging_handled_total')).toEqual([
    'oslo_messaging_handled_total{driver="memory",operation="serve",destination="t",method="ok",error=""} 2',
    'oslo_messaging_handled_total{driver="memory",operation="serve",destination="t",method="fail",error="RuntimeError"} 1',
  ])
  expect(await lines(metrics, 'oslo_messaging_send_duration_seconds_count')).toHaveLength(3)
})

it('metrics - gauges tell what is there when they are asked', async () => {
  await using at = await scene()
  const { messaging, metrics } = at
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  messaging.server({ topic: 't', server: 's' }, { hang: async () => await held }, { workers: 1 })
  await messaging.start()
  const client = messaging.client({ topic: 't' })
  const calls = [client.call({}, 'hang'), client.call({}, 'hang')]
  const gauges = async () =>
    await Promise.all(
      ['outstanding', 'handlers_running', 'handlers_waiting', 'workers', 'ready'].map(async (name) => {
        const found = await lines(metrics, `oslo_messaging_${name}`)
        return Number(
          found
            .find((line) => !line.includes('notification'))
            ?.split(' ')
            .at(-1),
        )
      }),
    )
  await expect.poll(gauges).toEqual([2, 1, 1, 1, 1])
  expect(await lines(metrics, 'oslo_messaging_component_up')).not.toEqual([])
  release()
  await Promise.all(calls)
  expect(await gauges()).toEqual([0, 0, 0, 1, 1])
})

it('metrics - the registry is left as it was, and the service unwatched', async () => {
  await using at = await scene()
  const counters = ['oslo_messaging_sends_total', 'oslo_messaging_state_changes_total'].map((name) =>
    at.kept.getSingleMetric(name),
  )
  at.metrics.close()
  expect((await at.metrics.text()).trim()).toBe('')
  await at.messaging.notifier({ driver: 'messagingv2', topics: ['events'] }).info({}, 'e', {})
  await at.messaging.drain()
  for (const counter of counters) expect((await counter?.get())?.values).toEqual([])
})

it.each(['grafana.json', 'alerts.yaml'])('%s names only metrics that there are', async (file) => {
  const text = await readFile(new URL(`../dashboards/${file}`, import.meta.url), 'utf8')
  const used = new Set(
    [...text.matchAll(/\boslo_messaging_\w+/g)].map(([name]) =>
      name.endsWith('_seconds_bucket') ? name.slice(0, -'_bucket'.length) : name,
    ),
  )
  expect(METRIC_NAMES).toEqual(expect.arrayContaining([...used]))
  expect(used.size).toBeGreaterThan(6)
})

it('the page about metrics has each of them', async () => {
  const page = await readFile(new URL('../../../docs/operations/observability.md', import.meta.url), 'utf8')
  for (const name of METRIC_NAMES) expect(page, name).toContain(`\`${name}\``)
})
