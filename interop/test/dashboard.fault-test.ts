/// <reference lib="esnext.disposable" />
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { sharedBroker, skipOrFail, startBroker, startPrometheus } from '@oslo-messaging/brokers'
import { getMessaging, RuntimeError } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { getMetrics } from '@oslo-messaging/prometheus'
import { expect, it } from 'vitest'

import { drawDashboard, legendOf, type Line, type Panel } from './support/dashboard-picture.ts'
import { until } from './support/measured.ts'
import { unique } from './support/ours.ts'

const broker = await skipOrFail(startBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const dashboards = (name: string): string => readFileSync(file(`packages/prometheus/dashboards/${name}`), 'utf8')
const PICTURE = file('docs/images/dashboard.svg')

it.runIf(broker && kafka)(
  'every panel of the dashboard shows a service whose broker dies and comes back, and the alert fires meanwhile; DASHBOARD_PICTURE=1 draws it for the docs',
  async () => {
    if (broker === undefined || kafka === undefined) return
    const events = unique('events')
    await using messaging = await getMessaging({
      url: await broker.vhost(),
      notifyUrl: kafka.url,
      overrides: { oslo_messaging_notifications: { driver: ['messagingv2'], topics: [events] } },
    })
    const metrics = getMetrics(messaging)
    using probes = getProbes(messaging, { metrics: () => metrics.text() })
    const http = createServer(probes.handle).listen(0, '127.0.0.1')
    await once(http, 'listening')
    await using _closed = { [Symbol.asyncDispose]: async () => void http.close() }
    messaging.server(
      { topic: 'stock', server: 'node1' },
      {
        take: async () => await sleep(5),
        count_slowly: async () => await sleep(120),
        refuse: () => {
          throw new RuntimeError('nothing is left')
        },
      },
      { workers: 8 },
    )
    // Slower than what it is told, so that a backlog grows.
    messaging.listener([{ topic: events }], [{ info: async () => await sleep(60) }], { workers: 2 })
    await messaging.start()
    await messaging.ready()

    // Alerts wait for minutes, so that nobody is woken by a moment; here there is no time for that.
    const rules = dashboards('alerts.yaml').replaceAll(/for: \d+m/g, 'for: 1s')
    const target = `127.0.0.1:${(http.address() as AddressInfo).port}`
    await using prometheus = await startPrometheus({ targets: [target], rules })
    const fromMs = Date.now()
    const enough = new AbortController()
    const client = messaging.client({ topic: 'stock' }, { timeoutMs: 3000 })
    const notifier = messaging.notifier({ publisherId: 'node1' })
    const again = async (work: () => Promise<unknown>, pauseMs: number): Promise<void> => {
      while (!enough.signal.aborted) {
        await work().catch(() => undefined)
        await sleep(pauseMs)
      }
    }
    const load = [
      ...Array.from({ length: 6 }, async () => await again(async () => await client.call({}, 'take'), 10)),
      ...Array.from({ length: 3 }, async () => await again(async () => await client.call({}, 'count_slowly'), 30)),
      again(async () => await client.call({}, 'refuse'), 400),
      again(async () => await notifier.info({}, 'stock.taken', {}), 20),
    ]
    await sleep(20_000)
    await broker.kill()
    await until(async () => (await prometheus.firing()).includes('OsloMessagingNotReady'), 'the alert', 20_000)
    await sleep(4000)
    await broker.start()
    await until(async () => !(await prometheus.firing()).includes('OsloMessagingNotReady'), 'quiet again', 30_000)
    await sleep(12_000)
    enough.abort()
    await Promise.all(load)
    const span = { fromMs, toMs: Date.now() }

    const { title, panels } = JSON.parse(dashboards('grafana.json')) as { title: string; panels: readonly Panel[] }
    const drawn: { panel: Panel; lines: readonly Line[] }[] = []
    for (const panel of panels) {
      const lines: Line[] = []
      for (const { expr, legendFormat } of panel.targets) {
        // What Grafana fills in; and a window as short as this run.
        const expression = expr.replaceAll('$instance', '.+').replaceAll('[5m]', '[10s]')
        for (const series of await prometheus.series(expression, span.fromMs, span.toMs))
          lines.push({ name: legendOf(legendFormat, series).trim(), values: series.values })
      }
      drawn.push({ panel, lines })
    }
    expect(drawn.filter(({ lines }) => lines.length === 0).map(({ panel }) => panel.title)).toEqual([])
    const most = (name: string): number =>
      Math.max(
        ...drawn
          .filter(({ panel }) => panel.title === name)
          .flatMap(({ lines }) => lines.flatMap(({ values }) => values.map(([, value]) => value))),
      )
    expect(most('Sending failed')).toBeGreaterThan(0)
    expect(most('Handlers failed')).toBeGreaterThan(0)
    expect(most('Backlog at the broker')).toBeGreaterThan(10)
    expect(most('Workers busy')).toBeGreaterThan(0)
    const ready = drawn[0]?.lines[0]?.values.map(([, value]) => value) ?? []
    expect([ready.includes(0), ready.at(-1)]).toEqual([true, 1])
    if (process.env['DASHBOARD_PICTURE'] === '1') writeFileSync(PICTURE, drawDashboard(title, drawn, span))
    metrics.close()
  },
)
