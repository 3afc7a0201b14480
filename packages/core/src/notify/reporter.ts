import { type DiagnosticEvents, emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import type { IncomingNotification } from '../driver/messages.ts'
import { errorText } from '../util/text.ts'

/** Says what went wrong where nobody waits for it: to the logger and to the diagnostics channels. Payloads and contexts
 *  are never shown. */
export class NotificationReporter {
  readonly #driver: string
  readonly #source: string
  readonly #logger: Logger

  constructor(parts: { readonly driver: string; readonly source: string; readonly logger: Logger }) {
    this.#driver = parts.driver
    this.#source = parts.source
    this.#logger = parts.logger
  }

  /** A message is settled without reaching an endpoint. */
  dropped(
    reason: DiagnosticEvents['oslo-messaging:message-dropped']['reason'],
    incoming: IncomingNotification,
    why: string,
    error?: unknown,
  ): void {
    const { uniqueId } = incoming
    this.#logger.warn(`${this.#source} dropped a notification: ${why}`, { reason, ...factsOf(incoming), error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: this.#driver,
      source: this.#source,
      reason,
      ...(error === undefined ? {} : { error }),
      ...(uniqueId === undefined ? {} : { uniqueId }),
    }))
  }

  /** It was handled before: nothing went wrong, so that nobody is warned. */
  duplicate(incoming: IncomingNotification): void {
    const { uniqueId } = incoming
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: this.#driver,
      source: this.#source,
      reason: 'duplicate',
      ...(uniqueId === undefined ? {} : { uniqueId }),
    }))
  }

  /** An endpoint, or its filter, threw. */
  handlerFailed(error: unknown, incoming: IncomingNotification, consequence: string): void {
    this.#logger.error(
      `An endpoint of ${this.#source} failed, the notification is ${consequence}: ${errorText(error)}`,
      {
        ...factsOf(incoming),
        error,
      },
    )
    this.failed(error)
  }

  /** The dead letters did not take it; it is tried again. */
  buryFailed(error: unknown, incoming: IncomingNotification): void {
    this.#logger.warn(`${this.#source} cannot move a failed notification to its dead letters: ${errorText(error)}`, {
      ...factsOf(incoming),
      error,
    })
    this.failed(error)
  }

  /** Something else failed in the background. */
  failed(error: unknown): void {
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: this.#source, error }))
  }
}

/** Enough to find the message, nothing of what it says. */
function factsOf(incoming: IncomingNotification): Readonly<Record<string, unknown>> {
  const message: Readonly<Record<string, unknown>> | null = incoming.message
  return { messageId: message?.['message_id'], eventType: message?.['event_type'] }
}
