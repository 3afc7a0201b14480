import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
} from '@opentelemetry/sdk-trace-node'
import type { Transport } from '@oslo-messaging/core'
import { getTracing } from '@oslo-messaging/opentelemetry'

/** Adds spans as a service has them: all of them recorded, or what a trace costs that is not, collected in batches. The
 *  collector is left out: sending to it is work of the exporter, and not of a call. */
export function trace(transport: Transport, isRecorded: boolean): void {
  const exporter = { export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }) }
  const provider = new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root: isRecorded ? new AlwaysOnSampler() : new AlwaysOffSampler() }),
    // A queue that is full would drop spans, and with them their cost.
    spanProcessors: [
      new BatchSpanProcessor(
        { ...exporter, shutdown: async () => {} },
        { maxQueueSize: 1_000_000, scheduledDelayMillis: 100 },
      ),
    ],
  })
  // Only the first is the global one.
  provider.register()
  transport.use(getTracing({ tracerProvider: provider }))
}
