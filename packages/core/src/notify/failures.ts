import { failureFacts } from '../driver/failure.ts'
import type { IncomingNotification } from '../driver/messages.ts'
import { isMessagingError } from '../errors.ts'
import type { Clock } from '../util/clock.ts'
import type { ReceivedNotification } from './endpoint.ts'
import { type FailureAction, type ResolvedFailurePolicy, waitAfter } from './failure-policy.ts'
import type { NotificationReporter } from './reporter.ts'

export interface NotificationFailuresOptions {
  readonly policy: ResolvedFailurePolicy
  readonly allowRequeue: boolean
  readonly clock: Clock
  readonly reporter: NotificationReporter
  /** Handles a notification again that was kept; its earlier attempts are remembered here. */
  readonly again: (incoming: IncomingNotification) => void
  /** Returns a notification that nobody handles any more to the broker; undefined: the broker has forgotten it, so it
   *  must be handled. */
  readonly handBack: (incoming: IncomingNotification) => (() => void) | undefined
  /** Ends the listener for good. */
  readonly end: (error: unknown) => void
}

/** What the caller, who holds the worker, does next: handle the notification again at once, or go on to the next
 *  one. */
export type AfterFailure = 'again' | 'done'

/** Waits between attempts to move a notification to the dead letters, milliseconds. */
const BURY_WAITS = { initialMs: 1000, factor: 2, maxMs: 30_000 }

interface Kept {
  readonly timer: unknown
  /** Ends the wait early. */
  readonly wake: () => void
}

/** Applies a failure policy: counts attempts, waits, and settles what no attempt could handle. One for each
 *  listener. */
export class NotificationFailures {
  readonly #options: NotificationFailuresOptions
  /** Failed attempts of this process, by delivery. */
  readonly #attempts = new WeakMap<IncomingNotification, number>()
  readonly #kept = new Set<Kept>()
  #isStopped = false

  constructor(options: NotificationFailuresOptions) {
    this.#options = options
  }

  /** An endpoint threw. Settles the notification, or keeps it for another attempt. A delivery with an ordering key
   *  holds its worker meanwhile, so that what is behind it stays behind it; others free theirs. Never rejects. */
  async failed(
    incoming: IncomingNotification,
    notification: ReceivedNotification,
    error: unknown,
  ): Promise<AfterFailure> {
    const { policy, reporter } = this.#options
    const attempts = this.#countFailure(incoming)
    const isLast = attempts >= policy.attempts || !policy.retryIf(error, notification)
    if (isLast && policy.then !== 'pause') {
      reporter.handlerFailed(error, incoming, this.#consequence(policy.then))
      return await this.#settle(incoming, attempts, error)
    }
    const waitMs = waitAfter(policy.backoff, attempts)
    reporter.handlerFailed(error, incoming, `tried again after ${waitMs} ms (attempt ${attempts + 1})`)
    return await this.#tryLater(incoming, attempts, error, waitMs)
  }

  /** A notification that no endpoint can be given: buried where failures are, refused otherwise. Never rejects. */
  unreadable(incoming: IncomingNotification, error: unknown): Promise<void> | undefined {
    if (this.#options.policy.then === 'dead-letter') return this.#bury(incoming, 1, error)
    refuse(incoming)
    return undefined
  }

  /** An endpoint handed it back. Gives a promise when a worker has to wait for the return. */
  handedBack(incoming: IncomingNotification): Promise<void> | undefined {
    return this.#requeue(incoming, this.#countFailure(incoming))
  }

  /** Another process has it: it is looked at again after the time, unsettled meanwhile. `gone`: the listener has
   *  stopped and the broker has forgotten it, so there is nothing to do. Never rejects. */
  async held(incoming: IncomingNotification, waitMs: number): Promise<AfterFailure | 'gone'> {
    if (this.#isStopped && this.#options.handBack(incoming) === undefined) return 'gone'
    return await this.#keep(incoming, waitMs)
  }

  /** The listener stops: what is kept is handed back now, or handled at once where the broker has forgotten it. */
  stop(): void {
    this.#isStopped = true
    for (const { wake } of this.#kept) wake()
  }

  #countFailure(incoming: IncomingNotification): number {
    const attempts = (this.#attempts.get(incoming) ?? incoming.failedAttempts ?? 0) + 1
    this.#attempts.set(incoming, attempts)
    return attempts
  }

  #consequence(action: FailureAction): string {
    switch (action) {
      case 'dead-letter':
        return 'moved to the dead letters'
      case 'discard':
        return 'refused'
      case 'requeue':
        return 'requeued'
      case 'stop':
        return 'requeued, and the listener ends'
      default:
        return this.#options.allowRequeue ? 'requeued' : 'acknowledged'
    }
  }

  async #settle(incoming: IncomingNotification, attempts: number, error: unknown): Promise<AfterFailure> {
    const { policy, allowRequeue, end } = this.#options
    switch (policy.then) {
      case 'dead-letter':
        await this.#bury(incoming, attempts, error)
        return 'done'
      case 'discard':
        refuse(incoming)
        return 'done'
      case 'stop':
        this.#options.handBack(incoming)?.()
        end(error)
        return 'done'
      case 'requeue':
        await this.#requeue(incoming, attempts)
        return 'done'
      default:
        if (allowRequeue) await this.#requeue(incoming, attempts)
        else incoming.acknowledge()
        return 'done'
    }
  }

  /** A notification that comes again at once, fails again and is handed back again would keep a processor busy: only
   *  the first return is immediate. */
  #requeue(incoming: IncomingNotification, attempts: number): Promise<void> | undefined {
    const before = Math.max(attempts - 1, incoming.deliveryCount ?? 0, incoming.redelivered === true ? 1 : 0)
    if (before === 0) {
      incoming.requeue()
      return undefined
    }
    const waited = this.#wait(incoming, waitAfter(this.#options.policy.backoff, before)).then(() => incoming.requeue())
    // Only an order is worth a worker.
    return incoming.orderingKey === undefined ? undefined : waited
  }

  async #tryLater(
    incoming: IncomingNotification,
    attempts: number,
    error: unknown,
    waitMs: number,
  ): Promise<AfterFailure> {
    if (incoming.retryLater !== undefined && this.#options.policy.then !== 'pause') {
      try {
        await incoming.retryLater(waitMs, failureFacts(attempts, error))
        return 'done'
      } catch (failure) {
        this.#options.reporter.failed(failure)
      }
    }
    return await this.#keep(incoming, waitMs)
  }

