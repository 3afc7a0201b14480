/** Metrics of RPC clients for the collector of oslo.metrics, as Python sends them. */
export { extendTransport } from './extend-transport.ts'
export type { Metric, MetricLabels } from './metric.ts'
export { MetricSender, type MetricSenderOptions } from './sender.ts'
