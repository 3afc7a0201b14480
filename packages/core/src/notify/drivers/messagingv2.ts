import type { NotificationDriver, NotificationDriverContext } from '../notification-driver.ts'
import { createMessagingDriver } from './messaging.ts'

/** Like `messaging`, in format 2.0: the message in its envelope. */
export function messagingv2Driver(context: NotificationDriverContext): NotificationDriver {
  return createMessagingDriver(context, '2.0')
}
