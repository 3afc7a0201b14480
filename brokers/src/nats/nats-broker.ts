import { type DebianProgram, unpackedProgram } from '../debian.ts'
import { LocalBroker } from '../local-broker.ts'
import { freePorts } from '../ports.ts'
import { answersNats } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import { Workspace } from '../workspace.ts'

export interface NatsOptions {
  /** `2.9` (default) or `2.10`. */
  readonly version?: string
  /** Keeps messages for consumers (default true). Without it the server only passes them on. */
  readonly jetstream?: boolean
  /** Lines of the server's configuration file, `max_payload` for example. */
  readonly config?: Readonly<Record<string, string>>
}

export const NATS: DebianProgram = {
  broker: 'nats',
  package: 'nats-server',
  program: 'usr/sbin/nats-server',
  versions: [
    { version: '2.9.10', suite: 'bookworm' },
    { version: '2.10.27', suite: 'trixie' },
  ],
}
const USER = { scheme: 'nats', user: 'app', password: 'secret' } as const

/** A NATS server of our own, with JetStream in a temporary folder. */
export class NatsBroker extends LocalBroker {
  constructor(version: string, node: ProcessNode, dispose: () => Promise<void>) {
    super({ name: 'nats', version, source: 'packages', nodes: [node], url: USER, dispose })
  }
}

/** Starts nats-server from Debian's package. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startNatsFromPackages(options: NatsOptions = {}): Promise<NatsBroker> {
  const { command, version } = await unpackedProgram(NATS, options.version)
  const workspace = await Workspace.create('nats')
  const [port = 0] = await freePorts(1)
  const store = workspace.path('data')
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    `authorization { user: ${USER.user}, password: ${USER.password} }`,
    // A client that is silent for so long is dead.
    'ping_interval: "5s"',
    ...(options.jetstream === false ? [] : [`jetstream { store_dir: "${store}" }`]),
    ...Object.entries(options.config ?? {}).map(([key, value]) => `${key}: ${value}`),
  ]
  const file = await workspace.write('nats.conf', `${lines.join('\n')}\n`)
  const node = new ProcessNode({
    broker: 'nats',
    name: 'n1',
    host: '127.0.0.1',
    port,
    command,
    args: ['-c', file],
    env: process.env,
    workspace,
    logFile: workspace.path('nats.log'),
    answers: () => answersNats({ host: '127.0.0.1', port }),
  })
  const broker = new NatsBroker(version, node, () => workspace.close())
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
