import {
  type MigrationSide,
  Target,
  type TopologyDeclaration,
  type TopologyPlan,
  type TopologyUse,
} from '@oslo-messaging/core/driver'
import type { ExchangeDeclaration, QueueDeclaration } from '../client/client.ts'
import type { RabbitOptions } from '../config.ts'
import { virtualHostOf } from '../connection/hosts.ts'
import { permissionsOf, unknown } from '../topology/permissions.ts'
import { createTopology, type Subscription, type Topology } from '../topology/topology.ts'
import { properties } from './migration.ts'
import { quoted } from './migration-steps.ts'

type Role = TopologyUse['role']
type Needed = Pick<Subscription, 'exchange' | 'bindingKeys'> & { readonly queue: QueueDeclaration | null }

interface Declared<T> {
  readonly what: T
  readonly roles: Set<Role>
}

interface Binding {
  readonly exchange: string
  readonly queue: string
  readonly key: string
}

/** Everything the uses declare, each once, in the order in which it is declared. */
interface Found {
  readonly exchanges: readonly Declared<ExchangeDeclaration>[]
  readonly queues: readonly Declared<QueueDeclaration>[]
  readonly bindings: readonly Declared<Binding>[]
}

/** Stands for the part of a name that each process makes for itself. */
const OWN = '*'

/** What the driver declares for these uses. Throws ConfigurationError when options exclude each other, InvalidTarget
 *  for a name that AMQP does not take. */
export function planTopology(side: MigrationSide<RabbitOptions>, uses: readonly TopologyUse[]): TopologyPlan {
  const topology = createTopology(side.options, side.defaultExchange)
  const found = collect(topology, uses)
  const virtualHost = virtualHostOf(side.url)
  return {
    declarations: declarationsOf(found),
    documents: {
      rabbitmq: json(definitionsOf(found, virtualHost)),
      kubernetes: json(resourcesOf(found, virtualHost)),
      permissions: permissionCommands(side, uses, virtualHost),
    },
  }
}

function neededBy(topology: Topology, { role, target, pool, priorities }: TopologyUse): readonly Needed[] {
  const topic = target.topic ?? ''
  switch (role) {
    case 'rpc-server':
      return topology.serverSubscriptions(target, OWN)
    case 'rpc-client': {
      const exchanges = [target.with({ fanout: false }), target.with({ fanout: true })].map(
        (each) => topology.requestDestination(each).exchange,
      )
      return [
        ...exchanges.map((exchange) => ({ exchange, queue: null, bindingKeys: [] })),
        topology.replySubscription(`reply_${OWN}`),
      ]
    }
    case 'notifier':
      return priorities.map((each) => {
        const { exchange, queue, bindingKeys } = topology.notificationDestination(
          new Target({ exchange: target.exchange, topic: `${topic}.${each}` }),
        ).store
        return { exchange, queue, bindingKeys }
      })
    case 'listener':
      return topology.listenerSubscriptions(
        priorities.map((priority) => ({ target, priority })),
        pool,
      )
    default:
      return unknown(role)
  }
}

function collect(topology: Topology, uses: readonly TopologyUse[]): Found {
  const exchanges = new Map<string, Declared<ExchangeDeclaration>>()
  const queues = new Map<string, Declared<QueueDeclaration>>()
  const bindings = new Map<string, Declared<Binding>>()
  const note = <T>(table: Map<string, Declared<T>>, name: string, what: T, role: Role): void => {
    const entry = table.get(name) ?? { what, roles: new Set() }
    entry.roles.add(role)
    table.set(name, entry)
  }
  for (const use of uses)
    for (const { exchange, queue, bindingKeys } of neededBy(topology, use)) {
      if (exchange !== null) note(exchanges, exchange.name, exchange, use.role)
      if (queue === null) continue
      note(queues, queue.name, queue, use.role)
      if (exchange === null) continue
      for (const key of bindingKeys) {
        const binding = { exchange: exchange.name, queue: queue.name, key }
        note(bindings, JSON.stringify(binding), binding, use.role)
      }
    }
  return { exchanges: [...exchanges.values()], queues: [...queues.values()], bindings: [...bindings.values()] }
}

