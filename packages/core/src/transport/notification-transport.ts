import { isSet, openTransport, readMakerInput, type TransportOptions } from './open-transport.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import { Transport, type TransportParts } from './transport.ts'

/** A bus for notifications. */
export class NotificationTransport extends Transport {
  constructor(parts: TransportParts) {
    super('notification', parts)
  }
}

/** Opens the transport for notifications that `url`, `[oslo_messaging_notifications] transport_url` or `[DEFAULT]
 *  transport_url` names, in this order.
 *  Connects when it is first used. Without a configuration, `getNotificationTransport({ url })`, every option has its
 *  default. Rejects like `getRpcTransport`. Source: get_notification_transport. */
export async function getNotificationTransport(
  conf: MessagingConfig,
  options?: TransportOptions,
): Promise<NotificationTransport>
export async function getNotificationTransport(options: TransportOptions): Promise<NotificationTransport>
export async function getNotificationTransport(
  first: MessagingConfig | TransportOptions,
  second?: TransportOptions,
): Promise<NotificationTransport> {
  const { conf, options } = await readMakerInput(first, second)
  const configured = (each: MessagingConfig): string | null => {
    const own = each.get('oslo_messaging_notifications', 'transport_url')
    return isSet(own) ? own : each.get('DEFAULT', 'transport_url')
  }
  return new NotificationTransport(await openTransport(conf, options, configured, 'notifications'))
}