  /** Handles it again after the time, or hands it back when the listener stops before. */
  async #keep(incoming: IncomingNotification, waitMs: number): Promise<AfterFailure> {
    const again = async (): Promise<AfterFailure> => {
      await this.#wait(incoming, waitMs)
      if (incoming.signal?.aborted) {
        incoming.leave?.()
        return 'done'
      }
      const handBack = this.#isStopped ? this.#options.handBack(incoming) : undefined
      handBack?.()
      return handBack === undefined ? 'again' : 'done'
    }
    if (incoming.orderingKey !== undefined) return await again()
    void again().then((next) => {
      if (next === 'again') this.#options.again(incoming)
    })
    return 'done'
  }

  /** Tries until the broker has it; hands it back when the listener stops before that. */
  async #bury(incoming: IncomingNotification, attempts: number, error: unknown): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await incoming.bury?.(failureFacts(attempts, error))
        return
      } catch (failure) {
        this.#options.reporter.buryFailed(failure, incoming)
        // Bytes of which no copy can be made will not become better.
        if (isMessagingError(failure, 'SERIALIZATION')) return refuse(incoming)
      }
      if (!this.#isStopped) await this.#wait(incoming, waitAfter(BURY_WAITS, tries))
      if (incoming.signal?.aborted) return incoming.leave?.()
      if (this.#isStopped) return this.#options.handBack(incoming)?.()
    }
  }

  /** Resolves after the time, when the listener stops, or when the broker has taken the delivery away. */
  async #wait(incoming: IncomingNotification, waitMs: number): Promise<void> {
    const { clock } = this.#options
    const { signal } = incoming
    if (this.#isStopped || signal?.aborted === true) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clock.clearTimeout(kept.timer)
        signal?.removeEventListener('abort', wake)
        this.#kept.delete(kept)
        resolve()
      }
      const kept: Kept = { timer: clock.setTimeout(wake, waitMs), wake }
      this.#kept.add(kept)
      signal?.addEventListener('abort', wake)
    })
  }
}

function refuse(incoming: IncomingNotification): void {
  if (incoming.discard === undefined) incoming.acknowledge()
  else incoming.discard()
}
