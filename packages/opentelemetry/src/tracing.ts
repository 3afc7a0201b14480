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
import type {
  Interceptor,
  ListenOperation,
  NotifyOperation,
  SendOperation,
  ServeOperation,
  SettleOperation,
} from '@oslo-messaging/core'
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
  /** Also make a span of each notification's settling, and of that of requests with late acknowledgement. Default
   *  true. */
  readonly settle?: boolean | undefined
}

const OPTIONS = ['tracerProvider', 'meterProvider', 'inRequestContext', 'settle']

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
  /** For metrics: few values. */
  readonly common: Attributes
  /** For the span: the same and more. */
  readonly attributes: Attributes
  /** How many messages it is about. */
  readonly messages: number
  readonly parent: Context
  readonly links?: Link[]
}

/** An interceptor that makes a span of each call, cast, notification, request, delivery and its settling, and the metrics of the
 *  conventions: `messaging.use(getTracing())`. One trace context travels in the headers of messages.
 *  Throws TypeError for options it does not know. */
export function getTracing(options: TracingOptions = {}): Interceptor {
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name))
      throw new TypeError(`getTracing has no option ${name}: ${OPTIONS.join(', ')} are known`)
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options
  const { inRequestContext = false, settle = true } = options
  const meter = meterProvider.getMeter(SCOPE)
  const instruments: Instruments = {
    tracer: tracerProvider.getTracer(SCOPE),
    operationDuration: meter.createHistogram(METRIC.operationDuration, { unit: 's' }),
    processDuration: meter.createHistogram(METRIC.processDuration, { unit: 's' }),
    sent: meter.createCounter(METRIC.sent, { unit: '{message}' }),
    consumed: meter.createCounter(METRIC.consumed, { unit: '{message}' }),
  }
  const send = <Result>(
    operation: SendOperation | NotifyOperation,
    described: Described,
    next: () => Promise<Result>,
  ): Promise<Result> => {
    const running = new Running(instruments, described)
    propagation.inject(running.active, operation.headers)
    // Notifications do not have it there in Python either.
    if (inRequestContext && operation.kind !== 'notify')
      operation.context = withTraceContext(operation.context, running.active)
    return running.until(next)
  }
  // No function here is asynchronous: each would cost promises of its own for each message.
  return {
    call: (operation, next) => send(operation, describeSend(operation), next),
    cast: (operation, next) => send(operation, describeSend(operation), next),
    notify: (operation, next) => send(operation, describeNotify(operation), next),
    serve: (operation, next) => new Running(instruments, describeServe(operation)).until(next),
    listen: (operation, next) => {
      const running = new Running(instruments, describeListen(operation))
      return running.until(async () => {
        const outcome = await next()
        running.span.setAttribute(OWN_ATTRIBUTE.outcome, outcome)
        return outcome
      })
    },
    ...(settle ? { settle: (operation, next) => new Running(instruments, describeSettle(operation)).until(next) } : {}),
  }
}

/** One operation under way, with its span. */
class Running {
  readonly span: Span
  /** The context that holds the span. */
  readonly active: Context
  readonly #instruments: Instruments
  readonly #described: Described
  readonly #begun = performance.now()

  constructor(instruments: Instruments, described: Described) {
    const { name, kind, attributes, links, parent } = described
    this.#instruments = instruments
    this.#described = described
    this.span = instruments.tracer.startSpan(
      name,
      links === undefined ? { kind, attributes } : { kind, attributes, links },
      parent,
    )
    this.active = trace.setSpan(parent, this.span)
  }

  /** Runs the work inside the span, and counts and measures it. */
  until<Result>(work: () => Promise<Result>): Promise<Result> {
    return context.with(this.active, work).then(
      (result) => {
        this.#end(this.#described.common)
        return result
      },
      (error: unknown) => {
        const { name, message } = error instanceof Error ? error : new Error(String(error))
        this.span.setAttribute(ATTRIBUTE.errorType, name)
        this.span.recordException({ name, message })
        this.span.setStatus({ code: SpanStatusCode.ERROR, message })
        this.#end({ ...this.#described.common, [ATTRIBUTE.errorType]: name })
        throw error
      },
    )
  }

  #end(measured: Attributes): void {
    this.#measure(measured)
    this.span.end()
  }

  #measure(attributes: Attributes): void {
    const { operationDuration, processDuration, sent, consumed } = this.#instruments
    const { kind, messages } = this.#described
    if (kind === SpanKind.PRODUCER) sent.add(messages, attributes)
    else if (kind === SpanKind.CONSUMER) consumed.add(messages, attributes)
    const duration = kind === SpanKind.CONSUMER ? processDuration : operationDuration
    duration.record((performance.now() - this.#begun) / 1000, attributes)
  }
}

/** Names come from peers as well, so not all of them may be kept. */
const MOST_KNOWN = 1000
const known = new Map<string, Attributes>()

