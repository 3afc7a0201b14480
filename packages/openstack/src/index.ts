/** OpenStack on the bus: who asks (contexts), what travels (versioned objects), where services are and what they
 *  notify. */

// Contexts
export { RequestContext, type RequestContextFields } from './request-context.ts'
export { RequestContextSerializer } from './context-serializer.ts'

// Versioned objects
export {
  isVersionedObject,
  makeVersionedObject,
  readVersionedObject,
  unwrapVersionedObjects,
  type VersionedObject,
} from './versioned-object.ts'
export { PayloadMismatch, UnknownObjectVersion } from './errors.ts'

// Services
export { openstackTarget, type ServiceInterface, SERVICES } from './services.ts'

// Notifications
export {
  onNotification,
  type OnNotificationOptions,
  type OpenStackEvent,
  type OpenStackNotification,
  type OpenStackNotifications,
} from './on-notification.ts'
export { readPayload } from './read-payload.ts'
export type { ObjectFacts, ServiceFacts } from './facts/kinds.ts'
export * from './facts/nova.ts'
export * from './facts/neutron.ts'
export * from './facts/cinder.ts'
export * from './facts/keystone.ts'
export * from './facts/ironic.ts'
