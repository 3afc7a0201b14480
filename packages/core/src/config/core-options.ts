import type { ConfigFragment, OptionsOf } from './option.ts'

/** Options of `[DEFAULT]` that belong to messaging. The group is shared with the service, so unknown keys in it are
 *  ignored. */
export const defaultConfig = {
  group: 'DEFAULT',
  options: {
    executor_thread_pool_size: {
      type: 'integer',
      default: 64,
      min: 1,
      deprecatedNames: [{ name: 'rpc_thread_pool_size' }],
      doc: 'Workers of a server or listener: most messages it handles at once.',
    },
    rpc_response_timeout: {
      type: 'integer',
      default: 60,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds a call waits for its reply when neither the call nor the client says otherwise.',
    },
    transport_url: {
      type: 'string',
      default: 'rabbit://',
      secret: true,
      doc: 'URL of the messaging backend: `driver://[user:pass@]host[:port][,...]/vhost?option=value`. Notifications use it, too, unless they have one of their own.',
    },
    control_exchange: {
      type: 'string',
      default: 'openstack',
      doc: 'Exchange of targets that name none. A service changes the default with `withDefaults`.',
    },
    rpc_ping_enabled: {
      type: 'boolean',
      default: false,
      doc: 'Add an endpoint with the method `oslo_rpc_server_ping`, which answers `pong`, to every RPC server.',
    },
  },
} as const

/** Options of `[oslo_messaging_notifications]`. */
export const notificationsConfig = {
  group: 'oslo_messaging_notifications',
  options: {
    driver: {
      type: 'multi',
      default: [],
      deprecatedNames: [{ group: 'DEFAULT', name: 'notification_driver' }],
      doc: 'Notification drivers to use; may be given several times. None: notifications go nowhere.',
    },
    transport_url: {
      type: 'string',
      default: null,
      secret: true,
      deprecatedNames: [{ group: 'DEFAULT', name: 'notification_transport_url' }],
      doc: 'URL of the messaging backend for notifications. Unset: that of `[DEFAULT]`.',
    },
    topics: {
      type: 'list',
      default: ['notifications'],
      deprecatedNames: [
        { group: 'rpc_notifier2', name: 'topics' },
        { group: 'DEFAULT', name: 'notification_topics' },
      ],
      doc: 'Topics each notification is sent to.',
    },
    retry: {
      type: 'integer',
      default: -1,
      min: -1,
      doc: 'Attempts to send a notification again after the first failed. -1: no limit, 0: none.',
    },
    routing_config: {
      type: 'string',
      default: '',
      deprecatedNames: [{ group: 'DEFAULT', name: 'routing_notifier_config' }],
      doc: 'YAML file with the rules of the `routing` driver.',
    },
  },
} as const

/** Options of `[oslo_messaging_metrics]`. */
export const metricsConfig = {
  group: 'oslo_messaging_metrics',
  options: {
    metrics_enabled: {
      type: 'boolean',
      default: false,
      doc: 'Send metrics of RPC clients to the collector oslo.metrics, as Python does. Needs the package `@oslo-messaging/oslo-metrics`.',
    },
    metrics_buffer_size: {
      type: 'integer',
      default: 1000,
      min: 1,
      doc: 'Most metrics that wait to be sent; further ones are dropped.',
    },
    metrics_socket_file: {
      type: 'string',
      default: '/var/tmp/metrics_collector.sock',
      doc: 'Unix datagram socket of the collector.',
    },
    metrics_process_name: { type: 'string', default: '', doc: 'Value of the `process` label.' },
    metrics_thread_stop_timeout: {
      type: 'integer',
      default: 10,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds without success after which sending ends; the next metric starts it again.',
    },
  },
} as const

/** Options of `[oslo_messaging_tracing]` (oslo.messaging 18.3.0 and later). */
export const tracingConfig = {
  group: 'oslo_messaging_tracing',
  options: {
    tracing_enabled: {
      type: 'boolean',
      default: false,
      doc: 'Make spans of calls, casts and requests, in one trace with Python. Needs the package `@oslo-messaging/opentelemetry`.',
    },
    tracing_service_name: { type: 'string', default: 'openstack', doc: 'Service name of the spans.' },
    otel_exporter_otlp_endpoint: {
      type: 'string',
      default: 'http://localhost:4318',
      doc: 'Endpoint of the trace collector. HTTP sends to `<endpoint>/v1/traces`.',
    },
    otlp_protocol: {
      type: 'string',
      default: 'http/protobuf',
      choices: ['http/protobuf', 'grpc'],
      doc: 'Protocol spoken to the collector.',
    },
    insecure: { type: 'boolean', default: false, doc: "With gRPC: do not verify the collector's certificate." },
  },
} as const

/** Options of `[oslo_messaging_nodejs]`: what this library has and Python's has not, so that one file serves both. */
export const nodejsConfig = {
  group: 'oslo_messaging_nodejs',
  options: {
    notification_failure_action: {
      type: 'string',
      default: 'default',
      choices: ['default', 'dead-letter', 'discard', 'requeue', 'stop', 'pause'],
      doc: 'What becomes of a notification whose endpoint throws when its attempts are spent. `default`: as oslo, acknowledged, or requeued by a listener that allows it. `pause`: kept and tried again, and a listener whose notifications fail too often takes none for a while.',
    },
    notification_failure_attempts: {
      type: 'integer',
      default: null,
      min: 1,
      doc: 'Attempts at handling a notification, in all. Unset: 1.',
    },
    notification_failure_backoff: {
      type: 'float',
      default: 1,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds before the second attempt; doubled before each further one.',
    },
    notification_failure_backoff_max: {
      type: 'float',
      default: 60,
      min: 0,
      unit: 'seconds',
      doc: 'Longest wait between two attempts.',
    },
    pause_share: {
      type: 'float',
      default: 0.5,
      min: 0,
      max: 1,
      doc: 'Share of failures among the last `pause_window` messages from which on a server or listener that may pause does.',
    },
    pause_window: {
      type: 'integer',
      default: 20,
      min: 1,
      unit: 'messages',
      doc: 'Messages that are looked at for that.',
    },
    pause_retry_interval: {
      type: 'float',
      default: 30,
      min: 0.1,
      unit: 'seconds',
      doc: 'Seconds until a paused server or listener tries one message, and between such trials.',
    },
    rpc_acknowledge: {
      type: 'string',
      default: null,
      choices: ['before', 'after'],
      doc: 'When an RPC request is settled: `before` its method runs (at most once, as oslo does), or `after` its reply is with the broker (at least once). Unset: before.',
    },
  },
} as const

/** The groups core owns; those of drivers are checked when their driver is used. */
export const CORE_FRAGMENTS: readonly ConfigFragment[] = [
  defaultConfig,
  notificationsConfig,
  metricsConfig,
  tracingConfig,
  nodejsConfig,
]

/** Values of the groups core owns, after merging and checking. Times are in seconds. */
export interface CoreOptions {
  readonly DEFAULT: OptionsOf<typeof defaultConfig>
  readonly oslo_messaging_notifications: OptionsOf<typeof notificationsConfig>
  readonly oslo_messaging_metrics: OptionsOf<typeof metricsConfig>
  readonly oslo_messaging_tracing: OptionsOf<typeof tracingConfig>
  readonly oslo_messaging_nodejs: OptionsOf<typeof nodejsConfig>
}
