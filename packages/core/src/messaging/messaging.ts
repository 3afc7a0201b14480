import { type LoadConfigOptions, loadConfig } from '../config/load.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import type { MessageContext } from '../driver/messages.ts'
import { type Logger, useLogger } from '../diagnostics/logger.ts'
import { ClosedError } from '../errors.ts'
import {
  type BatchNotificationListenerOptions,
  getBatchNotificationListener,
} from '../notify/batch-notification-listener.ts'
import type { BatchNotificationEndpoint, NotificationEndpoint } from '../notify/endpoint.ts'
import type { NotificationListenerOptions } from '../notify/listener-parts.ts'
import { getNotificationListener } from '../notify/notification-listener.ts'
import { Notifier, type NotifierOptions } from '../notify/notifier.ts'
import { getRpcClient, type GetRPCClientOptions, type RPCClient } from '../rpc/client/rpc-client.ts'
import type { AnyMethods, EndpointsFor } from '../rpc/contract.ts'
import type { Endpoint } from '../rpc/server/endpoint.ts'
import { getRpcServer, type GetRPCServerOptions } from '../rpc/server/get-rpc-server.ts'
import type { RPCServer } from '../rpc/server/rpc-server.ts'
import type { MessageServer } from '../server/message-server.ts'
import type { StartOptions } from '../server/steps.ts'
import type { Target, TargetFields } from '../target.ts'
import type { Interceptor } from '../transport/interceptor.ts'
import { getNotificationTransport, type NotificationTransport } from '../transport/notification-transport.ts'
import { isSet, TRANSPORT_OPTIONS, type TransportOptions } from '../transport/open-transport.ts'
import { getRpcTransport, type RPCTransport } from '../transport/rpc-transport.ts'
import type { CloseOptions } from '../transport/patience.ts'
import type { ReloadOptions, ReloadReport, Transport } from '../transport/transport.ts'
import type { TransportURL } from '../url/transport-url.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'
import { type DrainReport, drainInOrder } from './drain.ts'
import { type MessagingHealth, type ReadyOptions, summarize, untilReady } from './readiness.ts'
import { handleSignals, type SignalOptions } from './signals.ts'

/** What `getMessaging` takes; everything may be left out. */
export interface MessagingOptions
  extends TransportOptions, Pick<LoadConfigOptions, 'env' | 'argv' | 'overrides' | 'defaults'> {
  /** `service.conf` and others; see `loadConfig`. */
  readonly configFiles?: string | readonly string[] | undefined
  /** A configuration that was loaded already, instead of `configFiles`, `env`, `argv`, `overrides` and `defaults`. */
  readonly config?: MessagingConfig | undefined
  /** Of RPC, and of notifications unless they have one of their own; instead of `[DEFAULT] transport_url`. */
  readonly url?: string | TransportURL | null | undefined
  /** Of notifications; instead of `[oslo_messaging_notifications] transport_url`. */
  readonly notifyUrl?: string | TransportURL | null | undefined
  /** false: no RPC, as with a broker that has none. Default true. */
  readonly rpc?: boolean | undefined
  /** false: no notifications. Default true. */
  readonly notifications?: boolean | undefined
}

const OPTIONS: OptionNames<MessagingOptions> = {
  ...TRANSPORT_OPTIONS,
  configFiles: true,
  config: true,
  env: true,
  argv: true,
  overrides: true,
  defaults: true,
  notifyUrl: true,
  rpc: true,
  notifications: true,
}

/** What a reload did. */
export interface MessagingReloadReport {
  /** Changed, and in force: `rpc: hosts`, `[DEFAULT] rpc_response_timeout`. */
  readonly applied: readonly string[]
  /** Changed, and in force not before a restart, or only for what is made from now on. */
  readonly needsRestart: readonly string[]
}

/** Both buses of a service as one: makes its servers, clients, notifiers and listeners, starts them together, says
 *  whether it is ready, and ends in an order in which nothing is lost. Make it with `getMessaging`. */
export class Messaging {
  readonly logger: Logger
  readonly #rpc: RPCTransport | undefined
  readonly #notifications: NotificationTransport | undefined
  readonly #load: (() => Promise<MessagingConfig>) | undefined
  readonly #servers = new Set<MessageServer>()
  #hasStarted = false
  #draining: Promise<DrainReport> | undefined
  readonly #impatience = new AbortController()

