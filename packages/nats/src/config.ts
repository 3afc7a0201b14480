import type { OptionsOf } from '@oslo-messaging/core/driver'

/** Options of `[oslo_messaging_nats]`; in a URL: `nats://host/?subject_prefix=staging`. */
export const natsConfig = {
  group: 'oslo_messaging_nats',
  options: {
    subject_prefix: {
      type: 'string',
      default: 'oslo',
      doc: 'First token of every subject and first part of the name of every stream. Services talk to each other only under the same one.',
    },
    credentials_file: {
      type: 'string',
      default: '',
      doc: 'File with a JWT and an NKey seed (`.creds`). Instead of a user and a password in the URL.',
    },
    ssl: { type: 'boolean', default: false, doc: 'Use TLS. Implied by a server that demands it.' },
    ssl_ca_file: { type: 'string', default: '', doc: 'PEM file with the certificate authorities to trust.' },
    ssl_cert_file: { type: 'string', default: '', doc: 'PEM file with the client certificate.' },
    ssl_key_file: { type: 'string', default: '', doc: 'PEM file with the private key of the client certificate.' },
    connect_timeout: {
      type: 'float',
      default: 5,
      min: 0.1,
      unit: 'seconds',
      doc: 'Longest time for one attempt to connect to one host.',
    },
    heartbeat: {
      type: 'float',
      default: 10,
      min: 0.5,
      unit: 'seconds',
      doc: 'A server that answers no ping for two such intervals counts as lost.',
    },
    max_outstanding_messages: {
      type: 'integer',
      default: 4096,
      min: 1,
      unit: 'messages',
      doc: 'Messages handed to the server and not confirmed yet; further senders wait.',
    },
    max_outstanding_bytes: {
      type: 'integer',
      default: 67_108_864,
      min: 1,
      unit: 'bytes',
      doc: 'The same in bytes.',
    },
    rpc_waiting_messages: {
      type: 'integer',
      default: 10_000,
      min: 1,
      unit: 'messages',
      doc: 'Requests that wait in a server process for a worker. Core NATS keeps nothing: a server with so many waiting leaves the queue group until half of them are done.',
    },
    stream_storage: {
      type: 'string',
      default: 'file',
      choices: ['file', 'memory'],
      doc: 'Where JetStream keeps notifications. Used when the stream is made.',
    },
    stream_replicas: {
      type: 'integer',
      default: 1,
      min: 1,
      max: 5,
      doc: 'Servers of the cluster that keep a copy. Used when the stream is made.',
    },
    stream_max_age: {
      type: 'float',
      default: 604_800,
      min: 0,
      unit: 'seconds',
      doc: 'Notifications that nobody has handled for so long are gone; dead letters too. 0: never. Used when the stream is made.',
    },
    stream_max_bytes: {
      type: 'integer',
      default: -1,
      min: -1,
      unit: 'bytes',
      doc: 'Most bytes of unhandled notifications; a sender is refused when they are reached. -1: no limit but that of the server. Used when the stream is made.',
    },
    ack_wait: {
      type: 'float',
      default: 30,
      min: 1,
      unit: 'seconds',
      doc: 'A notification whose listener has died is delivered again after so long. Listeners that live ask for more time by themselves.',
    },
    max_deliveries: {
      type: 'integer',
      default: 0,
      min: 0,
      doc: 'A notification that was delivered so often and never settled (it may kill its listener) goes to the dead letters instead of being delivered once more. 0: no limit.',
    },
  },
} as const

/** The options as the driver gets them. */
export type NatsOptions = OptionsOf<typeof natsConfig>
