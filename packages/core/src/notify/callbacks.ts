import { checkList } from '../util/check.ts'
import type { NotificationOutcome } from './endpoint.ts'
import type { NotificationFilter } from './filter.ts'
import { PRIORITIES, type Priority } from './priority.ts'
import type { ReceivedNotification } from './endpoint.ts'

/** A method of an endpoint and the filter in front of it. */
export interface Callback<Parameters extends readonly unknown[]> {
  readonly call: (...parameters: Parameters) => NotificationOutcome | PromiseLike<NotificationOutcome>
  readonly filter: NotificationFilter | undefined
}

export type CallbacksByPriority<Parameters extends readonly unknown[]> = ReadonlyMap<
  string,
  readonly Callback<Parameters>[]
>

/** The methods endpoints have for priorities, in the order of the endpoints. Methods are looked up now: what is added
 *  later is not seen.
 *  Throws TypeError for something that is no endpoint, a filterRule that is no NotificationFilter, and when no endpoint
 *  has any such method. */
export function collectCallbacks<Parameters extends readonly unknown[]>(
  endpoints: readonly object[],
): CallbacksByPriority<Parameters> {
  checkList('The endpoints of a notification listener', endpoints, '[{ info(...) {} }]')
  const callbacks = new Map<string, Callback<Parameters>[]>()
  for (const endpoint of endpoints) {
    const filter = filterOf(endpoint)
    for (const priority of PRIORITIES) {
      const method: unknown = (endpoint as Partial<Record<Priority, unknown>>)[priority]
      if (typeof method !== 'function') continue
      const call = method.bind(endpoint) as Callback<Parameters>['call']
      callbacks.set(priority, [...(callbacks.get(priority) ?? []), { call, filter }])
    }
  }
  if (callbacks.size === 0)
    throw new TypeError(`No endpoint has a method for a priority: add one of ${PRIORITIES.join(', ')}`)
  return callbacks
}

/** Whether the filter, where there is one, lets the notification through. Throws what the filter throws. */
export function passes(filter: NotificationFilter | undefined, notification: ReceivedNotification): boolean {
  if (filter === undefined) return true
  const { ctxt, publisherId, eventType, metadata, payload } = notification
  return filter.match(ctxt, publisherId, eventType, metadata, payload)
}

function filterOf(endpoint: object): NotificationFilter | undefined {
  if (typeof endpoint !== 'object' || endpoint === null)
    throw new TypeError('A notification endpoint must be an object')
  const rule: unknown = 'filterRule' in endpoint ? endpoint.filterRule : undefined
  if (rule === undefined || rule === null) return undefined
  // Structural, because two copies of the library may meet.
  if (typeof rule === 'object' && 'match' in rule && typeof rule.match === 'function') return rule as NotificationFilter
  throw new TypeError('filterRule of a notification endpoint must be a NotificationFilter')
}
