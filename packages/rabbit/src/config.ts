import { ADVICE, ConfigurationError, type Logger, type OptionsOf } from '@oslo-messaging/core/driver'

/** Options of `[oslo_messaging_rabbit]`: names, types and defaults of oslo.messaging's development head; older names
 *  and options are still read. */
export const rabbitConfig = {
  group: 'oslo_messaging_rabbit',
  options: {
    amqp_durable_queues: {
      type: 'boolean',
      default: false,
      doc: 'Declare the topic exchange and queues durable (never reply and fanout queues). Quorum queues imply it. Must equal what the Python services of the deployment use, else RabbitMQ answers 406.',
    },
    amqp_auto_delete: {
      type: 'boolean',
      default: false,
      deprecatedNames: [{ group: 'DEFAULT', name: 'amqp_auto_delete' }],
      doc: 'Declare the topic exchange and queues auto-delete. Must equal what the Python services of the deployment use.',
    },
    rpc_conn_pool_size: {
      type: 'integer',
      default: 30,
      min: 1,
      deprecatedNames: [{ group: 'DEFAULT', name: 'rpc_conn_pool_size' }],
      doc: 'Most sending connections a transport may open; further senders wait. Here publishers share a connection, so it is an upper bound.',
    },
    conn_pool_min_size: {
      type: 'integer',
      default: 2,
      min: 0,
      doc: 'Idle sending connections that are kept although they are old. At most `rpc_conn_pool_size`.',
    },
    conn_pool_ttl: {
      type: 'integer',
      default: 1200,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds after which an idle sending connection above the minimum is closed.',
    },
    ssl: { type: 'boolean', default: false, deprecatedNames: [{ name: 'rabbit_use_ssl' }], doc: 'Use TLS.' },
    ssl_version: {
      type: 'string',
      default: '',
      deprecatedNames: [{ name: 'kombu_ssl_version' }],
      doc: 'Name of the only TLS protocol version to use, e.g. `TLSv1_2`. Empty: what the platform offers.',
    },
    ssl_key_file: {
      type: 'string',
      default: '',
      deprecatedNames: [{ name: 'kombu_ssl_keyfile' }],
      doc: 'PEM file with the private key of the client certificate.',
    },
    ssl_cert_file: {
      type: 'string',
      default: '',
      deprecatedNames: [{ name: 'kombu_ssl_certfile' }],
      doc: 'PEM file with the client certificate.',
    },
    ssl_ca_file: {
      type: 'string',
      default: '',
      deprecatedNames: [{ name: 'kombu_ssl_ca_certs' }],
      doc: "PEM file with the certificate authorities to trust. Giving one turns verification of the broker's certificate on.",
    },
    ssl_unverified: {
      type: 'boolean',
      default: false,
      doc: "Use TLS without `ssl_ca_file`, and so without verifying the broker's certificate, as Python does. Without it that is an error.",
    },
    ssl_enforce_hostname_verification: {
      type: 'boolean',
      default: true,
      deprecated: 'leave it on',
      doc: "With `ssl_ca_file`, also check that the certificate belongs to the broker's host name.",
    },
    ssl_enforce_fips_mode: {
      type: 'boolean',
      default: false,
      deprecated: 'start Node.js with --force-fips instead',
      doc: 'Has no effect: whether cryptography runs in FIPS mode is decided where Node.js is started.',
    },
    kombu_reconnect_delay: {
      type: 'float',
      default: 1.0,
      min: 0,
      max: 4.5,
      unit: 'seconds',
      deprecatedNames: [{ group: 'DEFAULT', name: 'kombu_reconnect_delay' }],
      doc: 'Seconds to wait before reconnecting after an error or a cancelled consumer.',
    },
    kombu_reconnect_splay: {
      type: 'float',
      default: 0.0,
      min: 0,
      unit: 'seconds',
      doc: 'Up to so many random seconds more before reconnecting, so that many services do not come back at the same instant.',
    },
    kombu_compression: {
      type: 'string',
      default: null,
      doc: 'Compress message bodies: `gzip` or `bzip2`. Unset: not compressed.',
    },
    kombu_missing_consumer_retry_timeout: {
      type: 'integer',
      default: 60,
      min: 0,
      unit: 'seconds',
      deprecatedNames: [{ name: 'kombu_reconnect_timeout' }],
      doc: 'Seconds a server goes on trying to send a reply whose queue is missing.',
    },
    kombu_failover_strategy: {
      type: 'string',
      default: 'round-robin',
      choices: ['round-robin', 'shuffle'],
      doc: 'How the next of several hosts is chosen after a lost connection.',
    },
    rabbit_login_method: {
      type: 'string',
      default: 'AMQPLAIN',
      choices: ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'RABBIT-CR-DEMO'],
      deprecatedNames: [{ group: 'DEFAULT', name: 'rabbit_login_method' }],
      doc: 'SASL mechanism. EXTERNAL takes the identity from the client certificate.',
    },
    rabbit_retry_interval: {
      type: 'integer',
      default: 1,
      min: 1,
      unit: 'seconds',
      doc: 'First wait between attempts to connect, in seconds.',
    },
    rabbit_retry_backoff: {
      type: 'integer',
      default: 2,
      min: 0,
      unit: 'seconds',
      deprecatedNames: [{ group: 'DEFAULT', name: 'rabbit_retry_backoff' }],
      doc: 'Seconds by which that wait grows after each failure.',
    },
    rabbit_interval_max: {
      type: 'integer',
      default: 30,
      min: 1,
      unit: 'seconds',
      doc: 'Longest wait between attempts to connect, in seconds.',
    },
    rabbit_ha_queues: {
      type: 'boolean',
      default: false,
      deprecatedNames: [{ group: 'DEFAULT', name: 'rabbit_ha_queues' }],
      doc: 'Declare queues with `x-ha-policy: all`. RabbitMQ 3 and later ignore it, but the arguments must equal those of the Python services. Excludes quorum queues.',
    },
    rabbit_quorum_queue: {
      type: 'boolean',
      default: false,
      doc: 'Declare topic, server and notification queues as quorum queues: durable and replicated. Must equal what the Python services of the deployment use.',
    },
    rabbit_transient_quorum_queue: {
      type: 'boolean',
      default: false,
      doc: 'Declare reply and fanout queues as quorum queues, too.',
    },
    rabbit_quorum_delivery_limit: {
      type: 'integer',
      default: 0,
      min: 0,
      doc: 'Deliveries after which a quorum queue drops or dead-letters a message (`x-delivery-limit`). 0: not set.',
    },
    rabbit_quorum_max_memory_length: {
      type: 'integer',
      default: 0,
      min: 0,
      unit: 'messages',
      deprecatedNames: [{ name: 'rabbit_quroum_max_memory_length' }],
      doc: 'Most messages a quorum queue keeps in memory (`x-max-in-memory-length`). 0: not set.',
    },
    rabbit_quorum_max_memory_bytes: {
      type: 'integer',
      default: 0,
      min: 0,
      unit: 'bytes',
      deprecatedNames: [{ name: 'rabbit_quroum_max_memory_bytes' }],
      doc: 'Most bytes a quorum queue keeps in memory (`x-max-in-memory-bytes`). 0: not set.',
    },
    rabbit_transient_queues_ttl: {
      type: 'integer',
      default: 1800,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds after which an unused reply or fanout queue is deleted by the broker (`x-expires`), and age of messages of a stream fanout (`x-max-age`). 0: never.',
    },
    rabbit_qos_prefetch_count: {
      type: 'integer',
      default: 0,
      min: 0,
      unit: 'messages',
      doc: 'Most unacknowledged messages the broker hands to a consumer. 0: as many as the workers of the server need.',
    },
    heartbeat_timeout_threshold: {
      type: 'integer',
      default: 60,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds without traffic after which the broker counts as dead. 0: no heartbeat.',
    },
    heartbeat_rate: {
      type: 'integer',
      default: 3,
      min: 1,
      doc: 'How often within that time the connection is checked.',
    },
    direct_mandatory_flag: {
      type: 'boolean',
      default: true,
      deprecated: 'leave it on',
      doc: 'Send replies mandatory, so that a missing reply queue is noticed and retried.',
    },
    enable_cancel_on_failover: {
      type: 'boolean',
      default: false,
      doc: 'Ask the broker to cancel consumers when a mirrored queue fails over, instead of moving them silently.',
    },
    use_queue_manager: {
      type: 'boolean',
      default: false,
      doc: 'Give reply and fanout queues stable names made of `hostname`, `processname` and a counter, so that restarts reuse them.',
    },
    hostname: { type: 'string', default: null, doc: 'First part of those names. Unset: the name of this host.' },
    processname: { type: 'string', default: null, doc: 'Second part of those names. Unset: the name of the program.' },
    rabbit_stream_fanout: {
      type: 'boolean',
      default: false,
      doc: 'Use one stream per topic for fanout instead of one queue per server.',
    },
    heartbeat_in_pthread: {
      type: 'boolean',
      default: false,
      deprecated: 'remove it',
      doc: 'Has no effect: heartbeats never wait for handlers here.',
    },
  },
  removed: {
    rabbit_host: 'write it into transport_url',
    rabbit_port: 'write it into transport_url',
    rabbit_hosts: 'write them into transport_url',
    rabbit_userid: 'write it into transport_url',
    rabbit_password: 'write it into transport_url',
    rabbit_virtual_host: 'write it into transport_url',
    rabbit_max_retries: 'the time that a call or notification is given bounds its attempts',
    fake_rabbit: 'set transport_url = memory://',
  },
} as const