/** What the conventions call each operation. */
const TYPES = {
  call: 'send',
  cast: 'send',
  notify: 'send',
  serve: 'process',
  listen: 'process',
  acknowledge: 'settle',
  requeue: 'settle',
  'retry-later': 'settle',
  'dead-letter': 'settle',
  discard: 'settle',
} as const

/** What is the same for each message of a method and a topic, made once. */
function commonOf(driver: string, operation: keyof typeof TYPES, destination: string, detail: string): Attributes {
  const key = `${operation} ${driver} ${destination} ${detail}`
  const found = known.get(key)
  if (found !== undefined) return found
  const type = TYPES[operation]
  const made: Attributes = {
    [ATTRIBUTE.system]: systemOf(driver),
    [ATTRIBUTE.operationType]: type,
    [ATTRIBUTE.operationName]: operation,
    [ATTRIBUTE.destination]: destination,
  }
  if (type !== 'settle')
    made[operation === 'notify' || operation === 'listen' ? OWN_ATTRIBUTE.priority : ATTRIBUTE.rpcMethod] = detail
  Object.freeze(made)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, made)
  return made
}

function describeSend({ kind, driver, target, method, context: ctxt }: SendOperation): Described {
  const topic = target.topic ?? ''
  const common = commonOf(driver, kind, topic, method)
  const attributes = { ...common }
  put(attributes, OWN_ATTRIBUTE.rpcService, target.namespace)
  put(attributes, OWN_ATTRIBUTE.version, target.version)
  put(attributes, OWN_ATTRIBUTE.requestId, requestId(ctxt))
  // As Python names it, so that one trace reads the same on both sides.
  const name = `${topic}.${method}`
  return { name, kind: SpanKind.PRODUCER, common, attributes, messages: 1, parent: context.active() }
}

function describeServe(operation: ServeOperation): Described {
  const { driver, target, method, namespace, version, headers, context: ctxt, redelivered } = operation
  const common = commonOf(driver, 'serve', target.topic ?? '', method)
  const attributes = { ...common }
  put(attributes, OWN_ATTRIBUTE.rpcService, namespace)
  put(attributes, OWN_ATTRIBUTE.version, version)
  put(attributes, OWN_ATTRIBUTE.requestId, requestId(ctxt))
  put(attributes, OWN_ATTRIBUTE.redelivered, redelivered)
  const parent = extract(headers, ctxt)
  return { name: `${method} receive`, kind: SpanKind.CONSUMER, common, attributes, messages: 1, parent }
}

function describeNotify({ driver, topics, priority, eventType, context: ctxt }: NotifyOperation): Described {
  const topic = topics.length === 1 ? (topics[0] ?? '') : topics.join(',')
  const common = commonOf(driver, 'notify', topic, priority)
  const attributes = { ...common }
  put(attributes, OWN_ATTRIBUTE.eventType, eventType)
  put(attributes, OWN_ATTRIBUTE.requestId, requestId(ctxt))
  return {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    common,
    attributes,
    messages: 1,
    parent: context.active(),
  }
}

/** One notification goes on with its sender's trace; a batch has many senders, and links to each. */
function describeListen({ driver, listener, priority, notifications }: ListenOperation): Described {
  const common = commonOf(driver, 'listen', listener, priority)
  const attributes = { ...common }
  const described = { name: `process ${listener}`, kind: SpanKind.CONSUMER, common, attributes }
  const origins = notifications.map(({ ctxt, delivery }) => extract(delivery.headers ?? {}, ctxt))
  const messages = notifications.length
  if (messages > 1) {
    put(attributes, ATTRIBUTE.batchSize, messages)
    const links = origins.flatMap((origin) => {
      const spanContext = trace.getSpanContext(origin)
      return spanContext === undefined ? [] : [{ context: spanContext }]
    })
    return { ...described, messages, parent: ROOT_CONTEXT, links }
  }
  const [first] = notifications
  put(attributes, ATTRIBUTE.messageId, first?.metadata.message_id)
  put(attributes, OWN_ATTRIBUTE.eventType, first?.eventType)
  put(attributes, OWN_ATTRIBUTE.redelivered, first?.delivery.redelivered)
  return { ...described, messages: 1, parent: origins[0] ?? ROOT_CONTEXT }
}

/** Beside the span of its handling: both go on from the sender's. */
function describeSettle({ driver, receiver, action, context: ctxt, headers, uniqueId }: SettleOperation): Described {
  const common = commonOf(driver, action, receiver, '')
  const attributes = { ...common }
  put(attributes, ATTRIBUTE.messageId, uniqueId)
  const parent = extract(headers, ctxt)
  return { name: `${action} ${receiver}`, kind: SpanKind.CLIENT, common, attributes, messages: 1, parent }
}

function requestId(ctxt: object): string | undefined {
  const id: unknown = 'request_id' in ctxt ? ctxt.request_id : undefined
  return typeof id === 'string' && id !== '' ? id : undefined
}

function put(attributes: Attributes, name: string, value: string | number | boolean | null | undefined): void {
  if (value !== null && value !== undefined) attributes[name] = value
}
