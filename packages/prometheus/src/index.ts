/** Metrics of oslo.messaging for Prometheus. */
export { getMetrics, type Metrics, type MetricsOptions } from './metrics.ts'
export { METRIC_NAMES } from './names.ts'
