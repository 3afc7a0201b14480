import type { OptionsOf } from '@oslo-messaging/core/driver'

/** Options of `[oslo_messaging_redis]`; in a URL: `redis://host/1?key_prefix=staging`. */
export const redisConfig = {
  group: 'oslo_messaging_redis',
  options: {
    key_prefix: {
      type: 'string',
      default: 'oslo',
      doc: 'Beginning of every key and channel. Services talk to each other only under the same one.',
    },
    ssl: { type: 'boolean', default: false, doc: 'Use TLS.' },
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
      doc: 'A server that says nothing for two such intervals, in which it is asked, counts as lost.',
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
    claim_after: {
      type: 'float',
      default: 30,
      min: 1,
      unit: 'seconds',
      doc: 'A message whose listener has died is given to another one after so long. Listeners that live keep theirs.',
    },
    poll_interval: {
      type: 'float',
      default: 5,
      min: 0.1,
      unit: 'seconds',
      doc: 'How often a listener looks by itself: for what came without a call, what is due again and what the dead have left. At most a third of `claim_after` is used.',
    },
    rpc_expires: {
      type: 'float',
      default: 1800,
      min: 10,
      unit: 'seconds',
      doc: 'Requests for servers that have been away for so long are gone.',
    },
    reply_expires: {
      type: 'float',
      default: 60,
      min: 3,
      unit: 'seconds',
      doc: 'A client that has been away for so long gets no replies any more.',
    },
    fanout_length: {
      type: 'integer',
      default: 10_000,
      min: 1,
      unit: 'messages',
      doc: 'Fanout requests of a topic that are kept for servers that have not read them yet, about.',
    },
    stream_max_age: {
      type: 'float',
      default: 604_800,
      min: 0,
      unit: 'seconds',
      doc: 'Notifications that nobody has handled for so long are gone; dead letters too. 0: never.',
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
export type RedisOptions = OptionsOf<typeof redisConfig>
