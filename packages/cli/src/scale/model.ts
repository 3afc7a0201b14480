import {
  type DriverSource,
  isMessagingError,
  type MessagingConfig,
  planTopology,
  PRIORITIES,
  Target,
  type TopologyUse,
} from '@oslo-messaging/core'
import type { ServiceKind } from './deployment.ts'

/** What one process of a service holds at its broker. */
export interface Held {
  readonly connections: number
  /** RabbitMQ: channels; AMQP 1.0: links. null: the broker has no such thing. */
  readonly channels: number | null
}

/** What a kind of service adds to a bus. */
export interface ServiceScale extends Held {
  readonly name: string
  readonly processes: number
}

/** What a bus has to hold. */
export interface BusScale {
  readonly section: 'default' | 'notifications'
  readonly driver: string
  readonly services: readonly ServiceScale[]
  readonly connections: number
  readonly channels: number | null
  /** Queues or topics; null: the driver does not say what it declares. */
  readonly queues: { readonly shared: number; readonly perInstance: number; readonly perProcess: number } | null
  /** Of the broker while nothing is sent, bytes; of quorum queues at each node that has a copy. null: not known for
   *  this driver, or for streams. */
  readonly memoryBytes: number | null
}

/** Stands for the server name of an instance in the names of queues. */
const INSTANCE = 'INSTANCE'
const OWN = '*'

/** What is held for each connection, channel and queue by a RabbitMQ at rest, bytes, buffers of sockets left out:
 *  classic queues of 3.10, quorum queues of 4.0 (its process and its tables). Measured with
 *  `packages/cli/test/scale.fault-test.ts`, which holds the model to real brokers. */
const RABBIT_BYTES = { connection: 61_000, channel: 5200, classic: 30_000, quorum: 51_700 }

interface Part {
  readonly section: 'default' | 'notifications'
  readonly driver: string
  /** Whether calls, notifications or both go there. */
  readonly carries: { readonly rpc: boolean; readonly notifications: boolean }
}

/** What services hold at their brokers: connections by the wiring of each driver, queues by the code that declares
 *  them. */
export async function scaleOf(
  services: readonly ServiceKind[],
  parts: readonly Part[],
  conf: MessagingConfig,
  registry: DriverSource,
): Promise<readonly BusScale[]> {
  const scales: BusScale[] = []
  for (const part of parts) {
    const rows = services
      .map((service) => ({
        ...heldBy(part, service),
        name: service.name,
        processes: service.instances * service.processes,
      }))
      .filter(({ connections }) => connections > 0)
    const queues = await queuesOf(services, part, conf, registry)
    const sum = (of: (row: ServiceScale) => number): number =>
      rows.reduce((total, row) => total + of(row) * row.processes, 0)
    const connections = sum((row) => row.connections)
    const channels = rows.every((row) => row.channels === null) ? null : sum((row) => row.channels ?? 0)
    scales.push({
      section: part.section,
      driver: part.driver,
      services: rows,
      connections,
      channels,
      queues: queues === null ? null : countsOf(queues),
      memoryBytes:
        part.driver === 'rabbit' && queues?.streams === 0 ? rabbitBytes(connections, channels ?? 0, queues) : null,
    })
  }
  return scales
}

function heldBy({ driver, carries }: Part, service: ServiceKind): Held {
  const servers = carries.rpc ? service.server.length : 0
  const clients = carries.rpc ? service.client.length : 0
  const notifies = carries.notifications ? service.notify.length : 0
  const listens = carries.notifications ? service.listen.length : 0
  const byDriver = DRIVERS[driver]
  if (byDriver === undefined) return { connections: 0, channels: null }
  return byDriver({ servers, clients, notifies, listens })
}

interface Uses {
  readonly servers: number
  readonly clients: number
  readonly notifies: number
  readonly listens: number
}

const NOTHING: Held = { connections: 0, channels: 0 }
const add = (one: Held, other: Held): Held => ({
  connections: one.connections + other.connections,
  channels: one.channels === null || other.channels === null ? null : one.channels + other.channels,
})

/** By the wiring of each driver. RPC and notifications are a transport each, with connections of their own, also where
 *  both go to one broker. */
