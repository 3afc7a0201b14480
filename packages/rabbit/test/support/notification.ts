import type { OutgoingNotification } from '@oslo-messaging/core/driver'

/** A notification with that payload. */
export function notificationOf(payload: unknown): OutgoingNotification {
  return {
    context: {},
    message: {
      message_id: '00000000-0000-4000-8000-000000000000',
      publisher_id: 'test',
      event_type: 'test',
      priority: 'INFO',
      payload,
      timestamp: '2026-01-01 00:00:00.000000',
    },
  }
}
