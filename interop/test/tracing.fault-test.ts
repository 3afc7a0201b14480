/// <reference lib="esnext.disposable" />
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NEWEST_PYTHON_WITH_TRACING, pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { getTracing } from '@oslo-messaging/opentelemetry'
import { afterAll, expect, it } from 'vitest'

import { PythonSide } from '../live/python-side.ts'
import { unique } from './support/ours.ts'
import { type ReceivedSpan, startOtlpReceiver } from './support/otlp-receiver.ts'
import { drawTrace } from './support/trace-picture.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const python = rabbit === undefined ? undefined : await skipOrFail(pythonWithLibrary(NEWEST_PYTHON_WITH_TRACING))
// Both libraries export what they have after so many milliseconds, instead of five seconds.
process.env['OTEL_BSP_SCHEDULE_DELAY'] = '200'

// The library sets its provider up once for a process, with one place to send to.
const receiver = await startOtlpReceiver()
afterAll(() => receiver[Symbol.asyncDispose]())

/** The chain of spans from the first to the last, each the parent of the next. */
function chainOf(spans: readonly ReceivedSpan[]): readonly string[] {
  const names: string[] = []
  let parentId = ''
  for (;;) {
    const next = spans.find((span) => span.parentId === parentId)
    if (next === undefined) return names
    names.push(`${next.service}: ${next.name}`)
    parentId = next.spanId
  }
}

it.runIf(python)(
  'Y2, Y3, Y4 propagation - one trace runs from ours through Python to ours, and from Python through ours to Python',
  async () => {
    const url = (await rabbit?.vhost()) ?? ''
    const overrides = {
      oslo_messaging_tracing: {
        tracing_enabled: true,
        tracing_service_name: 'node',
        otel_exporter_otlp_endpoint: receiver.url,
      },
    }
    await using messaging = await getMessaging({ url, notifications: false, overrides })
    await using side = await PythonSide.start({
      python: python ?? '',
      version: NEWEST_PYTHON_WITH_TRACING.version,
      url,
      settings: [
        'oslo_messaging_tracing.tracing_enabled=true',
        'oslo_messaging_tracing.tracing_service_name=python',
        `oslo_messaging_tracing.otel_exporter_otlp_endpoint=${receiver.url}`,
      ],
    })
    const [ours, theirs] = [unique('ours'), unique('theirs')]
    await side.serve({ topic: theirs, server: 'p' })
    const back = messaging.client({ topic: theirs })
    const seen: object[] = []
    messaging.server(
      { topic: ours, server: 'n' },
      {
        store(ctxt: object) {
          seen.push(ctxt)
          return 'stored'
        },
        forward: async (ctxt: object) => await back.call(ctxt, 'ping'),
      },
    )
    await messaging.start()

    const given = { to: ours, what: 'store', given: {} }
    expect(await back.call({ request_id: 'req-1' }, 'relay', given)).toBe('stored')
    expect(seen).toMatchObject([{ request_id: 'req-1', traceparent: expect.stringMatching(/^00-/) as string }])
    const client = await side.client({ target: { topic: ours }, timeoutMs: 20_000 })
    expect(await client.call('forward')).toMatchObject({ value: 'pong' })

    const spans = await receiver.spans.atLeast(8, undefined, 30_000)
    const traces = [...new Set(spans.map(({ traceId }) => traceId))]
    const chains = traces.map((trace) => chainOf(spans.filter(({ traceId }) => traceId === trace)))
    expect(chains.toSorted((one, other) => String(one).localeCompare(String(other)))).toEqual([
      [`node: ${theirs}.relay`, 'python: relay receive', `python: ${ours}.store`, 'node: store receive'],
      [`python: ${ours}.forward`, 'node: forward receive', `node: ${theirs}.ping`, 'python: ping receive'],
    ])
    console.log(chains.map((chain) => chain.map((line, depth) => `${'  '.repeat(depth)}${line}`).join('\n')).join('\n'))
  },
)

const PICTURE = fileURLToPath(new URL('../../docs/images/trace.svg', import.meta.url))

it.runIf(python)(
  'Y4 one trace holds our client, a Python server, our server and a notification; TRACE_PICTURE=1 draws it for the docs',
  async () => {
    const begunMs = Date.now()
    const url = (await rabbit?.vhost()) ?? ''
    const tracing = {
      tracing_enabled: true,
      tracing_service_name: 'node',
      otel_exporter_otlp_endpoint: receiver.url,
    }
    const overrides = { oslo_messaging_tracing: tracing, oslo_messaging_notifications: { driver: ['messagingv2'] } }
    await using messaging = await getMessaging({ url, overrides })
    messaging.notifications.use(getTracing())
    await using side = await PythonSide.start({
      python: python ?? '',
      version: NEWEST_PYTHON_WITH_TRACING.version,
      url,
      settings: Object.entries({ ...tracing, tracing_service_name: 'python' }).map(
        ([name, value]) => `oslo_messaging_tracing.${name}=${value}`,
      ),
    })
    const [service, scheduler, topic] = [unique('volumes'), unique('scheduler'), unique('events')]
    await side.serve({ topic: scheduler, server: 'p' })
    const notifier = messaging.notifier({ topics: [topic], publisherId: 'volumes.node1' })
    messaging.server(
      { topic: service, server: 'node1' },
      { create: async (ctxt: object) => await notifier.info(ctxt, 'volume.create.end', {}).then(() => 'created') },
    )
    messaging.listener([{ topic }], [{ info: () => {} }])
    await messaging.start()
    const client = messaging.client({ topic: scheduler })
    const relayed = async (): Promise<unknown> =>
      await client.call({ request_id: 'req-1' }, 'relay', { to: service, what: 'create', given: {} })
    // The first declares queues and opens connections; the second is what a service does all day.
    await relayed()
    expect(await relayed()).toBe('created')
    const spans = await receiver.spans.atLeast(14, ({ startMs }) => startMs >= begunMs, 30_000)
    const last = spans.toSorted((one, other) => other.startMs - one.startMs)[0]?.traceId
    const trace = spans.filter(({ traceId }) => traceId === last)
    const described = (text: string): string =>
      text.replace(service, 'volumes').replace(scheduler, 'scheduler').replace(topic, 'events')
    const named = trace.map((span) => ({ ...span, name: described(span.name) }))
    expect(chainOf(named)).toEqual([
      'node: scheduler.relay',
      'python: relay receive',
      'python: volumes.create',
      'node: create receive',
      'node: send events',
      expect.stringMatching(/^node: process /) as string,
    ])
    expect(named.map(({ name }) => name)).toContain('acknowledge notification listener events')
    const picture = drawTrace(named, 'A call through Python to Node, and the notification it sends')
    expect(picture.match(/<rect x=/g)).toHaveLength(7)
    if (process.env['TRACE_PICTURE'] === '1') writeFileSync(PICTURE, picture)
  },
)