  constructor(parts: {
    readonly logger: Logger
    readonly rpc: RPCTransport | undefined
    readonly notifications: NotificationTransport | undefined
    readonly load: (() => Promise<MessagingConfig>) | undefined
  }) {
    this.logger = parts.logger
    this.#rpc = parts.rpc
    this.#notifications = parts.notifications
    this.#load = parts.load
  }

  /** The configuration; another after a reload. */
  get conf(): MessagingConfig {
    return (this.#rpc ?? this.notifications).conf
  }

  /** The bus of RPC. Throws TypeError when it was not wanted. */
  get rpc(): RPCTransport {
    if (this.#rpc === undefined) throw new TypeError('This messaging was made with { rpc: false }')
    return this.#rpc
  }

  /** The bus of notifications. Throws TypeError when it was not wanted. */
  get notifications(): NotificationTransport {
    if (this.#notifications === undefined) throw new TypeError('This messaging was made with { notifications: false }')
    return this.#notifications
  }

  /** Those of its buses that were wanted, RPC first. */
  get transports(): readonly Transport[] {
    return [this.#rpc, this.#notifications].filter((each) => each !== undefined)
  }

  /** An RPC server; listens after `start`. See `getRpcServer`. */
  server(
    target: Target | TargetFields,
    endpoints: Endpoint | readonly Endpoint[],
    options?: GetRPCServerOptions,
  ): RPCServer
  server<Api extends object, Ctx extends object = MessageContext>(
    target: Target | TargetFields,
    endpoints: EndpointsFor<Api, Ctx>,
    options?: GetRPCServerOptions<Api>,
  ): RPCServer<Api>
  server(
    target: Target | TargetFields,
    endpoints: Endpoint | readonly Endpoint[],
    options: GetRPCServerOptions = {},
  ): RPCServer {
    return this.#own(getRpcServer(this.rpc, target, endpoints, options))
  }

  /** See `getRpcClient`. */
  client<Api extends object = AnyMethods, Ctx extends object = object>(
    target: Target | TargetFields,
    options: GetRPCClientOptions<RPCClient<Api, Ctx>> = {},
  ): RPCClient<Api, Ctx> {
    return getRpcClient<Api, Ctx>(this.rpc, target, options)
  }

  /** See `Notifier`. */
  notifier(options: NotifierOptions = {}): Notifier {
    return new Notifier(this.notifications, options)
  }

  /** A listener; listens after `start`. See `getNotificationListener`. */
  listener(
    targets: readonly (Target | TargetFields)[],
    endpoints: readonly NotificationEndpoint[],
    options: NotificationListenerOptions = {},
  ): MessageServer {
    return this.#own(getNotificationListener(this.notifications, targets, endpoints, options))
  }

  /** A batch listener; listens after `start`. See `getBatchNotificationListener`. */
  batchListener(
    targets: readonly (Target | TargetFields)[],
    endpoints: readonly BatchNotificationEndpoint[],
    options: BatchNotificationListenerOptions = {},
  ): MessageServer {
    return this.#own(getBatchNotificationListener(this.notifications, targets, endpoints, options))
  }

  /** Adds an interceptor to both buses; the returned function takes it out again. See `Transport.use`. */
  use(interceptor: Interceptor): () => void {
    const removals = this.transports.map((transport) => transport.use(interceptor))
    return () => {
      for (const remove of removals) remove()
    }
  }

  /** Starts the servers and listeners that were made so far. Resolves when the brokers have every subscription.
   *  Rejects with the first error of one of them, see `MessageServer.start`; it may be called again, also after further
   *  ones were made. */
  async start(options: StartOptions = {}): Promise<void> {
    if (this.#draining !== undefined) throw new ClosedError('Messaging that was drained does not start again')
    await Promise.all([...this.#servers].map(async (server) => await server.start(options)))
    this.#hasStarted = true
  }

  /** Resolves when it was started and everything is up. Rejects with TaskTimeout that says what is not, with
   *  ClosedError when it is drained meanwhile, or with the signal's reason. */
  async ready(options: ReadyOptions = {}): Promise<void> {
    await untilReady(() => this.health(), this.#clock, options)
  }

  /** What is up, since when, and why not; from the drivers' own states, so it costs nothing and never waits. */
  health(): MessagingHealth {
    return summarize({
      rpc: this.#rpc?.health(),
      notifications: this.#notifications?.health(),
      hasStarted: this.#hasStarted || this.#servers.size === 0,
      isDraining: this.#draining !== undefined,
    })
  }

  /** Ends everything in order: no new requests and notifications in, RPC handlers finish and their replies go out, the
   *  handlers of listeners finish, what was sent is flushed, both buses close. Handlers may send until they are done.
   *  With its report: what had to be left behind when the patience ended. Idempotent: a second call waits for the
   *  first, and the shortest patience counts. */
  async drain(options: CloseOptions = {}): Promise<DrainReport> {
    return await drainInOrder({
      options,
      impatience: this.#impatience,
      transports: this.transports,
      servers: this.#servers,
      once: (work) => (this.#draining ??= work()),
      logger: this.logger,
      clock: this.#clock,
    })
  }

  /** Takes another configuration while everything goes on: the given one, or the files again. What may change does:
   *  hosts, credentials, certificates, options of the drivers, time limits and numbers of workers; the report names
   *  what has to wait for a restart. See `Transport.reload`. Rejects when one bus cannot be used with it; that bus
   *  stays as it was. */
  async reload(config?: MessagingConfig, options: ReloadOptions = {}): Promise<MessagingReloadReport> {
    const conf = config ?? (await this.#load?.())
    if (conf === undefined)
      throw new TypeError('reload needs a configuration, because this messaging was made with one instead of files')
    const reports: [string, ReloadReport][] = []
    for (const transport of this.transports) reports.push([transport.kind, await transport.reload(conf, options)])
    const merged = (part: keyof ReloadReport): string[] => [
      ...new Set(
        reports.flatMap(([kind, report]) =>
          report[part].map((name) => (name.startsWith('[') ? name : `${kind}: ${name}`)),
        ),
      ),
    ]
    return { applied: merged('applied'), needsRestart: merged('needsRestart') }
  }

  /** SIGTERM and SIGINT drain and end the process with 0, or 1 when something had to be abandoned; a second one ends it
   *  at once. SIGHUP reloads. The returned function takes the handlers away. */
  handleSignals(options: SignalOptions = {}): () => void {
    return handleSignals(this, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }

  get #clock(): Clock {
    return (this.#rpc ?? this.notifications).clock
  }

  #own<Server extends MessageServer>(server: Server): Server {
    if (this.#draining !== undefined) throw new ClosedError('Messaging that was drained takes no further servers')
    this.#servers.add(server)
    return server
  }
}

/** Opens what a service needs of `service.conf`: the bus of RPC and that of notifications. They connect when they are
 *  first used.
 *
 *  ```ts
 *  const messaging = await getMessaging({ configFiles: 'service.conf', env: process.env })
 *  messaging.server({ topic: 'compute', server: 'node1' }, endpoint)
 *  await messaging.start()
 *  messaging.handleSignals()
 *  ```
 *
 *  Rejects like `loadConfig`, `getRpcTransport` and `getNotificationTransport`; then nothing is left open. */
export async function getMessaging(options: MessagingOptions = {}): Promise<Messaging> {
  checkOptions('getMessaging', options, OPTIONS)
  const {
    configFiles,
    config,
    env,
    argv,
    overrides,
    defaults,
    url,
    notifyUrl,
    rpc = true,
    notifications = true,
  } = options
  const given = { configFiles, env, argv, overrides, defaults }
  const name = Object.entries(given).find(([, value]) => value !== undefined)?.[0]
  if (config !== undefined && name !== undefined) throw new TypeError(`getMessaging takes config or ${name}, not both`)
  if (!rpc && !notifications) throw new TypeError('getMessaging needs RPC, notifications or both')
  const load = async (): Promise<MessagingConfig> =>
    await loadConfig({ files: configFiles, env, argv, overrides, defaults, logger: options.logger })
  const conf = config ?? (await load())
  const shared = Object.fromEntries(
    Object.entries(options).filter(([key]) => Object.hasOwn(TRANSPORT_OPTIONS, key)),
  ) as TransportOptions
  const ownUrl = conf.get('oslo_messaging_notifications', 'transport_url')
  const [opened, alsoOpened] = await Promise.allSettled([
    rpc ? getRpcTransport(conf, { ...shared, url }) : Promise.resolve(undefined),
    notifications
      ? getNotificationTransport(conf, { ...shared, url: notifyUrl ?? (isSet(ownUrl) ? null : url) })
      : Promise.resolve(undefined),
  ])
  if (opened.status === 'rejected' || alsoOpened.status === 'rejected') {
    for (const each of [opened, alsoOpened]) if (each.status === 'fulfilled') await each.value?.close()
    throw [opened, alsoOpened].find((each) => each.status === 'rejected')?.reason
  }
  return new Messaging({
    logger: useLogger(options.logger),
    rpc: opened.value,
    notifications: alsoOpened.value,
    load: config === undefined ? load : undefined,
  })
}
