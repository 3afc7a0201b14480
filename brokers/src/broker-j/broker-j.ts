import { LocalBroker } from '../local-broker.ts'
import { type Jars, jars } from '../maven.ts'
import { freePorts } from '../ports.ts'
import { answersAmqp10 } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import { Workspace } from '../workspace.ts'
import { type BrokerJPorts, configuration, VIRTUAL_HOSTS } from './configuration.ts'
import { Rest } from './rest.ts'

export interface BrokerJOptions {
  /** Default `10.1.0`. */
  readonly version?: string
}

export const BROKER_J_VERSION = '10.1.0'
const USER = { scheme: 'amqp', user: 'app', password: 'secret' } as const

/** Qpid Broker-J of our own: AMQP 1.0 with real virtual hosts (`default` and `tenant1`) and legacy addresses. */
export class BrokerJ extends LocalBroker {
  /** A second port, for clients without SASL or with ANONYMOUS; the first one takes PLAIN only. */
  readonly anonymousPort: number
  /** Virtual hosts, the default one first. An unknown one is refused after the connection has opened. */
  readonly virtualHosts: readonly string[] = VIRTUAL_HOSTS
  readonly #rest: Rest

  constructor(version: string, node: ProcessNode, ports: BrokerJPorts, dispose: () => Promise<void>) {
    super({ name: 'broker-j', version, source: 'packages', nodes: [node], url: USER, dispose })
    this.anonymousPort = ports.anonymous
    this.#rest = new Rest(ports.http)
  }

  /** Makes the exchange behind a fanout address, which a receiver cannot do by attaching. No effect when it is
   *  there. */
  async createFanout(address: string, virtualHost = 'default'): Promise<void> {
    await this.#rest.put(`exchange/${virtualHost}/${virtualHost}/${address}`, { type: 'fanout' })
  }

  /** Changes the password of the test user; connections that are there stay. */
  async setPassword(password: string = USER.password): Promise<void> {
    await this.#rest.put(`user/plain/${USER.user}`, { password })
  }

  /** Messages of a queue. */
  async depth(queue: string, virtualHost = 'default'): Promise<number> {
    const facts = await this.#rest.get(`queue/${virtualHost}/${virtualHost}/${queue}`)
    const { statistics } = facts as { statistics?: { queueDepthMessages?: number } }
    return statistics?.queueDepthMessages ?? 0
  }

  /** Deletes a queue under its senders and receivers, which are detached. */
  async deleteQueue(queue: string, virtualHost = 'default'): Promise<void> {
    await this.#rest.delete(`queue/${virtualHost}/${virtualHost}/${queue}`)
  }

  /** Ends all AMQP connections with `amqp:connection:forced`. */
  async closeAllConnections(): Promise<void> {
    for (const port of ['amqp', 'amqp-anon']) {
      const connections = (await this.#rest.get(`connection/${port}`)) as readonly { readonly name: string }[]
      await Promise.all(
        connections.map(({ name }) => this.#rest.delete(`connection/${port}/${encodeURIComponent(name)}`)),
      )
    }
  }
}

/** The jars of a version in the cache, fetched when they are not there. Rejects with BrokerUnavailable. */
export function brokerJJars(version: string): Promise<Jars> {
  return jars({
    broker: 'broker-j',
    version,
    pom: 'broker-j/pom.xml',
    properties: { 'broker-j.version': version },
    remedy: 'or set RPC_TRANSPORT_URL to an amqp:// URL of a broker that is there',
  })
}

/** Starts Broker-J from jars fetched by Maven coordinates. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startBrokerJFromPackages(options: BrokerJOptions = {}): Promise<BrokerJ> {
  const version = options.version ?? BROKER_J_VERSION
  const { folder, java } = await brokerJJars(version)
  const workspace = await Workspace.create('broker-j')
  const [plain = 0, anonymous = 0, http = 0] = await freePorts(3)
  const ports = { plain, anonymous, http }
  const file = await workspace.write('initial.json', configuration(ports))
  const node = new ProcessNode({
    broker: 'broker-j',
    name: 'n1',
    host: '127.0.0.1',
    port: plain,
    command: java,
    args: [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      // Its data outlives the process and not the machine: a disk that is waited for at each queue holds up everybody.
      '-Dderby.system.durability=test',
      '-cp',
      `${folder}/*`,
      'org.apache.qpid.server.Main',
      '-icp',
      file,
      '-prop',
      `qpid.work_dir=${workspace.path('work')}`,
    ],
    env: process.env,
    workspace,
    logFile: workspace.path('broker-j.log'),
    // The last port opens after the virtual hosts.
    answers: async () => {
      const amqp = await Promise.all([plain, anonymous].map((port) => answersAmqp10({ host: '127.0.0.1', port })))
      return amqp.every(Boolean) && (await new Rest(http).answers())
    },
  })
  const broker = new BrokerJ(version, node, ports, () => workspace.close())
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
