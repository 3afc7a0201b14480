import type { TransportRow } from './row.ts'

const row = (mode: string): TransportRow => ({
  name: `amqp: ${mode}`,
  venue: 'artemis',
  releases: ['amqp10'],
  settings: { DEFAULT: { rpc_ping_enabled: true }, oslo_messaging_amqp: { addressing_mode: mode } },
  lacks: {
    'at-least-once': { reason: 'an option of the driver for RabbitMQ; the broker of AMQP 1.0 makes the address' },
    expiry: {
      reason:
        "Python's expiry times lie in 1970, so the test broker keeps every message for 10 s at least (brokers/README.md)",
    },
    pools: { reason: 'the library raises NotImplementedError for pools over AMQP 1.0' },
    'notification contexts': {
      reason: 'the library cannot send a context object over AMQP 1.0, and drops plain ones',
      only: 'python sends',
    },
  },
  everyday: ['call: unicode', 'fanout: a cast reaches every server once', 'seven priorities, format 2.0'],
})

export const AMQP_ROWS: readonly TransportRow[] = [
  row('legacy'),
  row('routable'),
  {
    ...row('dynamic'),
    reference: true,
    everyday: [
      'call: numbers beyond 2^53',
      'call: request context',
      'server: one by its name',
      'cast: to the topic and to one server',
      'namespace: only its endpoint answers',
      "errors: Python's builtins arrive as themselves",
      'heartbeats: a monitored call outlives the monitor timeout',
      'seven priorities, format 1.0',
      'requeue: delivered again until it is handled',
    ],
  },
]