/** The values of `[oslo_messaging_rabbit]` after merging and checking. Times are in seconds. `OptionsOf` also checks
 *  the table above. */
export type RabbitOptions = OptionsOf<typeof rabbitConfig>

/** Options that are read for the sake of existing configuration files and change nothing here, with the reason. */
const WITHOUT_EFFECT: Partial<Record<keyof RabbitOptions, string>> = {
  rpc_conn_pool_size: 'one connection carries everything that is sent, so there is no pool',
  conn_pool_min_size: 'one connection carries everything that is sent, so there is no pool',
  conn_pool_ttl: 'one connection carries everything that is sent, so there is no pool',
  ssl_enforce_fips_mode: 'FIPS mode belongs to the OpenSSL Node was built with; start Node with --enable-fips',
  heartbeat_in_pthread: 'there are no green threads here',
}

/** Says once, when a driver is opened, what an operator would otherwise find out late. Throws ConfigurationError for
 *  what cannot be done at all. */
export function noteOptions(options: RabbitOptions, logger: Logger): void {
  const note = (text: string): void => logger.warn(`[${rabbitConfig.group}] ${text}`, ADVICE)
  for (const [name, reason] of Object.entries(WITHOUT_EFFECT))
    if (isChanged(name as keyof RabbitOptions, options)) note(`${name} has no effect: ${reason}`)
  if (options.rabbit_login_method === 'RABBIT-CR-DEMO')
    throw new ConfigurationError(
      'rabbit_login_method = RABBIT-CR-DEMO is a demonstration of the broker that no client needs: use AMQPLAIN, PLAIN or EXTERNAL',
      {
        option: `[${rabbitConfig.group}] rabbit_login_method`,
      },
    )
  if (options.rabbit_ha_queues)
    note(
      'rabbit_ha_queues only adds an argument that RabbitMQ ignores since 3.0; mirroring is a policy of the broker, quorum queues are rabbit_quorum_queue',
    )
  if (options.ssl && options.ssl_ca_file === '') {
    if (!options.ssl_unverified)
      throw new ConfigurationError(
        "ssl without ssl_ca_file verifies nobody, and whoever stands in between reads the login: set ssl_ca_file to the PEM file of the broker's authority (the system's is often /etc/ssl/certs/ca-certificates.crt), or say ssl_unverified = true",
        { option: `[${rabbitConfig.group}] ssl_ca_file` },
      )
    note("the broker's certificate is not verified: set ssl_ca_file")
  }
  if (options.ssl && options.ssl_ca_file !== '' && !options.ssl_enforce_hostname_verification)
    note("the broker's certificate may belong to any host: set ssl_enforce_hostname_verification = true")
  if (options.heartbeat_timeout_threshold === 0)
    note('without heartbeats (heartbeat_timeout_threshold = 0) a broker that falls silent is not noticed')
}

function isChanged(name: keyof RabbitOptions, options: RabbitOptions): boolean {
  return options[name] !== rabbitConfig.options[name].default
}
