import type { OptionsOf } from '@oslo-messaging/core/driver'

/** Options of `[oslo_messaging_amqp]`, with oslo's names, defaults, units and limits. Source: INVENTORY 13
 *  (oslo.messaging 14.9.3, the last with this driver). */
export const amqpConfig = {
  group: 'oslo_messaging_amqp',
  options: {
    container_name: {
      type: 'string',
      default: null,
      doc: 'Container id announced to the peer. Unset: one that names the node, the program and the process.',
      deprecatedNames: [{ group: 'amqp1', name: 'container_name' }],
    },
    idle_timeout: {
      type: 'integer',
      default: 60,
      min: 0,
      unit: 'seconds',
      doc: 'Silence after which the connection counts as dead; half of it is announced to the peer, and after it a silent session is asked. 0 turns it off, as upstream does unless told: then only TCP notices a dead peer.',
      deprecatedNames: [{ group: 'amqp1', name: 'idle_timeout' }],
    },
    trace: {
      type: 'boolean',
      default: false,
      doc: 'Log the performatives sent and received at debug level.',
      deprecatedNames: [{ group: 'amqp1', name: 'trace' }],
    },
    ssl: {
      type: 'boolean',
      default: false,
      doc: 'Use TLS, with the CAs of the system unless ssl_ca_file names others.',
    },
    ssl_ca_file: {
      type: 'string',
      default: '',
      doc: 'File of CA certificates the peer is verified with. Implies TLS.',
      deprecatedNames: [{ group: 'amqp1', name: 'ssl_ca_file' }],
    },
    ssl_cert_file: {
      type: 'string',
      default: '',
      doc: 'Client certificate. Implies TLS.',
      deprecatedNames: [{ group: 'amqp1', name: 'ssl_cert_file' }],
    },
    ssl_key_file: {
      type: 'string',
      default: '',
      doc: 'Private key of the client certificate.',
      deprecatedNames: [{ group: 'amqp1', name: 'ssl_key_file' }],
    },
    ssl_key_password: {
      type: 'string',
      default: null,
      secret: true,
      doc: 'Password of that key, when it is encrypted.',
      deprecatedNames: [{ group: 'amqp1', name: 'ssl_key_password' }],
    },
    ssl_verify_vhost: {
      type: 'boolean',
      default: false,
      doc: 'Verify the certificate against the virtual host of the URL instead of the host name, for peers that choose certificates by SNI.',
    },
    sasl_mechanisms: {
      type: 'string',
      default: '',
      doc: 'SASL mechanisms that may be used, separated by spaces. Empty: the best the peer offers; with a password never ANONYMOUS.',
      deprecatedNames: [{ group: 'amqp1', name: 'sasl_mechanisms' }],
    },
    sasl_config_dir: {
      type: 'string',
      default: '',
      doc: 'Directory of the SASL library configuration. Has no effect here: no SASL library is used.',
      deprecatedNames: [{ group: 'amqp1', name: 'sasl_config_dir' }],
    },
    sasl_config_name: {
      type: 'string',
      default: '',
      doc: 'Name of that configuration. Has no effect here.',
      deprecatedNames: [{ group: 'amqp1', name: 'sasl_config_name' }],
    },
    sasl_default_realm: {
      type: 'string',
      default: '',
      doc: 'Realm appended as @realm to user names that have none.',
    },
    connection_retry_interval: {
      type: 'integer',
      default: 1,
      min: 1,
      unit: 'seconds',
      doc: 'Upper bound of the first wait before a lost connection is tried again.',
    },
    connection_retry_backoff: {
      type: 'integer',
      default: 2,
      min: 0,
      doc: 'The bound is multiplied by this after each failure; 0 and 1 keep it.',
    },
    connection_retry_interval_max: {
      type: 'integer',
      default: 30,
      min: 1,
      unit: 'seconds',
      doc: 'Longest bound of that wait.',
    },
    link_retry_delay: {
      type: 'integer',
      default: 10,
      min: 1,
      unit: 'seconds',
      doc: 'Wait before a link the peer has closed is opened again, and before a released message is sent again.',
    },
    default_reply_retry: {
      type: 'integer',
      default: 0,
      min: -1,
      doc: 'Attempts to send a reply again. -1: as often as default_reply_timeout allows.',
    },
    default_reply_timeout: {
      type: 'integer',
      default: 30,
      min: 5,
      unit: 'seconds',
      doc: 'Time a reply has to reach the peer.',
    },
    default_send_timeout: {
      type: 'integer',
      default: 30,
      min: 5,
      unit: 'seconds',
      doc: 'Most time a cast has to reach the peer; an earlier deadline of the caller counts.',
    },
    default_notify_timeout: {
      type: 'integer',
      default: 30,
      min: 5,
      unit: 'seconds',
      doc: 'Most time a notification has to reach the peer; an earlier deadline of the caller counts.',
    },
    default_sender_link_timeout: {
      type: 'integer',
      default: 600,
      min: 1,
      unit: 'seconds',
      doc: 'Sender links unused for so long are closed.',
    },
    addressing_mode: {
      type: 'string',
      default: 'dynamic',
      choices: ['legacy', 'routable', 'dynamic'],
      doc: 'How addresses are formed: legacy for brokers, routable for message routers, dynamic to choose by what the peer says of itself. RabbitMQ has addresses of its own in every mode.',
    },
    pseudo_vhost: {
      type: 'boolean',
      default: true,
      doc: 'Put the virtual host of the URL into the addresses. False: name it when the connection opens, for peers with real virtual hosts.',
    },
    server_request_prefix: {
      type: 'string',
      default: 'exclusive',
      doc: 'First part of legacy addresses of one server.',
      deprecatedNames: [{ group: 'amqp1', name: 'server_request_prefix' }],
    },
    broadcast_prefix: {
      type: 'string',
      default: 'broadcast',
      doc: 'First part of legacy addresses of all servers.',
      deprecatedNames: [{ group: 'amqp1', name: 'broadcast_prefix' }],
    },
    group_request_prefix: {
      type: 'string',
      default: 'unicast',
      doc: 'First part of legacy addresses of any server.',
      deprecatedNames: [{ group: 'amqp1', name: 'group_request_prefix' }],
    },
    rpc_address_prefix: {
      type: 'string',
      default: 'openstack.org/om/rpc',
      doc: 'First part of routable RPC addresses.',
    },
    notify_address_prefix: {
      type: 'string',
      default: 'openstack.org/om/notify',
      doc: 'First part of routable notification addresses.',
    },
    multicast_address: {
      type: 'string',
      default: 'multicast',
      doc: 'Part of routable addresses that means all servers.',
    },
    unicast_address: {
      type: 'string',
      default: 'unicast',
      doc: 'Part of routable addresses that means one server.',
    },
    anycast_address: {
      type: 'string',
      default: 'anycast',
      doc: 'Part of routable addresses that means any server.',
    },
    default_notification_exchange: {
      type: 'string',
      default: null,
      doc: 'Exchange part of routable notification addresses when the target names none.',
    },
    default_rpc_exchange: {
      type: 'string',
      default: null,
      doc: 'Exchange part of routable RPC addresses when the target names none.',
    },
    reply_link_credit: {
      type: 'integer',
      default: 200,
      min: 1,
      unit: 'messages',
      doc: 'Replies the peer may send ahead.',
    },
    rpc_server_credit: {
      type: 'integer',
      default: 100,
      min: 1,
      unit: 'messages',
      doc: 'Requests the peer may send ahead on each link of a server; never more than twice the workers.',
    },
    notify_server_credit: {
      type: 'integer',
      default: 100,
      min: 1,
      unit: 'messages',
      doc: 'Notifications the peer may send ahead on each link of a listener.',
    },
    pre_settled: {
      type: 'multi',
      default: ['rpc-cast', 'rpc-reply'],
      doc: 'Kinds of message sent without waiting for the outcome: rpc-call, rpc-reply, rpc-cast, notify. Faster, and nobody learns of a loss.',
    },
  },
  removed: {
    username: 'write it into transport_url',
    password: 'write it into transport_url',
    allow_insecure_clients: 'it spoke of servers; clients without TLS are what transport_url and the broker allow',
  },
} as const

/** The options of `[oslo_messaging_amqp]` after merging, with their types. */
export type AmqpOptions = OptionsOf<typeof amqpConfig>