function declarationsOf({ exchanges, queues, bindings }: Found): readonly TopologyDeclaration[] {
  return [
    ...exchanges.map(({ what: { name, type, durable, autoDelete }, roles }) => ({
      kind: 'exchange',
      name,
      properties: `${type}, ${properties(durable, autoDelete, {})}`,
      roles: [...roles],
    })),
    ...queues.map(({ what: { name, durable, autoDelete, arguments: given }, roles }) => ({
      kind: 'queue',
      name,
      properties: properties(durable, autoDelete, given),
      roles: [...roles],
    })),
    ...bindings.map(({ what: { exchange, queue, key }, roles }) => ({
      kind: 'binding',
      name: queue,
      properties: `to ${exchange} by ${key}`,
      roles: [...roles],
    })),
  ]
}

/** What can be made before the services: not what each process names for itself. */
function knownBefore({ exchanges, queues, bindings }: Found) {
  const isKnown = (name: string): boolean => !name.includes(OWN)
  return {
    exchanges: exchanges.map(({ what }) => what),
    queues: queues.map(({ what }) => what).filter(({ name }) => isKnown(name)),
    bindings: bindings.map(({ what }) => what).filter(({ queue }) => isKnown(queue)),
  }
}

/** As `rabbitmqctl import_definitions` reads it. */
function definitionsOf(found: Found, vhost: string): object {
  const { exchanges, queues, bindings } = knownBefore(found)
  return {
    vhosts: [{ name: vhost }],
    exchanges: exchanges.map(({ name, type, durable, autoDelete }) => ({
      name,
      vhost,
      type,
      durable,
      auto_delete: autoDelete,
      internal: false,
      arguments: {},
    })),
    queues: queues.map(({ name, durable, autoDelete, arguments: given }) => ({
      name,
      vhost,
      durable,
      auto_delete: autoDelete,
      arguments: given,
    })),
    bindings: bindings.map(({ exchange, queue, key }) => ({
      source: exchange,
      vhost,
      destination: queue,
      destination_type: 'queue',
      routing_key: key,
      arguments: {},
    })),
  }
}

/** As `kubectl apply` reads it, where the messaging topology operator of RabbitMQ is. */
function resourcesOf(found: Found, vhost: string): object {
  const { exchanges, queues, bindings } = knownBefore(found)
  const used = new Set<string>()
  const resource = (kind: string, name: string, spec: object): object => {
    const base = `${kind}-${name}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 240)
    let unique = base
    for (let n = 2; used.has(unique); n += 1) unique = `${base}-${n}`
    used.add(unique)
    return {
      apiVersion: 'rabbitmq.com/v1beta1',
      kind,
      metadata: { name: unique },
      spec: { ...spec, rabbitmqClusterReference: { name: 'CLUSTER' } },
    }
  }
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      resource('Vhost', vhost, { name: vhost }),
      ...exchanges.map(({ name, type, durable, autoDelete }) =>
        resource('Exchange', name, { name, vhost, type, durable, autoDelete }),
      ),
      ...queues.map(({ name, durable, autoDelete, arguments: given }) => {
        const { 'x-queue-type': type, ...rest } = given
        return resource('Queue', name, {
          name,
          vhost,
          ...(type === undefined ? {} : { type }),
          durable,
          autoDelete,
          arguments: rest,
        })
      }),
      ...bindings.map(({ exchange, queue, key }) =>
        resource('Binding', `${exchange}-${queue}-${key}`, {
          vhost,
          source: exchange,
          destination: queue,
          destinationType: 'queue',
          routingKey: key,
        }),
      ),
    ],
  }
}

function permissionCommands(
  { defaultExchange }: MigrationSide<RabbitOptions>,
  uses: readonly TopologyUse[],
  virtualHost: string,
): string {
  const placed = uses.map((use) => ({ ...use, exchange: use.target.exchange ?? defaultExchange }))
  const command = (title: string, some: typeof placed): string => {
    const { configure, write, read } = permissionsOf(some)
    const words = [configure, write, read].map(quoted).join(' ')
    return `# ${title.replaceAll('\n', ' ')}\nrabbitmqctl set_permissions -p ${quoted(virtualHost)} USER ${words}\n`
  }
  const each = placed.map((use) => command(`${use.role} of ${use.target.topic}`, [use]))
  return [...each, ...(each.length > 1 ? [command('all of it with one login', placed)] : [])].join('')
}

function json(value: object): string {
  return `${JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? Number(each) : each), 2)}\n`
}
