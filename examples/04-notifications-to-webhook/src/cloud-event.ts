import type { OpenStackNotification } from '@oslo-messaging/openstack'

/** CloudEvents 1.0 in structured mode: one JSON text with everything in it. */
export function cloudEvent(payload: unknown, notification: OpenStackNotification): string {
  const { eventType, publisherId, context, metadata } = notification
  const event = {
    specversion: '1.0',
    // It is the same for every attempt, so that the receiver can tell a repetition from news.
    id: metadata.message_id ?? '',
    source: `/${(publisherId ?? 'unknown').replace(':', '/')}`,
    type: `org.openstack.${eventType}`,
    ...(metadata.timestamp === null ? {} : { time: `${metadata.timestamp.replace(' ', 'T')}Z` }),
    datacontenttype: 'application/json',
    projectid: context.projectId ?? undefined,
    data: payload,
  }
  // Whole numbers that are too large for a number arrive as bigint, which JSON.stringify refuses.
  return JSON.stringify(event, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}
