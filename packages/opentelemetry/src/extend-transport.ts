import type { Transport } from '@oslo-messaging/core'
import { providerFor } from './exporter.ts'
import { getTracing } from './tracing.ts'

/** What core calls for a transport of RPC when `[oslo_messaging_tracing] tracing_enabled` is set: adds spans to it
 *  whose context also travels in request contexts, as Python has it. The returned function sends what has not been
 *  sent. Rejects with ConfigurationError when there is no provider and none can be made. */
export async function extendTransport(transport: Transport): Promise<() => Promise<void>> {
  const provider = await providerFor(transport.conf)
  transport.use(getTracing({ inRequestContext: true }))
  return async () => {
    await provider?.forceFlush()
  }
}
