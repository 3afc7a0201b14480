import type { TransportRow } from './row.ts'

const row = (name: string, options: Readonly<Record<string, string | number | boolean>>): TransportRow => ({
  name: `rabbit: ${name}`,
  venue: 'rabbit',
  releases: ['newest'],
  settings: { DEFAULT: { rpc_ping_enabled: true }, oslo_messaging_rabbit: options },
  lacks: {},
  everyday: ['call: unicode', 'fanout: a cast reaches every server once', 'seven priorities, format 2.0'],
})

const TRANSIENT = { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true } as const

export const RABBIT_ROWS: readonly TransportRow[] = [
  { ...row('default', {}), releases: ['newest', 'debian', 'amqp10'], reference: true, everyday: 'everything' },
  { ...row('durable', { amqp_durable_queues: true }), releases: ['newest', 'debian'] },
  { ...row('quorum', { rabbit_quorum_queue: true }), releases: ['newest', 'debian'] },
  row('transient quorum', TRANSIENT),
  row('stream fanout', { ...TRANSIENT, rabbit_stream_fanout: true, rabbit_qos_prefetch_count: 5 }),
  row('queue manager', { use_queue_manager: true }),
  { ...row('compression gzip', { kombu_compression: 'gzip' }), releases: ['newest', 'debian'] },
  row('compression bzip2', { kombu_compression: 'bzip2' }),
  row('prefetch', { rabbit_qos_prefetch_count: 2 }),
  { ...row('TLS', { ssl: true, ssl_version: 'TLSv1_2' }), venue: 'rabbit with TLS' },
]
