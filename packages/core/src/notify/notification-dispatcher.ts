import type { IncomingNotification } from '../driver/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { isPromiseLike } from '../util/promise.ts'
import { type Callback, collectCallbacks, passes } from './callbacks.ts'
import {
  type NotificationArguments,
  type NotificationEndpoint,
  NotificationResult,
  type ReceivedNotification,
} from './endpoint.ts'
import type { NotificationFailures } from './failures.ts'
import { isPriority } from './priority.ts'
import { type Reception, receive } from './receive.ts'
import type { ListenerParts } from './listener-parts.ts'
import { intercept, type Interceptors, type ListenOperation } from '../transport/interceptor.ts'
import type { NotificationClaims } from './notification-claims.ts'
import type { NotificationReporter } from './reporter.ts'

/** What an endpoint threw; undefined when none did. */
type Outcome = { readonly error: unknown } | undefined

/** Brings one notification to the endpoints and settles it. */
export class NotificationDispatcher {
  readonly #callbacks
  readonly #serializer: Serializer
  readonly #allowRequeue: boolean
  readonly #reporter: NotificationReporter
  readonly #parts: Pick<ListenerParts, 'interceptors' | 'driver' | 'name' | 'claims'>

  constructor(
    endpoints: readonly NotificationEndpoint[],
    parts: Pick<
      ListenerParts,
      'serializer' | 'allowRequeue' | 'reporter' | 'interceptors' | 'driver' | 'name' | 'claims'
    >,
  ) {
    this.#callbacks = collectCallbacks<NotificationArguments>(endpoints)
    this.#serializer = parts.serializer
    this.#allowRequeue = parts.allowRequeue
    this.#reporter = parts.reporter
    this.#parts = parts
  }

  /** Priorities some endpoint has a method for. */
  get supportedPriorities(): readonly string[] {
    return [...this.#callbacks.keys()]
  }

  /** Calls every endpoint that has the method and whose filter matches, in order, until one asks for requeue; then
   *  settles the message, or leaves it to the failure policy.
   *  Gives what an endpoint threw, if one did: a value when everything on the way was synchronous, for which a promise
   *  would cost each message turns of the event loop.
   *  Neither throws nor rejects. */
  dispatch(incoming: IncomingNotification, failures: NotificationFailures): Outcome | Promise<Outcome> {
    if (incoming.signal?.aborted) {
      this.#reporter.dropped('revoked', incoming, 'the broker has taken it away')
      incoming.leave?.()
      return undefined
    }
    const reception = receive(incoming, this.#serializer)
    return isPromiseLike(reception)
      ? reception.then((received) => this.#take(incoming, received, failures))
      : this.#take(incoming, reception, failures)
  }

  #take(
    incoming: IncomingNotification,
    reception: Reception,
    failures: NotificationFailures,
  ): Outcome | Promise<Outcome> {
    if (reception.kind === 'unreadable') {
      this.#reporter.dropped('unreadable', incoming, 'it cannot be read', reception.error)
      return failures.unreadable(incoming, reception.error)?.then(() => undefined)
    }
    const { priority, notification } = reception
    if (isPriority(priority)) {
      const { claims } = this.#parts
      return claims === undefined
        ? this.#handle(incoming, notification, priority, failures)
        : this.#handleOnce(claims, incoming, notification, priority, failures)
    }
    this.#reporter.dropped('unknown-priority', incoming, `priority ${JSON.stringify(priority.slice(0, 40))} is unknown`)
    incoming.acknowledge()
    return undefined
  }

  #handle(
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    priority: string,
    failures: NotificationFailures,
  ): Outcome | Promise<Outcome> {
    const { listen } = this.#parts.interceptors
    return listen === undefined
      ? this.#call(incoming, notification, this.#callbacks.get(priority) ?? [], 0, failures)
      : this.#intercept(listen, incoming, notification, priority, failures)
  }

  /** As `#handle`, unless another process has it, or has handled it. */
  async #handleOnce(
    claims: NotificationClaims,
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    priority: string,
    failures: NotificationFailures,
  ): Promise<Outcome> {
    const claim = await claims.take(incoming, failures)
    if (claim === 'again') return await this.dispatch(incoming, failures)
    return claim === 'mine' ? await this.#handle(incoming, notification, priority, failures) : undefined
  }

  /** The endpoints are done with it. */
  #succeed(incoming: IncomingNotification): undefined | Promise<undefined> {
    const told = this.#parts.claims?.done(incoming)
    const acknowledge = (): undefined => {
      incoming.acknowledge()
      return undefined
    }
    return told === undefined ? acknowledge() : told.then(acknowledge)
  }

  /** Goes through the endpoints from `first` on. */
  #call(
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    callbacks: readonly Callback<NotificationArguments>[],
    first: number,
    failures: NotificationFailures,
  ): Outcome | Promise<Outcome> {
    const { ctxt, publisherId, eventType, payload, metadata, delivery } = notification
    for (let at = first; at < callbacks.length; at += 1) {
      const callback = callbacks[at]
      if (callback === undefined) continue
      const { call, filter } = callback
      let answer: ReturnType<typeof call>
      try {
        if (!passes(filter, notification)) continue
        answer = call(ctxt, publisherId, eventType, payload, metadata, delivery)
      } catch (error) {
        return this.#fail(incoming, notification, error, failures)
      }
      if (isPromiseLike(answer))
        return Promise.resolve(answer).then(
          (outcome) =>
            outcome === NotificationResult.REQUEUE
              ? this.#requeue(incoming, failures)
              : this.#call(incoming, notification, callbacks, at + 1, failures),
          (error: unknown) => this.#fail(incoming, notification, error, failures),
        )
      if (answer === NotificationResult.REQUEUE) return this.#requeue(incoming, failures)
    }
    return this.#succeed(incoming)
  }

  /** As `#call`, inside the interceptors. */
  async #intercept(
    interceptions: NonNullable<Interceptors['listen']>,
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    priority: string,
    failures: NotificationFailures,
  ): Promise<Outcome> {
    const { driver, name } = this.#parts
    const shown = { ...notification }
    const operation: ListenOperation = { kind: 'listen', driver, listener: name, priority, notifications: [shown] }
    try {
      const outcome = await intercept(interceptions, operation, async () => {
        for (const { call, filter } of this.#callbacks.get(priority) ?? []) {
          if (!passes(filter, shown)) continue
          const { ctxt, publisherId, eventType, payload, metadata, delivery } = shown
          const answer = await call(ctxt, publisherId, eventType, payload, metadata, delivery)
          if (answer === NotificationResult.REQUEUE) return NotificationResult.REQUEUE
        }
        return NotificationResult.HANDLED
      })
      if (outcome === NotificationResult.REQUEUE) return await this.#requeue(incoming, failures)
      return await this.#succeed(incoming)
    } catch (error) {
      return await this.#fail(incoming, notification, error, failures)
    }
  }

  #requeue(incoming: IncomingNotification, failures: NotificationFailures): Outcome | Promise<Outcome> {
    if (!this.#allowRequeue) return this.#succeed(incoming)
    const handBack = (): Promise<undefined> | undefined => failures.handedBack(incoming)?.then(() => undefined)
    const released = this.#parts.claims?.release(incoming)
    return released === undefined ? handBack() : released.then(handBack)
  }

  async #fail(
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    error: unknown,
    failures: NotificationFailures,
  ): Promise<Outcome> {
    await this.#parts.claims?.release(incoming)
    const next = await failures.failed(incoming, notification, error)
    return next === 'again' ? await this.dispatch(incoming, failures) : { error }
  }
}
