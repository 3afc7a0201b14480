import { trace } from '@opentelemetry/api'
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { ConfigurationError, type MessagingConfig } from '@oslo-messaging/core'

/** What is needed of a provider that this package sets up. */
interface OwnProvider {
  forceFlush(): Promise<void>
}

const GROUP = 'oslo_messaging_tracing'
let own: Promise<OwnProvider> | undefined

/** The provider that spans go to: the application's, when it has registered one, as Python does; else one of our own by
 *  `[oslo_messaging_tracing]`, once for the process. undefined: the application's, which flushes by itself.
 *  Rejects with ConfigurationError that names the packages it needs. */
export async function providerFor(conf: MessagingConfig): Promise<OwnProvider | undefined> {
  if (own === undefined && isRegistered()) return undefined
  own ??= start(conf).catch((error: unknown) => {
    own = undefined
    throw error
  })
  return await own
}

/** Whether somebody has set a global provider: without one, spans have no valid context. */
function isRegistered(): boolean {
  const span = trace.getTracer('@oslo-messaging/opentelemetry').startSpan('probe')
  return trace.isSpanContextValid(span.spanContext())
}

async function start(conf: MessagingConfig): Promise<OwnProvider> {
  const exporter = `@opentelemetry/exporter-trace-otlp-${conf.get(GROUP, 'otlp_protocol') === 'grpc' ? 'grpc' : 'proto'}`
  const [sdk, resources, { OTLPTraceExporter: Exporter }] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/resources'),
    import(exporter) as Promise<{ readonly OTLPTraceExporter: typeof OTLPTraceExporter }>,
  ]).catch((cause: unknown) => {
    throw new ConfigurationError(
      `[${GROUP}] tracing_enabled needs a provider of spans: register one, or npm install @opentelemetry/sdk-trace-node @opentelemetry/resources ${exporter}`,
      { option: `[${GROUP}] tracing_enabled`, cause },
    )
  })
  const provider = new sdk.NodeTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': conf.get(GROUP, 'tracing_service_name') }),
    spanProcessors: [new sdk.BatchSpanProcessor(new Exporter({ url: endpoint(conf) }))],
  })
  provider.register()
  return provider
}

/** The exporter of gRPC takes from the scheme whether to use TLS. */
function endpoint(conf: MessagingConfig): string {
  const given = conf.get(GROUP, 'otel_exporter_otlp_endpoint')
  if (conf.get(GROUP, 'otlp_protocol') !== 'grpc') return `${given}/v1/traces`
  return conf.get(GROUP, 'insecure') ? given.replace(/^(?:\w+:\/\/)?/, 'http://') : given
}
