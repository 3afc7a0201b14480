import { type Clock, emitDiagnostic, type IncomingNotification, type Logger } from '@oslo-messaging/core/driver'
import type { Incoming } from './listener-links.ts'
import { incomingNotification } from './incoming.ts'

export interface NotificationFailuresOptions {
  readonly retries: number
  readonly delayMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly onMessage: (notification: IncomingNotification) => void
  /** Stores a copy; resolves when the peer has it. */
  readonly bury: (incoming: Incoming, attempts: number, error: unknown) => Promise<void>
}

/** Hands notifications to the listener, again when its endpoint throws, and buries those that keep failing. */
export class NotificationFailures {
  readonly #options: NotificationFailuresOptions
  readonly #waiting = new Set<unknown>()
  #isStopped = false

  constructor(options: NotificationFailuresOptions) {
    this.#options = options
  }

  /** Throws SerializationError when it cannot be read. */
  give(incoming: Incoming, attempt = 1): void {
    const notification = incomingNotification(incoming)
    const failed = (error: unknown): void => this.#failed(incoming, attempt, error)
    const again = attempt === 1 ? {} : { redelivered: true, deliveryCount: attempt - 1 }
    this.#options.onMessage(Object.assign(notification, { failed, ...again }))
  }

  /** Nothing is handed out any more; what waits for its next attempt stays unsettled. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#waiting) this.#options.clock.clearTimeout(timer)
    this.#waiting.clear()
  }

  #failed(incoming: Incoming, attempt: number, error: unknown): void {
    const { retries, delayMs, clock } = this.#options
    if (attempt > retries) return void this.#bury(incoming, attempt, error)
    if (this.#isStopped) return incoming.release()
    const timer = clock.setTimeout(() => {
      this.#waiting.delete(timer)
      // The peer gives it to somebody else.
      if (!incoming.signal.aborted) this.give(incoming, attempt + 1)
    }, delayMs)
    this.#waiting.add(timer)
  }

  async #bury(incoming: Incoming, attempts: number, error: unknown): Promise<void> {
    try {
      await this.#options.bury(incoming, attempts, error)
      incoming.accept()
    } catch (failure) {
      this.#options.logger.warn('A failed notification cannot be moved to its dead letters', { error: failure })
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'amqp dead letters', error: failure }))
      incoming.release()
    }
  }
}
