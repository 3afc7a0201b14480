import { randomUUID } from 'node:crypto'

import { poll } from '../deadline.ts'
import { BrokerStartFailed } from '../errors.ts'
import { LocalBroker, type LocalBrokerParts } from '../local-broker.ts'
import { freePorts } from '../ports.ts'
import { Workspace } from '../workspace.ts'
import { RabbitControl } from './control.ts'
import type { RabbitConsole } from './erlang.ts'
import { rabbitPackages } from './packages.ts'
import { epmd, rabbitNode } from './rabbit-node.ts'
import { restartInPlace } from './restart-in-place.ts'

export interface RabbitOptions {
  /** `3.10` (default), `4.0` or `4.3`; also with the patch number. */
  readonly version?: string
  /** A cluster of this many nodes. Default 1. */
  readonly nodes?: number
  /** Plugins to enable, `rabbitmq_management` for example: that one gets a free port, see `managementUrl`. */
  readonly plugins?: readonly string[]
  /** Lines of rabbitmq.conf, added to what the room needs. */
  readonly config?: Readonly<Record<string, string>>
}

export const RABBIT_USER = { scheme: 'rabbit', user: 'guest', password: 'guest' } as const

/** A RabbitMQ of our own, with levers inside it (`control`). */
export class RabbitBroker extends LocalBroker {
  readonly control: RabbitControl
  /** What another process needs to reach the levers. */
  readonly consoles: readonly RabbitConsole[]
  /** Management HTTP of the first node (`guest:guest`); undefined without the plugin `rabbitmq_management`. */
  readonly managementUrl: string | undefined

  constructor(parts: LocalBrokerParts, consoles: readonly RabbitConsole[], managementUrl?: string) {
    const levers = new RabbitControl(consoles, RABBIT_USER.user, (vhost) => this.urlFor({ vhost }))
    super({ ...parts, restart: parts.restart ?? (() => restartInPlace(levers, parts.nodes)) })
    this.control = levers
    this.consoles = consoles
    this.managementUrl = managementUrl
  }

  /** Makes a virtual host of its own for a test; resolves to the URL that leads to it. */
  vhost(name?: string): Promise<string> {
    return this.control.vhost(name)
  }
}

/** Starts RabbitMQ from unpacked Debian packages. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startRabbitFromPackages(options: RabbitOptions = {}): Promise<RabbitBroker> {
  const packages = await rabbitPackages(options.version)
  const workspace = await Workspace.create('rabbit')
  const count = options.nodes ?? 1
  const plugins = options.plugins ?? []
  const cookie = randomUUID().replaceAll('-', '').toUpperCase()
  // Each node: AMQP, management and distribution with nine ports of the command line tools behind it.
  const [epmdPort = 0, ...ports] = await freePorts(1 + 3 * count)
  const names = Array.from({ length: count }, (_, index) => `n${index + 1}`)
  await workspace.write('home/.erlang.cookie', cookie, 0o400)
  const mapper = epmd(packages, workspace, epmdPort)
  const made = await Promise.all(
    names.map((name, index) => {
      const [port = 0, managementPort = 0, distributionPort = 0] = ports.slice(3 * index)
      return rabbitNode({
        packages,
        workspace,
        name,
        port,
        distributionPort,
        epmdPort,
        cookie,
        plugins,
        config: { ...management(plugins, managementPort), ...cluster(names), ...options.config },
      })
    }),
  )
  const dispose = async (): Promise<void> => {
    await mapper.kill()
    await workspace.close()
  }
  const nodes = made.map(({ node }) => node)
  const broker = new RabbitBroker(
    { name: 'rabbit', version: packages.version, source: 'packages', nodes, url: RABBIT_USER, dispose },
    made.map(({ console }) => console),
    plugins.includes('rabbitmq_management') ? `http://127.0.0.1:${ports[1]}` : undefined,
  )
  try {
    await mapper.start()
    await broker.start()
    await joined(broker, count)
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** Nodes answer on their ports before they have found each other. */
async function joined(broker: RabbitBroker, count: number): Promise<void> {
  if (count === 1) return
  // 3.10 has the older name only, and must be asked for the newer one by a call that may not exist.
  const expression =
    'length(case erlang:function_exported(rabbit_nodes,list_running,0) of true->rabbit_nodes:list_running();' +
    'false->rabbit_nodes:all_running() end)'
  await poll(
    async () => {
      const seen = await Promise.all(broker.nodes.map((_, index) => broker.control.eval(expression, index)))
      return seen.every((running) => running === String(count)) || undefined
    },
    {
      timeoutMs: 60_000,
      everyMs: 200,
      late: () => new BrokerStartFailed('rabbit', `its ${count} nodes did not meet`, ''),
    },
  )
}

function management(plugins: readonly string[], port: number): Record<string, string> {
  if (!plugins.includes('rabbitmq_management')) return {}
  return { 'management.tcp.ip': '127.0.0.1', 'management.tcp.port': String(port) }
}

function cluster(names: readonly string[]): Record<string, string> {
  if (names.length === 1) return {}
  return {
    'cluster_formation.peer_discovery_backend': 'classic_config',
    ...Object.fromEntries(
      names.map((name, index) => [`cluster_formation.classic_config.nodes.${index + 1}`, `${name}@localhost`]),
    ),
    net_ticktime: '5',
    cluster_partition_handling: 'pause_minority',
  }
}