const DRIVERS: Readonly<Record<string, (uses: Uses) => Held>> = {
  /** A connection to publish and one to consume; a channel for each server or listener, one for replies, one that asks
   *  after consumers, and one for each exchange that is published to. */
  rabbit({ servers, clients, notifies, listens }) {
    const rpc =
      servers + clients === 0
        ? NOTHING
        : {
            connections: 2,
            channels: servers + (servers > 0 ? 2 : 0) + (clients > 0 ? 2 : 0),
          }
    const notifications = {
      connections: (notifies > 0 ? 1 : 0) + (listens > 0 ? 1 : 0),
      channels: (notifies > 0 ? 1 : 0) + (listens > 0 ? listens + 1 : 0),
    }
    return add(rpc, notifications)
  },
  /** One connection a transport; three receiving links a server, one for replies, one for each address sent to. */
  amqp({ servers, clients, notifies, listens }) {
    const rpc =
      servers + clients === 0
        ? NOTHING
        : { connections: 1, channels: servers * 3 + (servers > 0 ? 1 : 0) + (clients > 0 ? 1 : 0) + clients }
    const notifications = notifies + listens === 0 ? NOTHING : { connections: 1, channels: notifies + listens }
    return add(rpc, notifications)
  },
  /** A producer of a transport, and a consumer of each listener; to each broker that has partitions of theirs. */
  kafka({ notifies, listens }) {
    return { connections: (notifies > 0 ? 1 : 0) + listens * 2, channels: null }
  },
}

interface Queues {
  readonly shared: ReadonlyMap<string, string>
  readonly perInstance: number
  readonly perProcess: number
  readonly quorum: number
  readonly streams: number
}

async function queuesOf(
  services: readonly ServiceKind[],
  { section, carries }: Part,
  conf: MessagingConfig,
  registry: DriverSource,
): Promise<Queues | null> {
  const shared = new Map<string, string>()
  let [perInstance, perProcess, quorum, streams] = [0, 0, 0, 0]
  for (const service of services) {
    const uses = usesOf(service).filter(({ role }) => (role.startsWith('rpc') ? carries.rpc : carries.notifications))
    if (uses.length === 0) continue
    let plan: Awaited<ReturnType<typeof planTopology>>
    try {
      plan = await planTopology(conf, uses, { section, registry })
    } catch (error) {
      if (isMessagingError(error, 'UNSUPPORTED')) return null
      throw error
    }
    const queues = plan.declarations.filter(({ kind }) => kind === 'queue' || kind === 'topic')
    const processes = service.instances * service.processes
    for (const { name, properties } of queues) {
      const times = name.includes(OWN) ? processes : name.includes(INSTANCE) ? service.instances : 1
      if (name.includes(OWN)) perProcess += processes
      else if (name.includes(INSTANCE)) perInstance += service.instances
      else if (shared.has(name)) continue
      else shared.set(name, properties)
      if (/quorum/.test(properties)) quorum += times
      if (/stream/.test(properties)) streams += times
    }
  }
  return { shared, perInstance, perProcess, quorum, streams }
}

function usesOf(service: ServiceKind): readonly TopologyUse[] {
  const rpc = { pool: null, priorities: [] }
  const priorities = service.priorities.length > 0 ? service.priorities : PRIORITIES
  return [
    ...service.server.map((topic) => ({
      role: 'rpc-server' as const,
      target: new Target({ topic, server: INSTANCE }),
      ...rpc,
    })),
    ...service.client.map((topic) => ({ role: 'rpc-client' as const, target: new Target({ topic }), ...rpc })),
    ...service.notify.map((topic) => ({
      role: 'notifier' as const,
      target: new Target({ topic }),
      pool: null,
      priorities,
    })),
    ...service.listen.map((word) => {
      const [topic = '', pool = null] = word.split(':')
      return { role: 'listener' as const, target: new Target({ topic }), pool, priorities }
    }),
  ]
}

function countsOf({ shared, perInstance, perProcess }: Queues): NonNullable<BusScale['queues']> {
  return { shared: shared.size, perInstance, perProcess }
}

function rabbitBytes(connections: number, channels: number, queues: Queues): number {
  const all = queues.shared.size + queues.perInstance + queues.perProcess
  const { connection, channel, classic, quorum } = RABBIT_BYTES
  return connections * connection + channels * channel + (all - queues.quorum) * classic + queues.quorum * quorum
}
