// OpenTelemetry's instrumentation of amqplib, set up as its manual says: before everything else.
const { context, ROOT_CONTEXT, trace } = require('@opentelemetry/api')
const { AmqplibInstrumentation } = require('@opentelemetry/instrumentation-amqplib')
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node')

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
const instrumentation = new AmqplibInstrumentation()
instrumentation.setTracerProvider(provider)
const tracer = provider.getTracer('tests')

globalThis.agent = {
  /** Runs the work in a trace of its own; gives the id of that trace. */
  async inTrace(work) {
    return await tracer.startActiveSpan('work', {}, ROOT_CONTEXT, async (span) => {
      await work()
      span.end()
      return span.spanContext().traceId
    })
  },
  /** Id of the trace that is active here. */
  activeTrace: () => trace.getSpan(context.active())?.spanContext().traceId ?? null,
  /** The spans that have ended: name, and 0 for those that nothing is said against. */
  endedSpans: () => exporter.getFinishedSpans().map(({ name, status }) => ({ name, status: status.code })),
}
