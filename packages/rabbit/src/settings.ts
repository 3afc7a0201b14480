import {
  checkChoice,
  checkCount,
  checkFunction,
  checkOptions,
  type Logger,
  type OptionNames,
} from '@oslo-messaging/core/driver'

/** Where a listener keeps the ids of messages it has handled. Both answer at once: a delivery does not wait for a
 *  database. */
export interface DuplicateStore {
  has(id: string): boolean
  add(id: string): void
}

/** What can be chosen in code, beyond the options of oslo. Every field has the value that suits a deployment of Python
 *  services. */
export interface RabbitSettings {
  /** Ids of messages remembered by each listener to notice duplicates: as many as a lost connection usually repeats at
   *  once. They take some 50 KiB when all are there. oslo remembers 16. Default 1024. */
  readonly duplicateCacheSize: number
  /** Keeps those ids elsewhere, e.g. with an age limit: called once for each listener, with its name. Null: in memory,
   *  `duplicateCacheSize` of them. */
  readonly duplicateStore: ((listener: string) => DuplicateStore) | null
  /** Most messages handed to the broker and not confirmed yet; senders wait for room. Default 4096. */
  readonly maxOutstandingMessages: number
  /** Most bytes of them. Default 64 MiB. */
  readonly maxOutstandingBytes: number
  /** Most messages that wait to be sent: for a connection, a declaration, room, or the next attempt. Further ones are
   *  refused at once with BackpressureError, because what waits takes memory as well. Calls are not counted:
   *  `maxPendingCalls` bounds them. Default 4096. */
  readonly maxWaitingMessages: number
  /** Most bytes of them. Default 64 MiB. */
  readonly maxWaitingBytes: number
  /** Most calls under way; further ones are refused at once with BackpressureError. Default 16 384. */
  readonly maxPendingCalls: number
  /** How often the broker is asked whether consumers that hear nothing still exist, milliseconds; 0 never. Default
   *  5000. */
  readonly watchdogIntervalMs: number
  /** When an RPC request is acknowledged, where neither the server nor `[oslo_messaging_nodejs] rpc_acknowledge` says
   *  so. `before`: when a worker takes it, at most once, as oslo does. `after`: when its reply is with the broker (a
   *  cast: when its method is over), at least once: what a dying server was working on is delivered again. Methods must
   *  then stay below the broker's `consumer_timeout` (30 minutes unless configured) and must bear being run twice.
   *  Default `before`. */
  readonly ack: 'before' | 'after'
  /** How long methods may run, milliseconds, as far as you know; with `ack: 'after'` it is compared with
   *  `consumerTimeoutMs` when a server starts, and quorum queues of RabbitMQ 4.3 and newer are asked for
   *  twice as much where that is more (`x-consumer-timeout`). Default null: unknown. */
  readonly longestMethodMs: number | null
  /** The broker's `consumer_timeout`, milliseconds; a client cannot ask for it. null: it has none. Default 30 minutes,
   *  as RabbitMQ comes. */
  readonly consumerTimeoutMs: number | null
  /** What is shared with other services: exchanges, and the queues of topics, servers and notifications with their
   *  bindings. For users without the right to configure them, or where operators make them: `passive` only asks whether
   *  they exist, `none` does not even ask. Reply and fanout queues are this process's own and always declared. Default
   *  `declare`. */
  readonly sharedExchanges: 'declare' | 'passive' | 'none'
  readonly sharedQueues: 'declare' | 'passive' | 'none'
  /** Most bytes that a compressed body may hold; a message that holds more is unreadable, because a small one could
   *  otherwise fill the memory. Default 32 MiB. */
  readonly maxDecompressedBytes: number
  /** Milliseconds an attempt to connect to one host may take. Default 10 000. */
  readonly connectTimeoutMs: number
  /** Milliseconds the broker may take to answer one question, such as a declaration or a subscription. A question
   *  without an answer closes its channel and is asked again; while the broker has blocked the connection no time
   *  counts. Default 10 000. */
  readonly answerTimeoutMs: number
  /** Milliseconds the broker may take to confirm a message. Then its channel is closed, so that nothing holds a place
   *  for ever: whether the broker has the messages on it is unknown, notifications are
   *  sent again; while the broker has blocked the connection no time counts. Default 60 000. */
  readonly confirmTimeoutMs: number
}

