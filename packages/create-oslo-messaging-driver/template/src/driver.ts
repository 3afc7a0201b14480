import type * as oslo from '@oslo-messaging/core/driver'
import { encodeJson, readEnvelope, summarizeHealth, wrapEnvelope } from '@oslo-messaging/core/driver'
import { type Queue, queueOf, type StoredMessage, type Subscription } from './client/stand-in.js'

type Body = Pick<oslo.IncomingNotification, 'context' | 'message'> & { readonly headers?: Record<string, string> }

/** The wiring. A notification goes sendNotification, client; it comes client, #deliver. */
export class __Name__Driver implements oslo.Driver {
  readonly #url: oslo.TransportURL
  readonly #context: oslo.DriverContext
  readonly #listeners = new Map<oslo.Listener, oslo.ComponentHealth>()

  constructor(url: oslo.TransportURL, context: oslo.DriverContext) {
    this.#url = url
    this.#context = context
  }

  /** Core refuses RPC by name before it gets here, until `rpc` is declared. */
  async send(): Promise<never> {
    throw new Error('__name__ is notify-only')
  }

  async listen(): Promise<never> {
    throw new Error('__name__ is notify-only')
  }

  async sendNotification(
    target: oslo.Target,
    { context, message, headers }: oslo.OutgoingNotification,
    { deadline, version }: oslo.NotifyOptions,
  ): Promise<void> {
    const text = encodeJson({ context, message, ...(headers === undefined ? {} : { headers }) })
    deadline.check({ phase: 'publish', delivery: 'not-sent' })
    queueOf(this.#nameOf(target)).push(version === '2.0' ? wrapEnvelope(text) : text)
  }

  async listenForNotifications(
    sources: readonly oslo.NotificationSource[],
    { deadline, prefetch, onMessage }: oslo.NotifyListenOptions,
  ): Promise<oslo.Listener> {
    deadline.check({ phase: 'declare', delivery: 'not-sent' })
    const names = sources.map(({ target, priority }) =>
      this.#nameOf(target.with({ topic: `${target.topic}.${priority}` })),
    )
    const held = new Map<StoredMessage, Queue>()
    const subscription: Subscription = {
      queues: names.map(queueOf),
      prefetch,
      held: 0,
      onMessage: (queue, message) => {
        held.set(message, queue)
        // Of acknowledge and requeue the first counts.
        const settle = (isDone: boolean) => () => {
          if (!held.delete(message)) return
          subscription.held -= 1
          if (!isDone) queue.giveBack([message])
          for (const each of subscription.queues) each.dispatch()
        }
        onMessage({
          ...read(message),
          redelivered: message.redelivered,
          acknowledge: settle(true),
          requeue: settle(false),
        })
      },
    }
    let resolveClosed = (): void => {}
    const closed = new Promise<void>((resolve) => (resolveClosed = resolve))
    const stop = async (): Promise<void> => {
      for (const queue of subscription.queues) queue.unsubscribe(subscription)
    }
    const listener: oslo.Listener = {
      closed,
      stop,
      close: async () => {
        await stop()
        for (const queue of subscription.queues)
          queue.giveBack([...held].filter(([, from]) => from === queue).map(([message]) => message))
        held.clear()
        this.#listeners.delete(listener)
        resolveClosed()
      },
    }
    for (const queue of subscription.queues) queue.subscribe(subscription)
    const sinceMs = this.#context.clock.wallTime()
    this.#listeners.set(listener, { kind: 'listener', name: names.join(' '), state: 'consuming', sinceMs })
    return listener
  }

  health(): oslo.Health {
    return summarizeHealth([...this.#listeners.values()])
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners.keys()].map((listener) => listener.close()))
  }

  #nameOf({ topic }: oslo.Target): string {
    return `${this.#url.hosts[0]?.address ?? ''} ${topic}`
  }
}

function read({ text }: StoredMessage): Body & { readonly unreadable?: { readonly error: unknown } } {
  try {
    const body = readEnvelope(text) as Partial<Body>
    // Values are copied by the way through text, so that sender and listener share nothing.
    return { context: {}, message: {}, ...body }
  } catch (error) {
    return { context: {}, message: {}, unreadable: { error } }
  }
}
