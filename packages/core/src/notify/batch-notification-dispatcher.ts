import type { IncomingNotification } from '../driver/messages.ts'
import { isPromiseLike, type Serializer } from '../serializer/serializer.ts'
import { collectCallbacks, passes } from './callbacks.ts'
import { type BatchNotificationEndpoint, NotificationResult, type ReceivedNotification } from './endpoint.ts'
import { isPriority } from './priority.ts'
import { receive } from './receive.ts'
import type { NotificationReporter } from './reporter.ts'

/** One message of a batch that endpoints can be given. */
interface Member {
  readonly incoming: IncomingNotification
  readonly notification: ReceivedNotification
}

/** Brings a batch to the endpoints and settles each message of it: the rules of INVENTORY L13 to L15. */
export class BatchNotificationDispatcher {
  readonly #callbacks
  readonly #serializer: Serializer
  readonly #allowRequeue: boolean
  readonly #reporter: NotificationReporter

  constructor(
    endpoints: readonly BatchNotificationEndpoint[],
    parts: { readonly serializer: Serializer; readonly allowRequeue: boolean; readonly reporter: NotificationReporter },
  ) {
    this.#callbacks = collectCallbacks<[readonly ReceivedNotification[]]>(endpoints)
    this.#serializer = parts.serializer
    this.#allowRequeue = parts.allowRequeue
    this.#reporter = parts.reporter
  }

  /** Priorities some endpoint has a method for. */
  get supportedPriorities(): readonly string[] {
    return [...this.#callbacks.keys()]
  }

  /** Splits the batch by priority and handles the parts in the alphabetical order of the priorities. Never rejects. */
  async dispatch(batch: readonly IncomingNotification[]): Promise<void> {
    const groups = await this.#group(batch)
    for (const priority of [...groups.keys()].sort()) {
      const members = groups.get(priority) ?? []
      const outcome = await this.#handle(priority, members)
      if (outcome === 'settled') continue
      const requeue = outcome === NotificationResult.REQUEUE && this.#allowRequeue
      for (const { incoming } of members)
        if (requeue) incoming.requeue()
        else incoming.acknowledge()
    }
  }

  /** Settles what no endpoint could take and sorts the rest by priority, each part in the order of arrival. */
  async #group(batch: readonly IncomingNotification[]): Promise<ReadonlyMap<string, readonly Member[]>> {
    const groups = new Map<string, Member[]>()
    for (const incoming of batch) {
      if (incoming.signal?.aborted) {
        this.#reporter.dropped('revoked', incoming, 'the broker has taken it away')
        continue
      }
      const reception = await receive(incoming, this.#serializer)
      if (reception.kind === 'unreadable') {
        this.#reporter.dropped('unreadable', incoming, 'it cannot be read', reception.error)
        incoming.acknowledge()
      } else if (isPriority(reception.priority)) {
        const group = groups.get(reception.priority)
        const member = { incoming, notification: reception.notification }
        if (group === undefined) groups.set(reception.priority, [member])
        else group.push(member)
      } else {
        const shown = JSON.stringify(reception.priority.slice(0, 40))
        this.#reporter.dropped('unknown-priority', incoming, `priority ${shown} is unknown`)
        incoming.acknowledge()
      }
    }
    return groups
  }

  /** One priority's part: REQUEUE or an exception concerns all of it, and later endpoints are skipped. */
  async #handle(priority: string, members: readonly Member[]): Promise<'handled' | 'requeue' | 'settled'> {
    try {
      for (const { call, filter } of this.#callbacks.get(priority) ?? []) {
        const wanted = members.map((member) => member.notification).filter((one) => passes(filter, one))
        if (wanted.length === 0) continue
        const answer = call(wanted)
        const outcome = isPromiseLike(answer) ? await answer : answer
        if (outcome === NotificationResult.REQUEUE) return NotificationResult.REQUEUE
      }
      return NotificationResult.HANDLED
    } catch (error) {
      const [first] = members
      if (first?.incoming.failed !== undefined) {
        this.#reporter.handlerFailed(error, first.incoming, 'settled by the policy of the driver')
        for (const { incoming } of members) incoming.failed?.(error)
        return 'settled'
      }
      if (first !== undefined)
        this.#reporter.handlerFailed(error, first.incoming, this.#allowRequeue ? 'requeued' : 'acknowledged')
      return NotificationResult.REQUEUE
    }
  }
}
