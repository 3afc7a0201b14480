import type { TransportRow } from './row.ts'

const row = (name: string, options: Readonly<Record<string, string | number | boolean>>): TransportRow => ({
  name: `kafka: ${name}`,
  venue: 'kafka',
  releases: ['newest'],
  settings: { oslo_messaging_kafka: options },
  lacks: {
    rpc: { reason: 'the driver carries notifications only' },
    '4 MiB messages': {
      reason: 'a record may have 1 MB (message.max.bytes), and the library has no option to raise it',
    },
    requeue: { reason: 'the library commits before the endpoints run, so it has nothing to hand back' },
    storage: { reason: 'a new group begins at the end of a topic (auto.offset.reset latest)' },
    'shared pools': {
      reason: "while a second listener joins, Python's reads nothing, and what is sent meanwhile is behind its back",
      only: 'python receives',
    },
    'no pools': { reason: 'one partition is read by one listener of a group, so there is nothing to share' },
  },
  everyday: ['payload: unicode and numbers beyond 2^53'],
})

export const KAFKA_ROWS: readonly TransportRow[] = [
  {
    ...row('plain', {}),
    releases: ['newest', 'debian'],
    reference: true,
    everyday: [
      'seven priorities, format 1.0',
      'context: redacted of tokens by itself',
      'pools: each gets all',
      'pools: listeners of one pool share',
      'batches: full ones at once, the rest when its time is up',
    ],
  },
  {
    ...row('SASL', { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'PLAIN' }),
    venue: 'kafka with SASL',
  },
  ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => row(`P27 codec ${codec}`, { compression_codec: codec })),
  row('small batches', { producer_batch_timeout: 0.05, producer_batch_size: 3 }),
  {
    ...row('P34 virtual host', {}),
    vhost: 'nova',
    // The mode that meets Python notifiers, which append the virtual host, and Python listeners, which do not.
    ours: { oslo_messaging_kafka: { kafka_vhost_mode: 'compat' } },
  },
]
