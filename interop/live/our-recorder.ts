import {
  type BatchNotificationEndpoint,
  type NotificationArguments,
  type NotificationEndpoint,
  NotificationFilter,
  type NotificationFilterRules,
  type NotificationOutcome,
  NotificationResult,
  PRIORITIES,
  type Priority,
  type ReceivedNotification,
} from '@oslo-messaging/core'

import type { Inbox } from '../test/support/inbox.ts'
import type { ListenOptions, SeenBatch, SeenNotification } from './side.ts'

interface Inboxes {
  readonly notifications: Inbox<SeenNotification>
  readonly batches: Inbox<SeenBatch>
}

/** Endpoints that record what they get and answer as they are told. */
export function ourRecorder(
  inboxes: Inboxes,
  options: ListenOptions,
): { readonly single: NotificationEndpoint; readonly batched: BatchNotificationEndpoint } {
  const { priorities = PRIORITIES, requeueFirst = 0 } = options
  let left = requeueFirst
  const outcome = (): NotificationOutcome => (left-- > 0 ? NotificationResult.REQUEUE : NotificationResult.HANDLED)
  const rule = options.filter === undefined ? {} : { filterRule: new NotificationFilter(rulesOf(options.filter)) }
  const single = (priority: Priority) => {
    return (...[ctxt, publisherId, eventType, payload, metadata]: NotificationArguments): NotificationOutcome => {
      inboxes.notifications.add({ priority, ctxt: { ...ctxt }, publisherId, eventType, payload, metadata })
      return outcome()
    }
  }
  const batched = (priority: Priority) => {
    return (batch: readonly ReceivedNotification[]): NotificationOutcome => {
      const messages = batch.map(({ ctxt, delivery: _delivery, ...rest }) => ({ ...rest, ctxt: { ...ctxt } }))
      inboxes.batches.add({ priority, messages })
      return outcome()
    }
  }
  const methods = <T>(method: (priority: Priority) => T): Record<string, T> =>
    Object.fromEntries(priorities.map((priority) => [priority, method(priority)]))
  return { single: { ...rule, ...methods(single) }, batched: { ...rule, ...methods(batched) } }
}

/** The same rules by our names. */
function rulesOf(filter: NonNullable<ListenOptions['filter']>): NotificationFilterRules {
  const { publisher_id: publisherId, event_type: eventType, context, metadata, payload } = filter
  return {
    ...(publisherId === undefined ? {} : { publisherId }),
    ...(eventType === undefined ? {} : { eventType }),
    ...(context === undefined ? {} : { context }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(payload === undefined ? {} : { payload }),
  }
}
