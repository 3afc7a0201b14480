import {
  type NotificationArguments,
  type NotificationDelivery,
  type NotificationEndpoint,
  NotificationFilter,
  type NotificationMetadata,
  type NotificationOutcome,
  type Priority,
} from '@oslo-messaging/core'
import { CINDER, type CinderNotifications } from './facts/cinder.ts'
import { IRONIC, type IronicNotifications } from './facts/ironic.ts'
import { KEYSTONE, type KeystoneNotifications } from './facts/keystone.ts'
import type { ServiceFacts } from './facts/kinds.ts'
import { NEUTRON, type NeutronNotifications } from './facts/neutron.ts'
import { NOVA, type NovaNotifications } from './facts/nova.ts'
import { readPayload } from './read-payload.ts'
import { RequestContext } from './request-context.ts'

/** Event type to payload, of every service in the catalogue. */
export interface OpenStackNotifications
  extends NovaNotifications, NeutronNotifications, CinderNotifications, KeystoneNotifications, IronicNotifications {}

/** An event type of the catalogue. */
export type OpenStackEvent = keyof OpenStackNotifications

/** What a handler is told beside the payload. */
export interface OpenStackNotification<Event extends OpenStackEvent = OpenStackEvent> {
  readonly eventType: Event
  readonly publisherId: string | null
  readonly context: RequestContext
  readonly metadata: NotificationMetadata
  readonly delivery: NotificationDelivery
  /** The payload as it arrived: versioned objects in their wire form. */
  readonly raw: unknown
}

/** Settings of `onNotification`. */
export interface OnNotificationOptions {
  /** Priorities to subscribe to. Default `info`, `warn`, `error`: those that the catalogue's events are sent with. */
  readonly priorities?: readonly Priority[]
}

const SERVICES: readonly ServiceFacts[] = [NOVA, NEUTRON, CINDER, KEYSTONE, IRONIC]
const DEFAULT_PRIORITIES: readonly Priority[] = ['info', 'warn', 'error']

/** An endpoint for a notification listener: calls `handler` for one event type, or a few, with the payload checked and
 *  unwrapped.
 *
 *  ```ts
 *  getNotificationListener(bus, [{ exchange: 'nova', topic: 'versioned_notifications' }], [
 *    onNotification('instance.create.end', (payload) => console.log(payload.uuid, payload.flavor.vcpus)),
 *  ])
 *  ```
 *
 *  A payload that does not fit throws PayloadMismatch, or UnknownObjectVersion, before the handler is called: the
 *  listener's failure policy decides what becomes of the notification. Throws TypeError for an event that the catalogue
 *  does not have. */
export function onNotification<Event extends OpenStackEvent>(
  events: Event | readonly Event[],
  handler: (
    payload: OpenStackNotifications[Event],
    notification: OpenStackNotification<Event>,
  ) => NotificationOutcome | PromiseLike<NotificationOutcome>,
  { priorities = DEFAULT_PRIORITIES }: OnNotificationOptions = {},
): NotificationEndpoint {
  const names: readonly Event[] = typeof events === 'string' ? [events] : events
  const known = new Map(names.map((event) => [event as string, factsOf(event)]))
  const handle = (
    ...[ctxt, publisherId, eventType, raw, metadata, delivery]: NotificationArguments
  ): NotificationOutcome | PromiseLike<NotificationOutcome> => {
    const facts = known.get(String(eventType))
    if (facts === undefined) return
    const payload: unknown = readPayload(facts, facts.events[String(eventType)] ?? '', raw)
    const context = ctxt instanceof RequestContext ? ctxt : RequestContext.fromDict(ctxt)
    // The table says of the payload what the type says: both are made from the same facts.
    return handler(payload as OpenStackNotifications[Event], {
      eventType: eventType as Event,
      publisherId,
      context,
      metadata,
      delivery,
      raw,
    })
  }
  return {
    filterRule: new NotificationFilter({ eventType: new RegExp(`(?:${names.map(escaped).join('|')})$`) }),
    ...Object.fromEntries(priorities.map((priority) => [priority, handle])),
  }
}

function factsOf(event: string): ServiceFacts {
  const facts = SERVICES.find((each) => Object.hasOwn(each.events, event))
  if (facts === undefined)
    throw new TypeError(`No service of the catalogue notifies ${event}: use an endpoint of core for it`)
  return facts
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`)
}
