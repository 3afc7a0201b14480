import type { NotificationDriver } from '../notification-driver.ts'

/** Lets every notification go. */
export function noopDriver(): NotificationDriver {
  return { notify() {} }
}
