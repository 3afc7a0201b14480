import { type DriverCapabilities, NO_CAPABILITIES } from '@oslo-messaging/core/driver'

/** `before-handler` is the default; with `kafka_commit_mode = after` a notification is acknowledged after its handler,
 *  which a driver's capabilities, known before any configuration, cannot say. Not `storesBeforeListeners`: the broker
 *  keeps everything, but with `auto_offset_reset = latest` a new group begins after it. */
export const capabilities: DriverCapabilities = Object.freeze({
  ...NO_CAPABILITIES,
  notifications: true,
  pools: true,
  deadLetters: true,
  startPositions: true,
  virtualHosts: true,
  persistence: true,
  notificationAcknowledgement: 'before-handler',
  ordering: 'partition',
})
