import type { Logger } from '../diagnostics/logger.ts'
import type { MessageContext, NotificationMessage } from '../driver/messages.ts'
import type { Transport } from '../transport/transport.ts'
import type { Deadline } from '../util/deadline.ts'
import type { Priority } from './priority.ts'

/** How one notification is to be sent. */
export interface NotificationSendOptions {
  /** Bounds the sending to every topic. Carries the caller's AbortSignal. */
  readonly deadline: Deadline
  /** Attempts after the first: 0 none, null no limit but the deadline. */
  readonly retries: number | null
  /** Trace context and the like, for transport headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Notifications of one key are to stay in order. */
  readonly orderingKey?: string | undefined
}

/** Where notifications go: the `driver` option of `[oslo_messaging_notifications]` names these. Not to be confused with
 *  the transport's driver, which talks to a broker. */
export interface NotificationDriver {
  /** Takes one notification. Settles when it is where it should be; rejects when it could not be brought there.
   *  `context` is redacted and serialized, `priority` the lower-case form of `message.priority`. Source:
   *  oslo_messaging.notify.notifier.Driver. */
  notify(
    context: MessageContext,
    message: NotificationMessage,
    priority: Priority,
    options: NotificationSendOptions,
  ): Promise<void> | void
}

/** What a driver is made from, once for each notifier. */
export interface NotificationDriverContext {
  readonly transport: Transport
  readonly topics: readonly string[]
  readonly logger: Logger
  /** Makes another driver with the same context, for drivers that hand on. Throws ConfigurationError for a name nobody
   *  knows. */
  readonly create: (name: string) => NotificationDriver
}

/** Makes a notification driver, once for each notifier that names it. Throws ConfigurationError for settings it cannot
 *  use. */
export type NotificationDriverFactory = (context: NotificationDriverContext) => NotificationDriver
