import type { IncomingNotification } from '../driver/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { isPromiseLike } from '../util/promise.ts'
import { collectCallbacks, passes } from './callbacks.ts'
import { type BatchNotificationEndpoint, NotificationResult, type ReceivedNotification } from './endpoint.ts'
import type { NotificationFailures } from './failures.ts'
import { isPriority } from './priority.ts'
import { receive } from './receive.ts'
import type { ListenerParts } from './listener-parts.ts'
import { intercept, type ListenOperation } from '../transport/interceptor.ts'
import type { NotificationReporter } from './reporter.ts'

/** One message of a batch that endpoints can be given. */
interface Member {
  readonly incoming: IncomingNotification
  readonly notification: ReceivedNotification
  readonly priority: string
}

/** Brings a batch to the endpoints and settles each message of it. */
export class BatchNotificationDispatcher {
  readonly #callbacks
  readonly #serializer: Serializer
  readonly #allowRequeue: boolean
  readonly #reporter: NotificationReporter
  readonly #parts: Pick<ListenerParts, 'interceptors' | 'driver' | 'name' | 'claims'>

  constructor(
    endpoints: readonly BatchNotificationEndpoint[],
    parts: Pick<
      ListenerParts,
      'serializer' | 'allowRequeue' | 'reporter' | 'interceptors' | 'driver' | 'name' | 'claims'
    >,
  ) {
    this.#callbacks = collectCallbacks<[readonly ReceivedNotification[]]>(endpoints)
    this.#serializer = parts.serializer
    this.#allowRequeue = parts.allowRequeue
    this.#reporter = parts.reporter
    this.#parts = parts
  }

  /** Priorities some endpoint has a method for. */
  get supportedPriorities(): readonly string[] {
    return [...this.#callbacks.keys()]
  }

  /** Splits the batch by priority and handles the parts in the alphabetical order of the priorities. Resolves with what
   *  the last failing part threw. Never rejects. */
  async dispatch(
    batch: readonly IncomingNotification[],
    failures: NotificationFailures,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { groups, again } = await this.#group(batch, failures)
    let failure: { readonly error: unknown } | undefined
    for (const priority of [...groups.keys()].sort()) {
      const members = groups.get(priority) ?? []
      failure = (await this.#handle(priority, members, failures)) ?? failure
    }
    return again.length === 0 ? failure : ((await this.dispatch(again, failures)) ?? failure)
  }

  /** Settles what no endpoint could take and sorts the rest by priority, each part in the order of arrival. `again`:
   *  what another process had a while ago. */
  async #group(
    batch: readonly IncomingNotification[],
    failures: NotificationFailures,
  ): Promise<{
    readonly groups: ReadonlyMap<string, readonly Member[]>
    readonly again: readonly IncomingNotification[]
  }> {
    const received: Member[] = []
    for (const incoming of batch) {
      if (incoming.signal?.aborted) {
        this.#reporter.dropped('revoked', incoming, 'the broker has taken it away')
        incoming.leave?.()
        continue
      }
      const reception = await receive(incoming, this.#serializer)
      if (reception.kind === 'unreadable') {
        this.#reporter.dropped('unreadable', incoming, 'it cannot be read', reception.error)
        await failures.unreadable(incoming, reception.error)
      } else if (isPriority(reception.priority)) {
        received.push({ incoming, notification: reception.notification, priority: reception.priority })
      } else {
        const shown = JSON.stringify(reception.priority.slice(0, 40))
        this.#reporter.dropped('unknown-priority', incoming, `priority ${shown} is unknown`)
        incoming.acknowledge()
      }
    }
    const { claims } = this.#parts
    const taken = await Promise.all(
      received.map(async ({ incoming }) => (await claims?.take(incoming, failures)) ?? 'mine'),
    )
    const groups = new Map<string, Member[]>()
    for (const [index, member] of received.entries()) {
      if (taken[index] !== 'mine') continue
      const group = groups.get(member.priority)
      if (group === undefined) groups.set(member.priority, [member])
      else group.push(member)
    }
    const again = received.flatMap(({ incoming }, index) => (taken[index] === 'again' ? [incoming] : []))
    return { groups, again }
  }

  /** One priority's part, settled at the end: REQUEUE or an exception concerns all of it, and later endpoints are
   *  skipped. */
  async #handle(
    priority: string,
    members: readonly Member[],
    failures: NotificationFailures,
  ): Promise<{ readonly error: unknown } | undefined> {
    try {
      const outcome = await this.#call(priority, members)
      const isHandedBack = outcome === NotificationResult.REQUEUE && this.#allowRequeue
      const { claims } = this.#parts
      if (claims !== undefined)
        await Promise.all(
          members.map(async ({ incoming }) => await (isHandedBack ? claims.release(incoming) : claims.done(incoming))),
        )
      for (const { incoming } of members)
        if (isHandedBack) await failures.handedBack(incoming)
        else incoming.acknowledge()
      return undefined
    } catch (error) {
      return await this.#fail(members, error, failures)
    }
  }

  /** Rejects with what the first endpoint throws, or an interceptor. */
  async #call(priority: string, members: readonly Member[]): Promise<'handled' | 'requeue'> {
    const { interceptors, driver, name } = this.#parts
    const { listen } = interceptors
    if (listen === undefined)
      return await this.#callAll(
        priority,
        members.map(({ notification }) => notification),
      )
    const shown = members.map(({ notification }) => ({ ...notification }))
    const operation: ListenOperation = { kind: 'listen', driver, listener: name, priority, notifications: shown }
    return await intercept(listen, operation, () => this.#callAll(priority, shown))
  }

  async #callAll(priority: string, notifications: readonly ReceivedNotification[]): Promise<'handled' | 'requeue'> {
    for (const { call, filter } of this.#callbacks.get(priority) ?? []) {
      const wanted = notifications.filter((one) => passes(filter, one))
      if (wanted.length === 0) continue
      const answer = call(wanted)
      const outcome = isPromiseLike(answer) ? await answer : answer
      if (outcome === NotificationResult.REQUEUE) return NotificationResult.REQUEUE
    }
    return NotificationResult.HANDLED
  }

  /** Applies the policy to each message of the part; those that are to be handled again at once are, together. */
  async #fail(
    members: readonly Member[],
    error: unknown,
    failures: NotificationFailures,
  ): Promise<{ readonly error: unknown }> {
    const next = await Promise.all(
      members.map(async ({ incoming, notification }) => {
        await this.#parts.claims?.release(incoming)
        return await failures.failed(incoming, notification, error)
      }),
    )
    const again = members.filter((_member, index) => next[index] === 'again')
    return again.length === 0
      ? { error }
      : ((await this.dispatch(
          again.map(({ incoming }) => incoming),
          failures,
        )) ?? { error })
  }
}
