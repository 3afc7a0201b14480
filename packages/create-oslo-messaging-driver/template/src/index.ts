import { DRIVER_API, type DriverDefinition, NO_CAPABILITIES } from '@oslo-messaging/core/driver'

/** `__name__://host:port/`. What stays off is refused by name; turn on what becomes true. */
export const __name__Driver: DriverDefinition = {
  name: '__name__',
  api: DRIVER_API,
  schemes: ['__name__'],
  capabilities: {
    ...NO_CAPABILITIES,
    notifications: true,
    requeue: true,
    storesBeforeListeners: true,
    ordering: 'queue',
  },
  async open(url, context) {
    // Only now, so that importing the package does not wait for a client library.
    const { __Name__Driver } = await import('./driver.js')
    return new __Name__Driver(url, context)
  },
}
export default __name__Driver
