import type { OptionsOf } from '@oslo-messaging/core/driver'

/** Options of `[oslo_messaging_kafka]`: names, types and defaults of oslo.messaging's development head; those that only
 *  older releases have are still read. */
export const kafkaConfig = {
  group: 'oslo_messaging_kafka',
  options: {
    kafka_max_fetch_bytes: {
      type: 'integer',
      default: 1048576,
      min: 1,
      unit: 'bytes',
      doc: 'Most bytes fetched from a partition at once. A larger message is still delivered.',
    },
    kafka_consumer_timeout: {
      type: 'float',
      default: 1.0,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds a fetch waits for messages.',
    },
    consumer_group: {
      type: 'string',
      default: 'oslo_messaging_consumer',
      doc: 'Consumer group of listeners that have no pool name.',
    },
    producer_batch_timeout: {
      type: 'float',
      default: 0.0,
      min: 0,
      unit: 'seconds',
      doc: 'Seconds to wait for more notifications before a batch is sent. 0: send at once.',
    },
    producer_batch_size: {
      type: 'integer',
      default: 16384,
      min: 1,
      unit: 'messages',
      doc: 'Most messages of a batch.',
    },
    compression_codec: {
      type: 'string',
      default: 'none',
      choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      doc: 'Compression of batches.',
    },
    enable_auto_commit: {
      type: 'boolean',
      default: false,
      doc: 'Commit offsets in the background instead of before each dispatch; what was not yet committed comes again after a crash.',
    },
    max_poll_records: {
      type: 'integer',
      default: 500,
      min: 1,
      unit: 'messages',
      doc: 'Most messages taken over from one fetch.',
    },
    kafka_max_queued_bytes: {
      type: 'integer',
      default: 67108864,
      min: 1048576,
      unit: 'bytes',
      doc: 'Most bytes of notifications that a listener has fetched and not handed out, over all its partitions; one fetch of each broker comes on top. Also the most bytes that one batch may become when it is decompressed: larger ones are reported and not read.',
    },
    kafka_check_crcs: {
      type: 'boolean',
      default: false,
      doc: 'Compare the checksums of fetched batches. They find what storage or memory has damaged; TCP and TLS look after the way.',
    },
    security_protocol: {
      type: 'string',
      default: 'PLAINTEXT',
      choices: ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'],
      doc: 'Protocol spoken to the brokers.',
    },
    sasl_mechanism: {
      type: 'string',
      default: 'PLAIN',
      doc: 'SASL mechanism with the SASL protocols, e.g. `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`. User and password come from the URL.',
    },
    ssl_cafile: { type: 'string', default: '', doc: 'PEM file with the certificate authorities to trust.' },
    ssl_client_cert_file: { type: 'string', default: '', doc: 'PEM file with the client certificate.' },
    ssl_client_key_file: {
      type: 'string',
      default: '',
      doc: 'PEM file with the private key of the client certificate.',
    },
    ssl_client_key_password: { type: 'string', default: '', secret: true, doc: 'Password of that key.' },
    kafka_vhost_mode: {
      type: 'string',
      default: 'append',
      choices: ['append', 'both', 'compat'],
      doc: 'What the virtual host of the URL does to topic names. `append`: notifiers and listeners both append it. `both`: listeners also read the name without it. `compat`: notifiers also leave it out, which is where Python listeners look.',
    },
    kafka_commit_mode: {
      type: 'string',
      default: 'before',
      choices: ['before', 'after'],
      doc: 'When a notification counts as read. `before` its dispatch: at most once, as in Python. `after` its endpoints have run: at least once, it may come again after a crash or a rebalance.',
    },
    kafka_max_attempts: {
      type: 'integer',
      default: 3,
      min: 1,
      doc: 'With kafka_commit_mode `after`: how often a notification whose endpoint fails is tried in all, unless `[oslo_messaging_nodejs] notification_failure_attempts` or the listener says so.',
    },
    kafka_dead_letter_topic: {
      type: 'string',
      default: '',
      doc: 'Topic for notifications that could not be handled, with the reason in record headers; the virtual host of the URL is appended as `kafka_vhost_mode` says. Empty: `<topic>.dead` beside each topic. Setting it makes `dead-letter` the default action with kafka_commit_mode `after`; without it that is `discard`.',
    },
    auto_offset_reset: {
      type: 'string',
      default: 'latest',
      choices: ['latest', 'earliest'],
      doc: 'Where a consumer group that has never read a topic begins: after the newest stored notification, as Python does, or at the oldest.',
    },
    kafka_session_timeout: {
      type: 'float',
      default: 30.0,
      min: 6,
      max: 1800,
      unit: 'seconds',
      doc: 'A listener whose process is silent for so long loses its partitions to other members of its group. Slow endpoints do not count as silence.',
    },
    kafka_group_instance_id: {
      type: 'string',
      default: '',
      doc: 'Makes listeners static members of their groups (`group.instance.id`): one that comes back within `kafka_session_timeout` gets its partitions again and nobody else is disturbed; one that does not keeps them unread for so long, also when it was stopped in order. Each process of a group needs another name, which it has again after a restart; further listeners of a group in one process get a number behind it. Empty: dynamic members, which leave their groups.',
    },
    pool_size: {
      type: 'integer',
      default: 10,
      deprecated: 'remove it',
      doc: 'Has no effect: connections are not pooled.',
    },
    conn_pool_min_size: {
      type: 'integer',
      default: 2,
      deprecated: 'remove it',
      doc: 'Has no effect: connections are not pooled.',
    },
    conn_pool_ttl: {
      type: 'integer',
      default: 1200,
      deprecated: 'remove it',
      doc: 'Has no effect: connections are not pooled.',
    },
  },
  removed: {
    kafka_default_host: 'write it into transport_url',
    kafka_default_port: 'write it into transport_url',
  },
} as const

/** The values of `[oslo_messaging_kafka]` after merging and checking. Times are in seconds. `OptionsOf` also checks the
 *  table above. */
export type KafkaOptions = OptionsOf<typeof kafkaConfig>
