/// <reference lib="esnext.disposable" />
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import * as conventions from '@opentelemetry/semantic-conventions/incubating'
import { createDriverRegistry, getMessaging, RuntimeError } from '@oslo-messaging/core'
import { createMemoryBroker, createMemoryDriver, createRecorder } from '@oslo-messaging/core/testing'
import { getTracing, type TracingOptions } from '@oslo-messaging/opentelemetry'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ATTRIBUTE, METRIC } from '../src/names.ts'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
afterAll(async () => {
  trace.disable()
  await provider.shutdown()
})
beforeEach(() => exporter.reset())

async function scene(options: TracingOptions | null = {}) {
  const recorder = createRecorder()
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker: createMemoryBroker(), recorder })] })
  const messaging = await getMessaging({ url: 'memory://', registry })
  if (options !== null) messaging.use(getTracing(options))
  return { messaging, recorder, [Symbol.asyncDispose]: async () => void (await messaging.drain()) }
}

const spans = () =>
  exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    kind: span.kind,
    id: span.spanContext().spanId,
    traceId: span.spanContext().traceId,
    parent: span.parentSpanContext?.spanId,
    attributes: span.attributes,
    links: span.links.map((link) => link.context.spanId),
    status: span.status.code,
  }))
const named = (name: string) => {
  const found = spans().find((span) => span.name === name)
  if (found === undefined)
    throw new Error(
      `There is no span ${name}: ${spans()
        .map((span) => span.name)
        .join(', ')}`,
    )
  return found
}

describe('spans', () => {
  it('Y2, Y4 client and server span - a call through two services and a notification are one trace', async () => {
    await using at = await scene()
    const { messaging } = at
    let heard: () => void = () => {}
    const done = new Promise<void>((resolve) => (heard = resolve))
    const notifier = messaging.notifier({ driver: 'messagingv2', topics: ['events'] })
    messaging.server(
      { topic: 'front', server: 's' },
      {
        work: async (ctxt: object) =>
          await messaging.client({ topic: 'back', version: '1.0' }).call(ctxt, 'store', { id: 1 }),
      },
    )
    messaging.server(
      { topic: 'back', server: 's' },
      { store: async (ctxt: object) => await notifier.info(ctxt, 'stored', {}) },
    )
    messaging.listener([{ topic: 'events' }], [{ info: () => heard() }])
    await messaging.start()
    await messaging.client({ topic: 'front' }).call({ request_id: 'req-1' }, 'work')
    await done
    await messaging.drain()
    const names = [
      'front.work',
      'work receive',
      'back.store',
      'store receive',
      'send events',
      'process notification listener events',
    ]
    const chain = names.map(named)
    expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(1)
    expect(chain.map(({ parent }) => parent)).toEqual([undefined, ...chain.slice(0, -1).map(({ id }) => id)])
    expect(chain.map(({ kind }) => kind)).toEqual([
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
    ])
    expect(chain[0]?.attributes).toEqual({
      'messaging.system': 'memory',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'call',
      'messaging.destination.name': 'front',
      'rpc.method': 'work',
      'openstack.request_id': 'req-1',
    })
  })

  it('Y5 failures - an exception marks both spans, and the caller gets it as it is', async () => {
    await using at = await scene()
    at.messaging.server(
      { topic: 't', server: 's' },
      {
        fail: () => {
          throw new RuntimeError('no')
        },
      },
    )
    await at.messaging.start()
    await expect(at.messaging.client({ topic: 't' }).call({}, 'fail')).rejects.toThrow('no')
    for (const name of ['t.fail', 'fail receive'])
      expect(named(name)).toMatchObject({ status: SpanStatusCode.ERROR, attributes: { 'error.type': 'RuntimeError' } })
  })

  it('a batch links to the spans of its senders', async () => {
    await using at = await scene()
    const { messaging } = at
    let heard: () => void = () => {}
    const done = new Promise<void>((resolve) => (heard = resolve))
    messaging.batchListener([{ topic: 'events' }], [{ info: () => heard() }], { batchSize: 3, batchTimeoutMs: null })
    await messaging.start()
    const notifier = messaging.notifier({ driver: 'messagingv2', topics: ['events'] })
    for (const id of [1, 2, 3]) await notifier.info({}, 'stored', { id })
    await done
    await messaging.drain()
    const sent = spans().filter(({ name }) => name === 'send events')
    const batch = named('process notification listener events')
    expect(batch).toMatchObject({
      parent: undefined,
      attributes: { 'messaging.batch.message_count': 3, 'oslo_messaging.outcome': 'handled' },
    })
    expect(batch.links).toEqual(sent.map(({ id }) => id))
  })

  it('settling - what becomes of a notification is a span in the trace of its sender, unless it is not wanted', async () => {
    for (const settle of [true, false]) {
      exporter.reset()
      await using at = await scene({ settle })
      const { messaging } = at
      const onFailure = { then: 'dead-letter' } as const
      const fail = (): never => {
        throw new RuntimeError('no')
      }
      messaging.listener([{ topic: 'events' }], [{ info: fail }], { onFailure })
      await messaging.start()
      await messaging.notifier({ driver: 'messagingv2', topics: ['events'] }).info({}, 'stored', {})
      await messaging.drain()
      const settled = spans().filter(({ kind }) => kind === SpanKind.CLIENT)
      const sent = named('send events')
      expect(settled.map(({ name, parent, traceId }) => [name, parent, traceId])).toEqual(
        settle ? [['dead-letter notification listener events', sent.id, sent.traceId]] : [],
      )
      if (settle)
        expect(settled[0]?.attributes).toMatchObject({
          'messaging.operation.type': 'settle',
          'messaging.operation.name': 'dead-letter',
          'messaging.destination.name': 'notification listener events',
        })
    }
  })

  it('Y3 propagation - in headers alone, or also in the request context where Python has it', async () => {
    for (const inRequestContext of [false, true]) {
      await using at = await scene({ inRequestContext })
      const seen: object[] = []
      at.messaging.server({ topic: 't', server: 's' }, { work: (ctxt: object) => void seen.push(ctxt) })
      await at.messaging.start()
      const ctxt = Object.freeze({ user: 'u' })
      await at.messaging.client({ topic: 't' }).call(ctxt, 'work')
      const traceparent = expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) as string
      expect(seen).toEqual([inRequestContext ? { user: 'u', traceparent } : { user: 'u' }])
    }
  })

  it('Y1 switch - stock peers see the same message: only headers are added', async () => {
    const messages: unknown[] = []
    for (const options of [null, {}]) {
      await using at = await scene(options)
      at.messaging.server({ topic: 't', server: 's' }, { work: () => null })
      await at.messaging.start()
      await at.messaging.client({ topic: 't' }).cast({ user: 'u' }, 'work', { a: 1 })
      await at.messaging.drain()
      messages.push(at.recorder.ofType('cast').map(({ context, message }) => [context, message]))
    }
    expect(messages[0]).toEqual(messages[1])
    expect(messages[0]).not.toEqual([])
  })
})

