import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Meter,
  type MeterProvider,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import type { Interceptor, ListenOperation, NotifyOperation, SendOperation, ServeOperation } from '@oslo-messaging/core'
import { extract, withTraceContext } from './carrier.ts'
import { ATTRIBUTE, METRIC, OWN_ATTRIBUTE, systemOf } from './names.ts'

/** What spans and metrics are made with; everything may be left out. */
export interface TracingOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider | undefined
  /** Also put the trace context into request contexts, as Python does with `[oslo_messaging_tracing] tracing_enabled`,
   *  so that Python's servers go on with the trace. It is always in the headers, which leaves the message as it is.
   *  Default false. */
  readonly inRequestContext?: boolean | undefined
}

const SCOPE = '@oslo-messaging/opentelemetry'

interface Instruments {
  readonly tracer: Tracer
  readonly operationDuration: ReturnType<Meter['createHistogram']>
  readonly processDuration: ReturnType<Meter['createHistogram']>
  readonly sent: ReturnType<Meter['createCounter']>
  readonly consumed: ReturnType<Meter['createCounter']>
}

/** One operation, as its span and its metrics need it. */
interface Described {
  readonly name: string
  readonly kind: SpanKind
  /** For the span and for metrics: few values. */
  readonly common: Attributes
  /** For the span alone. */
  readonly more: Attributes
  readonly parent: Context
  readonly links?: Link[]
}

/** An interceptor that makes a span of each call, cast, notification, request and delivery, and the metrics of the
 *  conventions: `messaging.use(getTracing())`. One trace context travels in the headers of messages.
 *  Throws TypeError for options it does not know. */
export function getTracing(options: TracingOptions = {}): Interceptor {
  for (const name of Object.keys(options))
    if (!['tracerProvider', 'meterProvider', 'inRequestContext'].includes(name))
      throw new TypeError(`getTracing has no option ${name}: tracerProvider, meterProvider, inRequestContext are known`)
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options
  const { inRequestContext = false } = options
  const meter = meterProvider.getMeter(SCOPE)
  const instruments: Instruments = {
    tracer: tracerProvider.getTracer(SCOPE),
    operationDuration: meter.createHistogram(METRIC.operationDuration, { unit: 's' }),
    processDuration: meter.createHistogram(METRIC.processDuration, { unit: 's' }),
    sent: meter.createCounter(METRIC.sent, { unit: '{message}' }),
    consumed: meter.createCounter(METRIC.consumed, { unit: '{message}' }),
  }
  const send = async <Result>(
    operation: SendOperation | NotifyOperation,
    described: Described,
    next: () => Promise<Result>,
  ): Promise<Result> =>
    await within(instruments, described, async (active) => {
      propagation.inject(active, operation.headers)
      // Notifications do not have it there in Python either.
      if (inRequestContext && operation.kind !== 'notify')
        operation.context = withTraceContext(operation.context, active)
      return await next()
    })
  return {
    call: async (operation, next) => await send(operation, describeSend(operation), next),
    cast: async (operation, next) => await send(operation, describeSend(operation), next),
    notify: async (operation, next) => await send(operation, describeNotify(operation), next),
    serve: async (operation, next) => await within(instruments, describeServe(operation), next),
    listen: async (operation, next) =>
      await within(instruments, describeListen(operation), async (_active, span) => {
        const outcome = await next()
        span.setAttribute(OWN_ATTRIBUTE.outcome, outcome)
        return outcome
      }),
  }
}

/** Runs the work inside its span, and counts and measures it. */
async function within<Result>(
  { tracer, operationDuration, processDuration, sent, consumed }: Instruments,
  { name, kind, common, more, parent, links }: Described,
  work: (active: Context, span: Span) => Promise<Result>,
): Promise<Result> {
  const attributes = { ...common, ...more }
  const span = tracer.startSpan(name, { kind, attributes, ...(links === undefined ? {} : { links }) }, parent)
  const active = trace.setSpan(parent, span)
  const begun = performance.now()
  let failure: Attributes = {}
  try {
    return await context.with(active, async () => await work(active, span))
  } catch (error) {
    const { name: type, message } = error instanceof Error ? error : new Error(String(error))
    failure = { [ATTRIBUTE.errorType]: type }
    span.setAttributes(failure)
    span.recordException({ name: type, message })
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    throw error
  } finally {
    const seconds = (performance.now() - begun) / 1000
    const measured = { ...common, ...failure }
    if (kind === SpanKind.PRODUCER) {
      sent.add(1, measured)
      operationDuration.record(seconds, measured)
    } else {
      consumed.add(Number(more[ATTRIBUTE.batchSize] ?? 1), measured)
      processDuration.record(seconds, measured)
    }
    span.end()
  }
}

