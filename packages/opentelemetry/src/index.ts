/** Traces and metrics of OpenTelemetry for oslo.messaging. */
export { getTracing, type TracingOptions } from './tracing.ts'
export { SEMANTIC_CONVENTIONS } from './names.ts'
export { extendTransport } from './extend-transport.ts'
