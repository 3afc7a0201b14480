import type { ConfigFragment, ResolvedOptions } from '../config/option.ts'
import type { Logger } from '../diagnostics/logger.ts'
import type { Target } from '../target.ts'
import type { TransportURL } from '../url/transport-url.ts'
import type { Clock } from '../util/clock.ts'
import type { Deadline } from '../util/deadline.ts'
import type { DriverCapabilities } from './capabilities.ts'
import type { DriverAdmin } from './driver-admin.ts'
import type { Backlog, Health } from './health.ts'
import type { MigrationPlan, MigrationSide } from './migration.ts'
import type { TopologyPlan, TopologyUse } from './topology-plan.ts'
import type {
  IncomingNotification,
  IncomingRequest,
  OutgoingNotification,
  OutgoingRequest,
  RPCReply,
} from './messages.ts'

/** Version of the contract between core and drivers. It changes when a driver has to, and not with the version of the
 *  package: within one version core only adds, to what drivers are given and to what they may give. So a driver's peer
 *  range is `>=` the core it was written with, `<1`. */
export const DRIVER_API = 1

/** The oldest contract that this core still serves. */
export const OLDEST_DRIVER_API: number = 1

/** What a driver package exports: a value. Importing the package registers nothing. */
export interface DriverDefinition<Options extends ResolvedOptions = ResolvedOptions> {
  /** For people: `rabbit`. */
  readonly name: string
  /** Version of this contract that the driver is written against: `DRIVER_API` of the core it was built with. Absent:
   *  1. A core that does not serve it refuses the driver by name, with both versions and what to do. */
  readonly api?: number
  /** URL schemes it serves, lower case, without any `+suffix`. */
  readonly schemes: readonly string[]
  readonly capabilities: DriverCapabilities
  /** Its option group; omitted when it has no options, and then a URL query is refused. */
  readonly config?: ConfigFragment
  /** What older options of the driver's own say about notifications whose endpoints throw; the lowest in rank. Left
   *  out: nothing. */
  failureDefaults?(options: Options): FailureDefaults
  /** Makes a driver for one URL. Checks everything that can be checked without the broker (options, files, optional
   *  packages) and rejects with a typed error; does not need the broker to be up: connections are opened by the first
   *  use, and `listen` is where a dead broker shows. */
  open(url: TransportURL, context: DriverContext<Options>): Driver | Promise<Driver>
  /** What an operator can do to the broker behind one URL. Left out when there is nothing. Checks and connects as
   *  `open` does. */
  administer?(url: TransportURL, context: DriverContext<Options>): DriverAdmin | Promise<DriverAdmin>
  /** What it takes to get from one configuration to another; asks no broker. Throws or rejects with ConfigurationError
   *  when one of them cannot be used. Left out when there is no plan. */
  planMigration?(from: MigrationSide<Options>, to: MigrationSide<Options>): MigrationPlan | Promise<MigrationPlan>
  /** What services with this configuration declare for these uses; asks no broker. Throws or rejects with
   *  UnsupportedCapability for a use it does not have, and as `planMigration` does. Left out when it does not say. */
  planTopology?(side: MigrationSide<Options>, uses: readonly TopologyUse[]): TopologyPlan | Promise<TopologyPlan>
}

/** A failure policy as an option of a driver gives it; what core owns is in `[oslo_messaging_nodejs]` and on the
 *  listener, and wins. */
export interface FailureDefaults {
  /** Attempts in all. */
  readonly attempts?: number
  /** Milliseconds between attempts. */
  readonly backoffMs?: number
  readonly then?: 'dead-letter' | 'discard' | 'requeue' | 'stop'
}

/** Name and password for one host. */
export interface HostCredentials {
  readonly username: string
  readonly password: string
  /** Milliseconds until they have to be replaced, counted from when they were given. Absent: they do not expire. */
  readonly expiresInMs?: number
}

/** Gives the credentials for a host. Asked at each login, and on RabbitMQ again before those it gave expire, so that
 *  what is rotated needs no restart. undefined: those of the URL. A rejection ends the attempt as a passing failure,
 *  of which it is the `cause`: health and texts say only that there are none. */
export type CredentialsProvider = (
  host: { readonly hostname: string; readonly port: number | null },
  options: { readonly signal: AbortSignal },
) => Promise<HostCredentials | undefined> | HostCredentials | undefined

/** What a driver is given besides its URL. */
export interface DriverContext<Options extends ResolvedOptions = ResolvedOptions> {
  /** The driver's own group: defaults, files, environment, arguments and URL query already merged, checked and typed.
   *  Units are those of the options. */
  readonly options: Options
  /** Exchange for targets that name none (`[DEFAULT] control_exchange`). */
  readonly defaultExchange: string
  /** Program name for connection names and the like, e.g. `nova-api`. */
  readonly program: string
  readonly logger: Logger
  readonly clock: Clock
  /** Source of randomness, 0 (included) to 1 (excluded). */
  readonly random: () => number
  /** Given by the application; absent: the credentials of the URL. */
  readonly credentials?: CredentialsProvider | undefined
}

/** One broker as core uses it. Core wraps every driver (`ManagedDriver`): after `close()` nothing below is called any
 *  more, targets and capabilities were checked, and errors that are not MessagingErrors are turned into
 *  TransportDriverError. So an author writes the broker, not the bookkeeping. */
