import type { TopologyUse } from '@oslo-messaging/core/driver'

/** Regular expressions of `rabbitmqctl set_permissions`. */
export interface Permissions {
  readonly configure: string
  readonly write: string
  readonly read: string
}

/** The least rights of a login that does all of this; docs/operations/security.md has the same table. `uses` are with
 *  their exchange. */
export function permissionsOf(uses: readonly (TopologyUse & { readonly exchange: string })[]): Permissions {
  const needed = uses.map(rightsOf)
  const pattern = (right: keyof Permissions): string => {
    const names = [...new Set(needed.flatMap((each) => each[right]))]
    return names.length === 1 ? `^${names[0]}$` : `^(${names.join('|')})$`
  }
  return { configure: pattern('configure'), write: pattern('write'), read: pattern('read') }
}

function rightsOf({
  role,
  target,
  pool,
  exchange: name,
}: TopologyUse & { readonly exchange: string }): Readonly<Record<keyof Permissions, readonly string[]>> {
  const [exchange, topic] = [escaped(name), escaped(target.topic ?? '')]
  switch (role) {
    case 'rpc-server': {
      const own = [exchange, `${topic}(\\..*|_fanout.*)?`]
      // Every reply queue is reached through the default exchange.
      return { configure: own, write: [...own, 'amq\\.default'], read: own }
    }
    case 'rpc-client': {
      const own = [exchange, `${topic}_fanout`, 'reply_.*']
      return { configure: own, write: own, read: ['reply_.*'] }
    }
    case 'notifier':
      return { configure: [exchange, `${topic}\\..*`], write: [exchange, `${topic}\\..*`], read: [exchange] }
    case 'listener': {
      const queues = [`${topic}\\..*`, ...(pool === null ? [] : [`${escaped(pool)}(\\..*)?`])]
      return { configure: [exchange, ...queues], write: queues, read: [exchange, ...queues] }
    }
    default:
      return unknown(role)
  }
}

/** A role of a newer core. */
export function unknown(role: never): never {
  throw new TypeError(`There is no role ${String(role)}`)
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
