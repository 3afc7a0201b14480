import type { MessageContext, NotificationMessage } from '../../driver/messages.ts'
import type { NotificationDriver } from '../notification-driver.ts'
import type { Priority } from '../priority.ts'

/** One notification as the driver `test` was given it. */
export interface RecordedNotification {
  readonly context: MessageContext
  readonly message: NotificationMessage
  readonly priority: Priority
  /** Attempts after the first; null without limit. */
  readonly retries: number | null
}

// A list of the module, as in oslo: the configuration names this driver, so a test has no instance to ask.
let recorded: RecordedNotification[] = []

/** What the driver `test` has been given since the last reset, oldest first. */
export function recordedNotifications(): readonly RecordedNotification[] {
  return [...recorded]
}

/** Forgets what was recorded. */
export function resetRecordedNotifications(): void {
  recorded = []
}

/** Keeps every notification for tests to look at. */
export function testDriver(): NotificationDriver {
  return {
    notify(context, message, priority, { retries }) {
      recorded.push({ context, message, priority, retries })
    },
  }
}
