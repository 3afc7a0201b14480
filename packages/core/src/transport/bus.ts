import { emitDiagnostic } from '../diagnostics/channels.ts'
import { ADVICE, type Logger } from '../diagnostics/logger.ts'
import type { DriverCapabilities } from '../driver/capabilities.ts'
import type {
  FailureDefaults,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
  SendOptions,
} from '../driver/driver.ts'
import type { ManagedDriver } from '../driver/host/managed-driver.ts'
import { type RefusableCapability, requireCapability } from '../driver/host/require-capability.ts'
import type { OutgoingNotification, OutgoingRequest, RPCReply } from '../driver/messages.ts'
import type { MessageServer, ServerHost } from '../server/message-server.ts'
import type { Target } from '../target.ts'
import type { TransportURL } from '../url/transport-url.ts'
import type { RemoteErrorTable } from '../wire/remote-error-table.ts'
import { BUS, isBlank, noTopicError, requireServerTarget, requireTopic } from './check-target.ts'
import { Interceptors } from './interceptor.ts'
import type { Transport, TransportKind, TransportParts } from './transport.ts'

type WithBus = Transport & { readonly [BUS]: Bus }

/** The side of a transport that clients, servers, notifiers and listeners are built on, and frameworks that have kinds
 *  of their own: sends and subscribes, after checking targets
 *  and capabilities. Applications do not need it. */
export class Bus implements ServerHost {
  /** What remote errors its clients may rebuild. */
  readonly remoteErrors: RemoteErrorTable
  /** What older options of the driver's own say about failing notifications. */
  readonly failureDefaults: FailureDefaults
  /** What goes around its operations; `transport.use` adds to it. */
  readonly interceptors: Interceptors = new Interceptors()
  readonly #afterwards: (() => Promise<void>)[] = []
  readonly #kind: TransportKind
  readonly #url: TransportURL
  readonly #logger: Logger
  readonly #driver: ManagedDriver
  readonly #servers: Set<MessageServer>
  readonly #refuseWhileClosing: () => void

  /** Made by its transport, which drains `servers` when it closes. */
  constructor(kind: TransportKind, parts: TransportParts, servers: Set<MessageServer>, refuseWhileClosing: () => void) {
    this.remoteErrors = parts.remoteErrors
    this.failureDefaults = parts.failureDefaults
    this.#kind = kind
    this.#url = parts.url
    this.#logger = parts.logger
    this.#driver = parts.driver
    this.#servers = servers
    this.#refuseWhileClosing = refuseWhileClosing
  }

  get capabilities(): DriverCapabilities {
    return this.#driver.capabilities
  }

  /** Throws UnsupportedCapability with the remedy unless the driver has it. */
  require(capability: RefusableCapability): void {
    requireCapability(this.#driver, capability)
  }

  /** Warns that `user` was given a transport of the other kind. */
  warnUnlessKind(kind: TransportKind, user: string): void {
    if (kind === this.#kind) return
    const factory = kind === 'rpc' ? 'getRpcTransport' : 'getNotificationTransport'
    const text = `${user} was given the ${this.#kind} transport of ${this.#url.redacted}; make one with ${factory}`
    this.#logger.warn(text, ADVICE)
  }

  /** Sends one request. See `Driver.send`. Rejects with InvalidTarget when there is no topic. */
  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    if (isBlank(target.topic)) return Promise.reject(noTopicError(target))
    return this.#driver.send(target, request, options)
  }

  /** Stores one notification. See `Driver.sendNotification`. Rejects with InvalidTarget when there is no topic. */
  sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    if (isBlank(target.topic)) return Promise.reject(noTopicError(target))
    return this.#driver.sendNotification(target, notification, options)
  }

  /** Subscribes an RPC server. Rejects with InvalidTarget unless the target has a topic and a server, with ClosedError
   *  when the transport closes. */
  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    requireServerTarget(target)
    this.require('rpc')
    this.#refuseWhileClosing()
    return await this.#driver.listen(target, options)
  }

  /** Subscribes a notification listener. Rejects with InvalidTarget unless every target has a topic, with ClosedError
   *  when the transport closes. */
  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    for (const { target } of sources) requireTopic(target, 'A listener')
    this.require('notifications')
    if (options.pool !== null) this.require('pools')
    this.#refuseWhileClosing()
    return await this.#driver.listenForNotifications(sources, options)
  }

  /** Has the transport do something more when it has closed, for what was added to it. Failures are reported. */
  onClosed(work: () => Promise<void>): void {
    this.#afterwards.push(work)
  }

  /** The transport has closed. Never rejects. */
  async closed(): Promise<void> {
    for (const work of this.#afterwards.splice(0))
      await work().catch((error: unknown) =>
        emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'what was added to a transport', error })),
      )
  }

  /** A server that listens over this transport, to be drained before it closes. */
  attach(server: MessageServer): void {
    this.#servers.add(server)
  }

  detach(server: MessageServer): void {
    this.#servers.delete(server)
  }
}

/** The bus of a transport, for authors of drivers and of frameworks. */
export function busOf(transport: Transport): Bus {
  return (transport as WithBus)[BUS]
}
