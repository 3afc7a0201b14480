import { ConfigurationError, InvalidTarget, type NotificationSource, type Target } from '@oslo-messaging/core/driver'
import type { ArgumentTable, ExchangeDeclaration, QueueDeclaration, TableValue } from '../client/client.ts'
import type { RabbitOptions } from '../config.ts'
import type { RabbitSettings } from '../settings.ts'

/** Where a message is published. */
export interface Destination {
  /** Declared before the first publish; null for the default exchange, which always exists. */
  readonly exchange: ExchangeDeclaration | null
  readonly routingKey: string
}

/** A queue with the exchange it is bound to. */
export interface BoundQueue {
  readonly exchange: ExchangeDeclaration
  readonly queue: QueueDeclaration
  readonly bindingKeys: readonly string[]
}

/** Whose queue it is: shared with Python services (`topic`, `server`, `notification`: declared byte for byte as they
 *  do), or this process's own (`fanout`, `reply`). */
export type QueueKind = 'topic' | 'server' | 'fanout' | 'notification' | 'reply'

/** A queue to declare, bind and consume. */
export interface Subscription {
  readonly kind: QueueKind
  /** Null for the reply queue: the default exchange binds it. */
  readonly exchange: ExchangeDeclaration | null
  readonly queue: QueueDeclaration
  readonly bindingKeys: readonly string[]
  readonly consumeArguments: ArgumentTable
  /** Deleted when the listener closes. */
  readonly deleteOnClose: boolean
  /** A stream: consumed from an offset, and never redelivered. */
  readonly stream: boolean
}

/** Target and options to declarations. Pure; tested against every captured declaration. Source: WIRE 5, 6.2, 6.3. */
export interface Topology {
  /** Where a call or cast goes. */
  requestDestination(target: Target): Destination
  /** Where a notification goes, and the queue that keeps it while nobody listens. */
  notificationDestination(target: Target): Destination & { readonly store: BoundQueue }
  /** The three subscriptions of an RPC server. `suffix` is the process's own part of the fanout queue's name. */
  serverSubscriptions(target: Target, suffix: string): readonly Subscription[]
  /** One queue per topic and priority, or the one queue of a pool bound to all of them. */
  listenerSubscriptions(sources: readonly NotificationSource[], pool: string | null): readonly Subscription[]
  replySubscription(queueName: string): Subscription
}

/** Who declares what is shared; see RabbitSettings. */
export type SharedModes = Pick<RabbitSettings, 'sharedExchanges' | 'sharedQueues'>

const DECLARED: SharedModes = { sharedExchanges: 'declare', sharedQueues: 'declare' }

/** Checks options that exclude each other; throws ConfigurationError. */
export function createTopology(
  options: RabbitOptions,
  defaultExchange: string,
  modes: SharedModes = DECLARED,
): Topology {
  checkOptions(options)
  const durable = options.amqp_durable_queues || options.rabbit_quorum_queue
  const autoDelete = options.amqp_auto_delete
  const sharedArguments = queueArguments(options, options.rabbit_quorum_queue, 0)
  const ownArguments = queueArguments(
    options,
    options.rabbit_transient_quorum_queue,
    options.rabbit_transient_queues_ttl,
  )
  const consumeArguments: ArgumentTable = options.enable_cancel_on_failover ? { 'x-cancel-on-ha-failover': true } : {}

  const exchangeMode = modes.sharedExchanges === 'declare' ? {} : { mode: modes.sharedExchanges }
  const queueMode = modes.sharedQueues === 'declare' ? {} : { mode: modes.sharedQueues }
  const topicExchange = (target: Target): ExchangeDeclaration => ({
    name: shortName(target.exchange ?? defaultExchange, 'exchange'),
    type: 'topic',
    durable,
    autoDelete,
    ...exchangeMode,
  })
  const fanoutExchange = (topic: string): ExchangeDeclaration => ({
    name: shortName(`${topic}_fanout`, 'fanout exchange'),
    type: 'fanout',
    durable: options.rabbit_transient_quorum_queue,
    autoDelete: true,
    ...exchangeMode,
  })
  const sharedQueue = (name: string): QueueDeclaration => ({
    name: shortName(name, 'queue'),
    durable,
    autoDelete,
    arguments: sharedArguments,
    ...queueMode,
  })
  const ownQueue = (name: string): QueueDeclaration => ({
    name: shortName(name, 'queue'),
    durable: options.rabbit_transient_quorum_queue,
    autoDelete: false,
    arguments: ownArguments,
  })
  const shared = (kind: QueueKind, target: Target, name: string, bindingKeys: readonly string[]): Subscription => ({
    kind,
    exchange: topicExchange(target),
    queue: sharedQueue(name),
    bindingKeys,
    consumeArguments,
    deleteOnClose: false,
    stream: false,
  })
  const fanout = (topic: string, suffix: string): Subscription => ({
    kind: 'fanout',
    exchange: fanoutExchange(topic),
    queue: options.rabbit_stream_fanout
      ? { name: `${topic}_fanout`, durable: true, autoDelete: false, arguments: streamArguments(options) }
      : ownQueue(`${topic}_fanout_${suffix}`),
    bindingKeys: [topic],
    consumeArguments: options.rabbit_stream_fanout
      ? { ...consumeArguments, 'x-stream-offset': 'last' }
      : consumeArguments,
    deleteOnClose: !options.rabbit_stream_fanout && !options.use_queue_manager,
    stream: options.rabbit_stream_fanout,
  })

  return {
    requestDestination(target) {
      const topic = topicOf(target)
      if (target.fanout === true) return { exchange: fanoutExchange(topic), routingKey: '' }
      return {
        exchange: topicExchange(target),
        routingKey: shortName(target.server === null ? topic : `${topic}.${target.server}`, 'routing key'),
      }
    },
    notificationDestination(target) {
      const routingKey = topicOf(target)
      const exchange = topicExchange(target)
      return { exchange, routingKey, store: { exchange, queue: sharedQueue(routingKey), bindingKeys: [routingKey] } }
    },
    serverSubscriptions(target, suffix) {
      const topic = topicOf(target)
      if (target.server === null) throw new InvalidTarget('A server needs a server name', target)
      const server = `${topic}.${target.server}`
      return [
        shared('topic', target, topic, [topic]),
        shared('server', target, server, [server]),
        fanout(topic, suffix),
      ]
    },
    listenerSubscriptions(sources, pool) {
      const keyOf = ({ target, priority }: NotificationSource): string => `${topicOf(target)}.${priority}`
      if (pool === null)
        return sources.map((source) => shared('notification', source.target, keyOf(source), [keyOf(source)]))
      // One queue for all of them, bound to each exchange in turn.
      const byExchange = new Map<string, NotificationSource[]>()
      for (const source of sources) {
        const name = source.target.exchange ?? defaultExchange
        byExchange.set(name, [...(byExchange.get(name) ?? []), source])
      }
      return [...byExchange.values()].flatMap((group) => {
        const [first] = group
        return first === undefined ? [] : [shared('notification', first.target, pool, group.map(keyOf))]
      })
    },
    replySubscription: (queueName) => ({
      kind: 'reply',
      exchange: null,
      queue: ownQueue(queueName),
      bindingKeys: [],
      consumeArguments,
      deleteOnClose: false,
      stream: false,
    }),
  }
}

