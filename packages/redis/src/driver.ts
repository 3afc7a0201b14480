import { randomUUID } from 'node:crypto'
import {
  type ComponentHealth,
  type Driver,
  type DriverContext,
  encodeJson,
  type Health,
  type Listener,
  type ListenOptions,
  type NotificationSource,
  type NotifyListenOptions,
  type NotifyOptions,
  type OutgoingNotification,
  type OutgoingRequest,
  type RPCReply,
  type SendOptions,
  summarizeHealth,
  type Target,
  type TransportURL,
  wrapEnvelope,
} from '@oslo-messaging/core/driver'
import type { RedisOptions } from './config.ts'
import { Connection, linkOptionsOf } from './connection/connection.ts'
import type { StreamListener } from './receive/listener.ts'
import { listenForNotifications } from './receive/notifications.ts'
import { Caller } from './rpc/caller.ts'
import { listenForRequests } from './rpc/requests.ts'
import { keptBy, Sender, senderLimitsOf } from './send/sender.ts'
import type { Settings } from './settings.ts'
import { Names } from './topology/names.ts'
import { FIELDS, writeHeaders } from './wire/fields.ts'

/** One Redis, wired: a call goes rpc/caller, send/sender, client/link; a request comes client/link, receive/intake,
 *  rpc/requests, rpc/request, and its reply rpc/replies. A notification goes send/sender, client/link; it comes
 *  receive/intake, receive/notifications, receive/delivery. */
export class RedisDriver implements Driver {
  readonly #context: DriverContext<RedisOptions>
  readonly #connection: Connection
  readonly #names: Names
  readonly #sender: Sender
  readonly #caller: Caller
  readonly #listeners = new Set<StreamListener>()
  #isClosed = false

  constructor(url: TransportURL, context: DriverContext<RedisOptions>, settings: Settings) {
    const { options, clock, defaultExchange } = context
    this.#context = context
    this.#names = new Names(options.key_prefix, defaultExchange)
    this.#caller = new Caller(
      () => this.#connection,
      () => this.#sender,
      this.#names,
      context,
    )
    this.#connection = new Connection({
      url,
      context,
      link: linkOptionsOf(context, settings),
      onOpened: (link) => this.#caller.onOpened(link),
    })
    const numbers = this.#names.numbers(randomUUID())
    this.#sender = new Sender(this.#connection, clock, numbers, senderLimitsOf(options))
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    return await this.#caller.send(target, request, options)
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { context, message, headers } = notification
    const { version, deadline, retries } = options
    const text = encodeJson({ context, message })
    const fields = { [FIELDS.body]: version === '2.0' ? wrapEnvelope(text) : text, ...writeHeaders(headers) }
    const maxAge = this.#context.options.stream_max_age
    const trim = keptBy(maxAge === 0 ? null : maxAge * 1000)
    await this.#sender.add(
      { stream: this.#names.notification(target), fields },
      { deadline, retries, makes: true, trim },
    )
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const listener: StreamListener = listenForRequests(target, options, {
      connection: this.#connection,
      sender: this.#sender,
      names: this.#names,
      context: this.#context,
      onClose: () => this.#listeners.delete(listener),
    })
    return await this.#begin(listener, options)
  }

  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    const listener: StreamListener = listenForNotifications(sources, options, {
      connection: this.#connection,
      sender: this.#sender,
      names: this.#names,
      context: this.#context,
      onClose: () => this.#listeners.delete(listener),
    })
    return await this.#begin(listener, options)
  }

  health(): Health {
    const listeners = [...this.#listeners].map(({ supervisor, name }): ComponentHealth =>
      supervisor.health('listener', name, this.#connection.host),
    )
    return summarizeHealth([...this.#connection.health, ...listeners])
  }

  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const isHurried = signal?.aborted === true || this.#connection.link === undefined
    const cut = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    const orderly = async (): Promise<void> => {
      await Promise.all([this.#caller.close(), ...[...this.#listeners].map((listener) => listener.close())])
    }
    if (isHurried) void orderly()
    else await Promise.race([orderly(), cut])
    await this.#connection.close(isHurried ? AbortSignal.abort() : signal)
  }

  async #begin(listener: StreamListener, { deadline }: Pick<ListenOptions, 'deadline'>): Promise<StreamListener> {
    this.#listeners.add(listener)
    try {
      await listener.supervisor.ready(deadline, { phase: 'declare', delivery: 'not-sent' })
      return listener
    } catch (error) {
      // What holds it up may hold up its end as well, and the caller's time is over.
      void listener.close()
      throw error
    }
  }
}