export const DEFAULT_SETTINGS: RabbitSettings = Object.freeze({
  duplicateCacheSize: 1024,
  duplicateStore: null,
  maxOutstandingMessages: 4096,
  maxOutstandingBytes: 64 * 1024 * 1024,
  maxWaitingMessages: 4096,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxPendingCalls: 16_384,
  watchdogIntervalMs: 5000,
  ack: 'before',
  longestMethodMs: null,
  consumerTimeoutMs: 30 * 60 * 1000,
  sharedExchanges: 'declare',
  sharedQueues: 'declare',
  maxDecompressedBytes: 32 * 1024 * 1024,
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
  confirmTimeoutMs: 60_000,
})

type Check = (name: string, value: unknown) => void

const from =
  (least: number): Check =>
  (name, value) =>
    checkCount(name, value, least)
const orNull =
  (check: Check): Check =>
  (name, value) => {
    if (value !== null) check(name, value)
  }
const oneOf =
  (...choices: readonly string[]): Check =>
  (name, value) =>
    checkChoice(name, value, choices)

const CHECKS: Readonly<Record<keyof RabbitSettings, Check>> = {
  duplicateCacheSize: from(0),
  duplicateStore: orNull(checkFunction),
  maxOutstandingMessages: from(1),
  maxOutstandingBytes: from(1),
  maxWaitingMessages: from(1),
  maxWaitingBytes: from(1),
  maxPendingCalls: from(1),
  watchdogIntervalMs: from(0),
  ack: oneOf('before', 'after'),
  longestMethodMs: orNull(from(0)),
  consumerTimeoutMs: orNull(from(1)),
  sharedExchanges: oneOf('declare', 'passive', 'none'),
  sharedQueues: oneOf('declare', 'passive', 'none'),
  maxDecompressedBytes: from(1),
  connectTimeoutMs: from(1),
  answerTimeoutMs: from(1),
  confirmTimeoutMs: from(1),
}

const NAMES = Object.fromEntries(Object.keys(CHECKS).map((name) => [name, true])) as OptionNames<RabbitSettings>

/** The settings with the defaults of those that are not given. Throws TypeError that names the one that cannot be
 *  used. */
export function completeSettings(settings: Partial<RabbitSettings>): RabbitSettings {
  checkOptions('createRabbitDriver', settings, NAMES)
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) CHECKS[name as keyof RabbitSettings](name, value)
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(given) }
}

/** A request may wait for one that runs before it. */
const HELD_BACK_FOR = 2

/** How long a server that acknowledges after its methods has to be allowed to hold a request back, milliseconds;
 *  null: what the broker allows by itself is enough, or nobody has said how long
 *  methods run. */
export function heldBackMs({ consumerTimeoutMs, longestMethodMs }: RabbitSettings): number | null {
  if (consumerTimeoutMs === null || longestMethodMs === null) return null
  const needed = HELD_BACK_FOR * longestMethodMs
  return needed > consumerTimeoutMs ? needed : null
}

/** Says when a server that acknowledges after its methods starts that they may outlast what the broker allows a
 *  consumer to hold back: that is every method under way. */
export function noteConsumerTimeout({
  settings,
  logger,
}: {
  readonly settings: RabbitSettings
  readonly logger: Logger
}): void {
  const { consumerTimeoutMs, longestMethodMs } = settings
  if (consumerTimeoutMs === null) return
  if (longestMethodMs !== null && longestMethodMs < consumerTimeoutMs) return
  const limit = `consumer_timeout of the broker (${consumerTimeoutMs / 1000} s by consumerTimeoutMs)`
  logger.warn(
    longestMethodMs === null
      ? `acknowledge: 'after' - a method that runs longer than the ${limit} costs its server the channel, and its request is delivered again; set longestMethodMs to have this checked`
      : `acknowledge: 'after' - methods run up to ${longestMethodMs / 1000} s (longestMethodMs), longer than the ${limit}: the channel is closed under them and their requests are delivered again, except from quorum queues of RabbitMQ 4.3 and newer, which are asked for more time. Raise it on the broker, or keep acknowledge: 'before' and let clients monitor their calls`,
  )
}
