import type { TargetFields } from '@oslo-messaging/core'
import { SERVICE_ROWS } from './facts/services.ts'

/** Where one RPC interface of a service is reached, and where each fact was read. */
export interface ServiceInterface {
  readonly service: string
  /** The interface among those of the service; `notifications` for services that only notify. */
  readonly interface: string
  readonly exchange: string
  /** Null: every topic of the service (`baseapi` of nova), or none. */
  readonly topic: string | null
  readonly namespace: string | null
  /** The newest that the package version serves; null where it says none, which means 1.0. */
  readonly version: string | null
  readonly sources: readonly string[]
}

/** RPC interfaces of OpenStack services, as their current packages have them. A deployment may configure others. */
export const SERVICES: readonly ServiceInterface[] = SERVICE_ROWS

/** The target of an interface: exchange, topic and namespace. Its version is that of the package the facts come from,
 *  so give the one that you call: `{ ...openstackTarget('nova', 'conductor'), version: '3.0' }`.
 *  Throws TypeError that lists the interfaces there are. */
export function openstackTarget(service: string, name: string): TargetFields {
  const rows = SERVICES.filter((row) => row.service === service && row.topic !== null)
  const row = rows.find((each) => each.interface === name)
  if (row === undefined)
    throw new TypeError(
      rows.length === 0
        ? `${service} is no service with RPC that is known here`
        : `${service} has no interface ${name}; known are ${rows.map((each) => each.interface).join(', ')}`,
    )
  const { exchange, topic, namespace, version } = row
  return { exchange, topic, namespace, version: version ?? '1.0' }
}
