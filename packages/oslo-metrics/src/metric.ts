import type { SendOperation } from '@oslo-messaging/core'

/** Labels of a metric of an RPC client: each is there, null where there is nothing to say. */
export interface MetricLabels {
  readonly call_type: 'call' | 'cast'
  readonly exchange: string | null
  readonly topic: string | null
  readonly namespace: string | null
  readonly version: string | null
  readonly server: string | null
  readonly fanout: boolean | null
  readonly method: string
  /** Python never fills it in. */
  readonly timeout: null
  readonly process: string
  /** Name of its class, of `rpc_client_exception_total` alone. */
  readonly exception?: string
}

/** One datagram, in the form of `oslo_metrics.message_type.Metric`. */
export interface Metric {
  readonly module: 'oslo_messaging'
  readonly name: string
  readonly action: { readonly value: number | null; readonly action: 'inc' | 'observe' }
  readonly labels: MetricLabels
}

/** Makes the metrics of one call or cast. */
export function metricsOf({ kind, target, method }: SendOperation, processName: string) {
  const labels: MetricLabels = {
    call_type: kind,
    exchange: target.exchange,
    topic: target.topic,
    namespace: target.namespace,
    version: target.version,
    server: target.server,
    fanout: target.fanout,
    method,
    timeout: null,
    process: processName,
  }
  const make = (name: string, action: Metric['action'], more: { readonly exception?: string } = {}): Metric => ({
    module: 'oslo_messaging',
    name: `rpc_client_${name}`,
    action,
    labels: { ...labels, ...more },
  })
  const inc = { value: null, action: 'inc' } as const
  return {
    start: (): Metric => make('invocation_start_total', inc),
    end: (): Metric => make('invocation_end_total', inc),
    duration: (seconds: number): Metric => make('processing_seconds', { value: seconds, action: 'observe' }),
    exception: (exception: string): Metric => make('exception_total', inc, { exception }),
  }
}