export interface Driver {
  /** Hands one RPC request to the broker.
   *  Resolves: a cast with undefined once the broker has taken it; a call with the reply.
   *  Rejects: MessagingTimeout when `deadline` passes first (with phase and delivery); ServerLost when a monitored call
   *  hears nothing for `callMonitorTimeoutMs`;
   *  MessageDeliveryFailure when `retries` are spent; MessageUndeliverable when `atLeastOnce` and no queue takes it;
   *  ReplyPathLost when its reply cannot arrive any more.
   *  A retry must not duplicate the message. A reply that comes after the end is dropped and reported. Source:
   *  BaseDriver.send. */
  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined>

  /** Stores one notification under `target.topic`, which already ends in `.<priority>`.
   *  Resolves when the broker owns it, whether or not anyone is listening. Rejects like `send`. Source:
   *  BaseDriver.send_notification. */
  sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void>

  /** Subscribes to the topic, to topic plus server, and to the topic's fanout. Resolves once the broker has all three;
   *  rejects at `deadline`.
   *  From then on the driver keeps the subscription through every loss. Source: BaseDriver.listen. */
  listen(target: Target, options: ListenOptions): Promise<Listener>

  /** Subscribes to each topic with each of its priorities, or to one pool of them. Resolves and recovers like `listen`.
   *  Source: BaseDriver.listen_for_notifications. */
  listenForNotifications(targets: readonly NotificationSource[], options: NotifyListenOptions): Promise<Listener>

  /** What is up and what is not, from the driver's own state; never waits. */
  health(): Health

  /** Ends what is under way, flushes what was accepted, and disconnects. Listeners that are still open are closed.
   *  Idempotent. `signal` is the patience of the caller: when it aborts, the driver cuts what is left and resolves.
   *  Calls still waiting reject with ClosedError. */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>
}

/** How one request is to be sent. */
export interface SendOptions {
  readonly waitForReply: boolean
  /** Bounds everything: connect, declare, publish, confirm and reply. Carries the caller's AbortSignal. */
  readonly deadline: Deadline
  /** How long the request is worth delivering, in milliseconds: the call's timeout. null for casts, which never
   *  expire. */
  readonly expiresInMs: number | null
  /** A monitored call fails when it hears nothing for so long; null: not monitored. */
  readonly callMonitorTimeoutMs: number | null
  /** Attempts after the first: 0 none, null no limit but the deadline. */
  readonly retries: number | null
  readonly atLeastOnce: boolean
}

/** How one notification is to be sent. */
export interface NotifyOptions {
  /** 1.0 sends the bare message (driver `messaging`), 2.0 wraps it in the envelope (`messagingv2`). Kafka always
   *  wraps. */
  readonly version: '1.0' | '2.0'
  readonly deadline: Deadline
  /** Attempts after the first: 0 none, null no limit but the deadline. */
  readonly retries: number | null
}

interface AnyListenOptions {
  /** Bounds the subscribing, not the listening. */
  readonly deadline: Deadline
  /** Most messages the driver may have delivered and not yet seen settled: becomes prefetch, credit or a pause. At
   *  least 1. */
  readonly prefetch: number
}

/** How a server listens for requests. */
export interface ListenOptions extends AnyListenOptions {
  /** When a request is settled: `before` its method runs, by `acknowledge`; or `after` its reply is with the broker,
   *  which the driver does once `finished` was called, and its `acknowledge` does nothing then.
   *  Absent: as the driver's own settings say, else before. Drivers without `rpcLateAcknowledgement` never see
   *  `after`. */
  readonly acknowledge?: 'before' | 'after'
  /** Called for each request, in the order of arrival; returns at once and does not throw. */
  readonly onMessage: (request: IncomingRequest) => void
}

/** How a listener listens for notifications. */
export interface NotifyListenOptions extends AnyListenOptions {
  /** Called for each notification, in the order of arrival; returns at once and does not throw. */
  readonly onMessage: (notification: IncomingNotification) => void
  /** Name of the pool, null for the unpooled listeners. */
  readonly pool: string | null
  /** The listener may call `requeue`. Drivers without the capability never see true. */
  readonly allowRequeue: boolean
  /** Where to begin in what the listener's group has never read; what it has read goes on where it stood. Absent: as
   *  the driver's own settings say. Drivers without `startPositions` never see it. */
  readonly startFrom?: StartFrom
}

/** A place in what the broker has stored: its oldest message, behind its newest, the first one not older than a time
 *  (milliseconds since 1970), or a number that the broker counts by in each partition. What is beyond the oldest or the
 *  newest means that one. */
export type StartFrom = 'earliest' | 'latest' | { readonly timestamp: number } | { readonly offset: number }

/** One topic and one priority (lower case) a listener wants. The topic does not contain the priority. */
export interface NotificationSource {
  readonly target: Target
  readonly priority: string
}

/** A subscription that outlives losses. */
export interface Listener {
  /** Resolves after `close`; rejects when the subscription is lost for good (credentials revoked, topology refused),
   *  with the reason.
   *  Core always handles it, so a rejection is never unhandled. */
  readonly closed: Promise<void>
  /** Stops intake: no message is delivered after it resolves. Delivered ones can still be settled and replied to.
   *  Idempotent. */
  stop(): Promise<void>
  /** Stops, hands back to the broker what was delivered and not settled, and releases what the subscription holds.
   *  Idempotent. */
  close(): Promise<void>
  /** What waits for it, from what the driver has been told anyway; never waits itself. Absent: the driver does not
   *  know. */
  backlog?(): readonly Backlog[]
}
