import { randomUUID } from 'node:crypto'
import {
  type ComponentHealth,
  type Driver,
  type DriverContext,
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
} from '@oslo-messaging/core/driver'
import { JetStream } from './client/jet-stream.ts'
import type { NatsOptions } from './config.ts'
import { Connection, linkOptionsOf } from './connection/connection.ts'
import { NotificationListener } from './receive/notification-listener.ts'
import { Caller } from './rpc/caller.ts'
import { HandBack } from './rpc/hand-back.ts'
import { RequestListener } from './rpc/request-listener.ts'
import { Publisher } from './send/publisher.ts'
import { outstandingLimitOf, Sender } from './send/sender.ts'
import type { LoginFiles } from './settings.ts'
import { Names } from './topology/names.ts'

/** Longest time that a closing driver offers requests it had not begun to other servers. */
const LAST_OFFER_MS = 1000

/** One NATS, wired: a call goes rpc/caller, send/sender, client/link; a request comes client/link,
 *  rpc/request-listener, rpc/request. A notification goes send/publisher, send/sender, client/link; it comes
 *  receive/source, receive/notification-listener, receive/delivery. */
export class NatsDriver implements Driver {
  readonly #context: DriverContext<NatsOptions>
  readonly #connection: Connection
  readonly #names: Names
  readonly #sender: Sender
  readonly #caller: Caller
  readonly #publisher: Publisher
  readonly #jetStream: JetStream
  readonly #handBack: HandBack
  readonly #listeners = new Set<RequestListener | NotificationListener>()
  #isClosed = false

  constructor(url: TransportURL, context: DriverContext<NatsOptions>, files: LoginFiles) {
    const { options, clock, defaultExchange } = context
    const inbox = `_INBOX.${randomUUID()}`
    this.#context = context
    this.#names = new Names({ prefix: options.subject_prefix, virtualHost: url.virtualHost, defaultExchange })
    this.#connection = new Connection({
      url,
      context,
      link: linkOptionsOf(context, files),
      inbox,
      onAnswer: (token, arrival) => {
        if (!this.#sender.onAnswer(token, arrival) && arrival.status === 0) this.#caller.onAnswer(token, arrival)
      },
    })
    this.#sender = new Sender(this.#connection, inbox, clock, outstandingLimitOf(options))
    this.#jetStream = new JetStream(options)
    this.#caller = new Caller(this.#sender, this.#names, inbox, context)
    this.#publisher = new Publisher(this.#sender, this.#jetStream, this.#names, clock)
    this.#handBack = new HandBack(this.#sender, context)
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    return await this.#caller.send(target, request, options)
  }

  async sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    await this.#publisher.publish(target, notification, options)
  }

  async listen(target: Target, options: ListenOptions): Promise<Listener> {
    const listener: RequestListener = new RequestListener(target, options, {
      connection: this.#connection,
      sender: this.#sender,
      handBack: this.#handBack,
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
    const listener: NotificationListener = new NotificationListener(sources, options, {
      connection: this.#connection,
      jetStream: this.#jetStream,
      publisher: this.#publisher,
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
    this.#caller.close()
    const isHurried = signal?.aborted === true || this.#connection.link === undefined
    const cut = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    const orderly = async (): Promise<void> => {
      await Promise.all([...this.#listeners].map((listener) => listener.close()))
      await this.#handBack.close(LAST_OFFER_MS)
    }
    if (isHurried) void orderly()
    else await Promise.race([orderly(), cut])
    await this.#connection.close(isHurried ? AbortSignal.abort() : signal)
  }

  async #begin<Kind extends RequestListener | NotificationListener>(
    listener: Kind,
    { deadline }: { readonly deadline: ListenOptions['deadline'] },
  ): Promise<Kind> {
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
