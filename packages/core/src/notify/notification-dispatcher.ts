import type { IncomingNotification } from '../driver/messages.ts'
import { isPromiseLike, type Serializer } from '../serializer/serializer.ts'
import { collectCallbacks, passes } from './callbacks.ts'
import { type NotificationArguments, type NotificationEndpoint, NotificationResult } from './endpoint.ts'
import { isPriority } from './priority.ts'
import { receive } from './receive.ts'
import type { NotificationReporter } from './reporter.ts'

/** Brings one notification to the endpoints and settles it: the rules of INVENTORY L2 to L8 and L17. */
export class NotificationDispatcher {
  readonly #callbacks
  readonly #serializer: Serializer
  readonly #allowRequeue: boolean
  readonly #reporter: NotificationReporter

  constructor(
    endpoints: readonly NotificationEndpoint[],
    parts: { readonly serializer: Serializer; readonly allowRequeue: boolean; readonly reporter: NotificationReporter },
  ) {
    this.#callbacks = collectCallbacks<NotificationArguments>(endpoints)
    this.#serializer = parts.serializer
    this.#allowRequeue = parts.allowRequeue
    this.#reporter = parts.reporter
  }

  /** Priorities some endpoint has a method for. */
  get supportedPriorities(): readonly string[] {
    return [...this.#callbacks.keys()]
  }

  /** Calls every endpoint that has the method and whose filter matches, in order, until one asks for requeue; then settles the message. Never rejects. */
  async dispatch(incoming: IncomingNotification): Promise<void> {
    if (incoming.signal?.aborted) {
      this.#reporter.dropped('revoked', incoming, 'the broker has taken it away')
      return
    }
    const outcome = await this.#handle(incoming)
    if (outcome === 'settled') return
    if (outcome === NotificationResult.REQUEUE && this.#allowRequeue) incoming.requeue()
    else incoming.acknowledge()
  }

  /** `settled`: the driver has a policy for failures, and has applied it. */
  async #handle(incoming: IncomingNotification): Promise<'handled' | 'requeue' | 'settled'> {
    const reception = await receive(incoming, this.#serializer)
    if (reception.kind === 'unreadable') {
      this.#reporter.dropped('unreadable', incoming, 'it cannot be read', reception.error)
      return NotificationResult.HANDLED
    }
    const { priority, notification } = reception
    if (!isPriority(priority)) {
      this.#reporter.dropped(
        'unknown-priority',
        incoming,
        `priority ${JSON.stringify(priority.slice(0, 40))} is unknown`,
      )
      return NotificationResult.HANDLED
    }
    const { ctxt, publisherId, eventType, payload, metadata, delivery } = notification
    try {
      for (const { call, filter } of this.#callbacks.get(priority) ?? []) {
        if (!passes(filter, notification)) continue
        const answer = call(ctxt, publisherId, eventType, payload, metadata, delivery)
        const outcome = isPromiseLike(answer) ? await answer : answer
        if (outcome === NotificationResult.REQUEUE) return NotificationResult.REQUEUE
      }
      return NotificationResult.HANDLED
    } catch (error) {
      if (incoming.failed !== undefined) {
        this.#reporter.handlerFailed(error, incoming, 'settled by the policy of the driver')
        incoming.failed(error)
        return 'settled'
      }
      this.#reporter.handlerFailed(error, incoming, this.#allowRequeue ? 'requeued' : 'acknowledged')
      return NotificationResult.REQUEUE
    }
  }
}
