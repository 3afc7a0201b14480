import { type MeterProvider, metrics, propagation, trace, type TracerProvider } from '@opentelemetry/api'
import type { Interceptor, NotifyOperation, SendOperation } from '@oslo-messaging/core'
import { withTraceContext } from './carrier.ts'
import { METRIC, OWN_ATTRIBUTE } from './names.ts'
import { beginListen, beginNotify, beginSend, beginServe, beginSettle } from './operations.ts'
import type { Instruments, Running } from './running.ts'

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

/** An interceptor that makes a span of each call, cast, notification, request, delivery and its settling, and the
 *  metrics of the conventions: `messaging.use(getTracing())`. One trace context travels in the headers of messages.
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
    running: Running,
    next: () => Promise<Result>,
  ): Promise<Result> => {
    propagation.inject(running.active, operation.headers)
    // Notifications do not have it there in Python either.
    if (inRequestContext && operation.kind !== 'notify')
      operation.context = withTraceContext(operation.context, running.active)
    return running.until(next)
  }
  // No function here is asynchronous: each would cost promises of its own for each message.
  return {
    call: (operation, next) => send(operation, beginSend(instruments, operation), next),
    cast: (operation, next) => send(operation, beginSend(instruments, operation), next),
    notify: (operation, next) => send(operation, beginNotify(instruments, operation), next),
    serve: (operation, next) => beginServe(instruments, operation).until(next),
    listen: (operation, next) => {
      const running = beginListen(instruments, operation)
      return running.until(async () => {
        const outcome = await next()
        running.span.setAttribute(OWN_ATTRIBUTE.outcome, outcome)
        return outcome
      })
    },
    ...(settle ? { settle: (operation, next) => beginSettle(instruments, operation).until(next) } : {}),
  }
}
