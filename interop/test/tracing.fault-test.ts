/// <reference lib="esnext.disposable" />
import { NEWEST_PYTHON_WITH_TRACING, pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { expect, it } from 'vitest'

import { PythonSide } from '../live/python-side.ts'
import { unique } from './support/ours.ts'
import { type ReceivedSpan, startOtlpReceiver } from './support/otlp-receiver.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const python = rabbit === undefined ? undefined : await skipOrFail(pythonWithLibrary(NEWEST_PYTHON_WITH_TRACING))
// Both libraries export what they have after so many milliseconds, instead of five seconds.
process.env['OTEL_BSP_SCHEDULE_DELAY'] = '200'

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
    await using receiver = await startOtlpReceiver()
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