function describeSend({ kind, driver, target, method, context: ctxt }: SendOperation): Described {
  const topic = target.topic ?? ''
  return {
    // As Python names it, so that one trace reads the same on both sides.
    name: `${topic}.${method}`,
    kind: SpanKind.PRODUCER,
    common: {
      [ATTRIBUTE.system]: systemOf(driver),
      [ATTRIBUTE.operationType]: 'send',
      [ATTRIBUTE.operationName]: kind,
      [ATTRIBUTE.destination]: topic,
      [ATTRIBUTE.rpcMethod]: method,
    },
    more: present({
      [OWN_ATTRIBUTE.rpcService]: target.namespace,
      [OWN_ATTRIBUTE.version]: target.version,
      [OWN_ATTRIBUTE.requestId]: requestId(ctxt),
    }),
    parent: context.active(),
  }
}

function describeServe(operation: ServeOperation): Described {
  const { driver, target, method, namespace, version, headers, context: ctxt, redelivered } = operation
  return {
    name: `${method} receive`,
    kind: SpanKind.CONSUMER,
    common: {
      [ATTRIBUTE.system]: systemOf(driver),
      [ATTRIBUTE.operationType]: 'process',
      [ATTRIBUTE.operationName]: 'serve',
      [ATTRIBUTE.destination]: target.topic ?? '',
      [ATTRIBUTE.rpcMethod]: method,
    },
    more: present({
      [OWN_ATTRIBUTE.rpcService]: namespace,
      [OWN_ATTRIBUTE.version]: version,
      [OWN_ATTRIBUTE.requestId]: requestId(ctxt),
      [OWN_ATTRIBUTE.redelivered]: redelivered,
    }),
    parent: extract(headers, ctxt),
  }
}

function describeNotify({ driver, topics, priority, eventType, context: ctxt }: NotifyOperation): Described {
  const topic = topics.join(',')
  return {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    common: {
      [ATTRIBUTE.system]: systemOf(driver),
      [ATTRIBUTE.operationType]: 'send',
      [ATTRIBUTE.operationName]: 'notify',
      [ATTRIBUTE.destination]: topic,
      [OWN_ATTRIBUTE.priority]: priority,
    },
    more: present({ [OWN_ATTRIBUTE.eventType]: eventType, [OWN_ATTRIBUTE.requestId]: requestId(ctxt) }),
    parent: context.active(),
  }
}

/** One notification goes on with its sender's trace; a batch has many senders, and links to each. */
function describeListen({ driver, listener, priority, notifications }: ListenOperation): Described {
  const origins = notifications.map(({ ctxt, delivery }) => extract(delivery.headers ?? {}, { ...ctxt }))
  const [first] = notifications
  const isBatch = notifications.length > 1
  const links = origins.flatMap((origin) => {
    const spanContext = trace.getSpanContext(origin)
    return spanContext === undefined ? [] : [{ context: spanContext }]
  })
  return {
    name: `process ${listener}`,
    kind: SpanKind.CONSUMER,
    common: {
      [ATTRIBUTE.system]: systemOf(driver),
      [ATTRIBUTE.operationType]: 'process',
      [ATTRIBUTE.operationName]: 'listen',
      [ATTRIBUTE.destination]: listener,
      [OWN_ATTRIBUTE.priority]: priority,
    },
    more: isBatch
      ? { [ATTRIBUTE.batchSize]: notifications.length }
      : present({
          [ATTRIBUTE.messageId]: first?.metadata.message_id,
          [OWN_ATTRIBUTE.eventType]: first?.eventType,
          [OWN_ATTRIBUTE.redelivered]: first?.delivery.redelivered,
        }),
    parent: isBatch ? ROOT_CONTEXT : (origins[0] ?? ROOT_CONTEXT),
    ...(isBatch ? { links } : {}),
  }
}

function requestId(ctxt: object): string | undefined {
  const id: unknown = 'request_id' in ctxt ? ctxt.request_id : undefined
  return typeof id === 'string' && id !== '' ? id : undefined
}

function present(attributes: Readonly<Record<string, string | boolean | null | undefined>>): Attributes {
  const entries = Object.entries(attributes).filter(
    (entry): entry is [string, string | boolean] => entry[1] !== null && entry[1] !== undefined,
  )
  return Object.fromEntries(entries)
}