/** A pool over several exchanges has one queue in several subscriptions: it is consumed once. */
export function byQueue(subscriptions: readonly Subscription[]): readonly Subscription[] {
  return [...new Map(subscriptions.map((subscription) => [subscription.queue.name, subscription])).values()]
}

/** The same without durability: what is declared when the exchange exists and is not durable (oslo's head does the
 *  same). */
export function withoutDurability<T extends { exchange: ExchangeDeclaration | null; queue?: QueueDeclaration }>(
  entry: T,
): T {
  const exchange = entry.exchange === null ? null : { ...entry.exchange, durable: false }
  return entry.queue === undefined
    ? { ...entry, exchange }
    : { ...entry, exchange, queue: { ...entry.queue, durable: false } }
}

/** AMQP 0-9-1 writes a name's length into one byte. Found out by the client library it would look like a channel that
 *  breaks again and again. */
function shortName(name: string, what: string): string {
  // A character takes three bytes at most, or four for two.
  if (name.length <= 85 || Buffer.byteLength(name) <= 255) return name
  throw new InvalidTarget(
    `The name of the ${what} takes more than the 255 bytes of AMQP: shorten the target, the pool or hostname`,
    { toString: () => `${name.slice(0, 40)}...` },
  )
}

function topicOf(target: Target): string {
  if (target.topic === null || target.topic === '') throw new InvalidTarget('A topic is needed', target)
  return target.topic
}

function queueArguments(options: RabbitOptions, quorum: boolean, ttlSeconds: number): ArgumentTable {
  const table: Record<string, TableValue> = {}
  if (options.rabbit_ha_queues) table['x-ha-policy'] = 'all'
  if (quorum) {
    table['x-queue-type'] = 'quorum'
    if (options.rabbit_quorum_delivery_limit > 0) table['x-delivery-limit'] = options.rabbit_quorum_delivery_limit
    if (options.rabbit_quorum_max_memory_length > 0)
      table['x-max-in-memory-length'] = options.rabbit_quorum_max_memory_length
    if (options.rabbit_quorum_max_memory_bytes > 0)
      table['x-max-in-memory-bytes'] = options.rabbit_quorum_max_memory_bytes
  }
  if (ttlSeconds > 0) table['x-expires'] = ttlSeconds * 1000
  return table
}

function streamArguments({ rabbit_transient_queues_ttl: ttl }: RabbitOptions): ArgumentTable {
  return ttl > 0 ? { 'x-queue-type': 'stream', 'x-max-age': `${ttl}s` } : { 'x-queue-type': 'stream' }
}

function checkOptions(options: RabbitOptions): void {
  const refuse = (option: string, message: string): never => {
    throw new ConfigurationError(message, { option: `[oslo_messaging_rabbit] ${option}` })
  }
  if (options.rabbit_ha_queues && (options.rabbit_quorum_queue || options.rabbit_transient_quorum_queue))
    refuse('rabbit_ha_queues', 'rabbit_ha_queues and quorum queues exclude each other: unset rabbit_ha_queues')
  if (options.rabbit_stream_fanout && options.rabbit_qos_prefetch_count <= 0)
    refuse('rabbit_qos_prefetch_count', 'rabbit_stream_fanout needs rabbit_qos_prefetch_count above 0')
  if (options.rabbit_stream_fanout && !options.rabbit_transient_quorum_queue)
    refuse('rabbit_transient_quorum_queue', 'rabbit_stream_fanout needs rabbit_transient_quorum_queue = true')
  if (options.conn_pool_min_size > options.rpc_conn_pool_size)
    refuse('conn_pool_min_size', 'conn_pool_min_size must not exceed rpc_conn_pool_size')
}