describe('metrics', () => {
  it('durations and counts by the conventions, with the error type', async () => {
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
    const meterProvider = new MeterProvider({ readers: [reader] })
    await using at = await scene({ meterProvider })
    at.messaging.server(
      { topic: 't', server: 's' },
      {
        ok: () => null,
        fail: () => {
          throw new RuntimeError('no')
        },
      },
    )
    await at.messaging.start()
    const client = at.messaging.client({ topic: 't' })
    for (const method of ['ok', 'ok', 'fail']) await Promise.allSettled([client.call({}, method)])
    await reader.forceFlush()
    const found = metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    expect(found.map(({ descriptor }) => descriptor.name).toSorted()).toEqual(Object.values(METRIC).toSorted())
    const sent = found.find(({ descriptor }) => descriptor.name === METRIC.sent)
    expect(
      sent?.dataPoints.map(({ value, attributes }) => [value, attributes['rpc.method'], attributes['error.type']]),
    ).toEqual([
      [2, 'ok', undefined],
      [1, 'fail', 'RuntimeError'],
    ])
    await meterProvider.shutdown()
  })
})

it('names are those of the pinned version of the semantic conventions', () => {
  const known = new Set<unknown>(Object.values(conventions))
  for (const name of [...Object.values(ATTRIBUTE), ...Object.values(METRIC)]) expect(known, name).toContain(name)
})

it('an option that does not exist is refused', () => {
  expect(() => getTracing({ tracer: provider } as TracingOptions)).toThrow('getTracing has no option tracer')
})
