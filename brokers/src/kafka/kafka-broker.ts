import { poll } from '../deadline.ts'
import { BrokerStartFailed } from '../errors.ts'
import { FaultProxy } from '@oslo-messaging/conformance/faults'
import { LocalBroker, type LocalBrokerParts } from '../local-broker.ts'
import { type Jars, jars } from '../maven.ts'
import { freePorts } from '../ports.ts'
import { ProcessNode } from '../process-node.ts'
import { run } from '../run.ts'
import { Workspace } from '../workspace.ts'
import { createTopics, metadata, type TopicOptions } from './protocol.ts'
import { type KafkaListenerPort, type KafkaNodePorts, serverProperties } from './server-properties.ts'

export interface KafkaOptions {
  /** `3.9.2` (default) or `4.4.0`; `3.9` and `4.4` mean these. */
  readonly version?: string
  /** Default 1; three make a cluster with replication factor 3. */
  readonly nodes?: number
  /** Lines of server.properties; they win over what the room writes. */
  readonly config?: Readonly<Record<string, string>>
  /** Listeners beside the usual ones, on one node: for tests of TLS and SASL. Packages only. */
  readonly listeners?: readonly KafkaListenerPort[]
}

const KAFKA_VERSIONS: readonly string[] = ['3.9.2', '4.4.0']
export const KAFKA_URL = { scheme: 'kafka' } as const

/** A cluster id is any 16 bytes in base64. */
export const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk'
const HEAP = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** A Kafka of our own. Tests isolate themselves by names of topics and groups. */
export class KafkaBroker extends LocalBroker {
  constructor(parts: LocalBrokerParts, front: readonly { readonly proxied: number; readonly advertised: number }[]) {
    super({
      ...parts,
      // Clients are sent to the address that a broker advertises, so the proxy stands where its second listener says it
      // is.
      openProxy: (node) =>
        FaultProxy.open(
          { host: '127.0.0.1', port: front[node]?.proxied ?? 0 },
          { port: front[node]?.advertised ?? 0, urlFor: (at) => this.urlFor({ via: [at] }) },
        ),
    })
  }

  /** Makes topics that do not exist yet; resolves when every partition has a leader on every node. */
  async createTopics(names: readonly string[], options: TopicOptions = {}): Promise<void> {
    await makeTopics(this, names, options)
  }
}

/** INVALID_REPLICATION_FACTOR. Where there are brokers enough, their controller has locked some of them out, because
 *  they (or the machine) stood still for longer than a session; it lets them in again as soon as it hears of them. */
const TOO_FEW_BROKERS = 38

/** As KafkaBroker.createTopics, for a broker that another process started. */
export async function makeTopics(
  broker: { readonly hosts: readonly { readonly host: string; readonly port: number }[] },
  names: readonly string[],
  options: TopicOptions = {},
): Promise<void> {
  const [first] = broker.hosts
  if (first === undefined) throw new Error('This Kafka has no address')
  const replicas = options.replicas ?? Math.min(broker.hosts.length, 3)
  const codes = await poll(
    async () => {
      const answer = await createTopics(first, names, { ...options, partitions: options.partitions ?? 1, replicas })
      const isLockedOut = replicas <= broker.hosts.length && [...answer.values()].includes(TOO_FEW_BROKERS)
      return isLockedOut ? undefined : answer
    },
    {
      timeoutMs: 30_000,
      everyMs: 250,
      late: () => new Error(`For 30 s Kafka has had fewer brokers than the ${replicas} that ${names.join(', ')} want`),
    },
  )
  const refused = [...codes].filter(([, code]) => code !== 0 && code !== 36)
  if (refused.length > 0)
    throw new Error(`Kafka refused to create ${refused.map(([name, code]) => `${name} (error ${code})`).join(', ')}`)
  await Promise.all(
    broker.hosts.map((host) =>
      poll(
        async () => {
          const known = await metadata(host, names)
          const ready = names.every((name) => {
            const topic = known?.topics.get(name)
            return topic?.error === 0 && topic.leaders.length > 0 && topic.leaders.every((leader) => leader >= 0)
          })
          return ready || undefined
        },
        {
          timeoutMs: 30_000,
          late: () => new Error(`Topics ${names.join(', ')} have no leader on port ${host.port} after 30 s`),
        },
      ),
    ),
  )
}

/** The jars of a version in the cache, fetched when they are not there. Rejects with BrokerUnavailable. */
export function kafkaJars(version: string): Promise<Jars> {
  return jars({
    broker: 'kafka',
    version,
    pom: 'kafka-pom.xml',
    properties: { 'kafka.version': version },
    remedy: 'start Docker, or set NOTIFY_TRANSPORT_URL to a kafka:// URL of a broker that is there',
  })
}

/** Starts Kafka in KRaft mode from jars fetched by Maven coordinates. Rejects with BrokerUnavailable or
 *  BrokerStartFailed. */
export async function startKafkaFromPackages(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const version = kafkaVersion(options.version)
  const { folder, java } = await kafkaJars(version)
  const workspace = await Workspace.create('kafka')
  const count = options.nodes ?? 1
  const free = await freePorts(4 * count)
  const ports = Array.from({ length: count }, (_, index): KafkaNodePorts => {
    const [plain = 0, controller = 0, proxied = 0, advertised = 0] = free.slice(4 * index)
    return { plain, controller, proxied, advertised }
  })
  const classPath = ['-cp', `${folder}/*`]
  const nodes = await Promise.all(
    ports.map(async (own, index) => {
      const name = `n${index + 1}`
      const data = workspace.path(name, 'data')
      const properties = serverProperties({
        id: index + 1,
        own,
        all: ports,
        data,
        listeners: options.listeners ?? [],
        extra: options.config ?? {},
      })
      const file = await workspace.write(`${name}/server.properties`, properties)
      return new ProcessNode({
        broker: 'kafka',
        name,
        host: '127.0.0.1',
        port: own.plain,
        command: java,
        args: [...HEAP, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', ...classPath, 'kafka.Kafka', file],
        env: process.env,
        workspace,
        cwd: workspace.path(name),
        logFile: workspace.path(name, 'kafka.log'),
        answers: async () => ((await metadata({ host: '127.0.0.1', port: own.plain }))?.brokers.length ?? 0) >= count,
      })
    }),
  )
  const broker = new KafkaBroker(
    { name: 'kafka', version, source: 'packages', nodes, url: KAFKA_URL, dispose: () => workspace.close() },
    ports,
  )
  try {
    await Promise.all(
      nodes.map(async (node) => {
        const storage = [
          'kafka.tools.StorageTool',
          'format',
          '-t',
          CLUSTER_ID,
          '-c',
          workspace.path(node.name, 'server.properties'),
        ]
        const result = await run(java, [...HEAP, ...classPath, ...storage])
        if (result.code !== 0)
          throw new BrokerStartFailed('kafka', 'its storage could not be formatted', result.stdout + result.stderr)
      }),
    )
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** The full version for `3.9`, `4.4` or undefined; any other text is taken as a Maven version. */
export function kafkaVersion(asked = '3.9'): string {
  return KAFKA_VERSIONS.find((version) => version === asked || version.startsWith(`${asked}.`)) ?? asked
}
