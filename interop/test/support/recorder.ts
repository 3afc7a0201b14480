import {
  type NotificationArguments,
  type NotificationEndpoint,
  type NotificationMetadata,
  PRIORITIES,
  type Priority,
} from '@oslo-messaging/core'

import type { Inbox } from './inbox.ts'

export interface Received {
  readonly priority: Priority
  readonly ctxt: object
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
  readonly metadata: NotificationMetadata
}

/** An endpoint for every priority that puts what it gets into the inbox. */
export function recorder(inbox: Inbox<Received>, priorities: readonly Priority[] = PRIORITIES): NotificationEndpoint {
  const method =
    (priority: Priority) =>
    (...[ctxt, publisherId, eventType, payload, metadata]: NotificationArguments): void =>
      inbox.add({ priority, ctxt, publisherId, eventType, payload, metadata })
  return Object.fromEntries(priorities.map((priority) => [priority, method(priority)]))
}
